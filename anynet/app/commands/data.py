"""``anynet data``."""

from anynet.data.sets import SETS
from anynet.data.sources import find


def data(source: str = "auto") -> None:
    """Find, download and verify a data set, and print what it holds.

    Parameters
    ----------
    source
        Data set, as for train --data: auto, cifar10, cifar100, mnist, fashion-mnist, digits, synthetic, or a folder or
        archive.
    """
    name, batches = find(source)
    files = "" if name not in SETS else ", the official files" if batches.official else ", not the official files"
    print(f"{name}{files}: {len(batches.classes)} classes, images of shape {batches.shape}")
    for part, size in batches.sizes.items():
        print(f"{part}: {size} images")
