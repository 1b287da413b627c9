"""``anynet data``."""

from typing import Annotated

from cyclopts import Parameter

from anynet.app.config import Quiet
from anynet.core.meter import progress_shown
from anynet.data.sets import SETS
from anynet.data.sources import find


def data(source: Annotated[str, Parameter(name="--data")] = "auto", *, quiet: Quiet = False) -> None:
    """Find, download and verify a data set, and print what it holds.

    Parameters
    ----------
    source
        Data set, as for train --data: auto, cifar10, cifar100, mnist, fashion-mnist, digits, synthetic, or a folder or
        archive.
    quiet
        Show no progress of a download.
    """
    with progress_shown(not quiet):
        name, batches = find(source)
    files = "" if name not in SETS else ", the official files" if batches.official else ", not the official files"
    print(f"{name}{files}: {len(batches.classes)} classes, images of shape {batches.shape}")
    for part, size in batches.sizes.items():
        print(f"{part}: {size:,} images")
