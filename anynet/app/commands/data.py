"""``anynet data``."""

from anynet.data.sources import find


def data(source: str = "auto") -> None:
    """Find, download and check the images.

    Parameters
    ----------
    source:
        As for train's --data: auto, cifar10, synthetic, or a folder or archive.
    """
    name, batches = find(source)
    print(f"{name}, {'the official files' if batches.official else 'not the official files'}")
    for file, part in batches.splits.items():
        print(f"{file}: {len(part)} images")
