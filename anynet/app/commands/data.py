"""``anynet data``."""

from anynet.data.sources import find


def data(source: str = "auto") -> None:
    """Find, download and verify the images, and print the number in each file.

    Parameters
    ----------
    source
        Data set, as for train --data: auto, cifar10, synthetic, or a folder or archive.
    """
    name, batches = find(source)
    print(f"{name}, {'the official files' if batches.official else 'not the official files'}")
    for file, part in batches.splits.items():
        print(f"{file}: {len(part)} images")
