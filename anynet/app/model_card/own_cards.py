"""The cards that runs and sweeps write at their end."""

from functools import partial
from pathlib import Path

from anynet.app.keeping import Page
from anynet.app.resuming import POINTS
from anynet.app.run_report.own_pages import MOST_PAGES
from anynet.training.load import NET_FILE

CARD = "README.md"
"""Name of the file in the folder that it is about."""


def own_cards(folder: Path) -> list[Page]:
    """Return the card of a run or a sweep, and those of a sweep's members, to be written.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Page
        None of runs without a net.
    """
    nets = [path.parent for path in (folder / NET_FILE, *sorted(folder.glob(f"member-*/{NET_FILE}"))) if path.exists()]
    sweep = (folder / POINTS).exists() and (folder / "result.json").exists()
    folders = [*([folder] if sweep else []), *(nets if len(nets) <= MOST_PAGES else [])]
    return [Page(each / CARD, partial(write_card, each)) for each in folders]


def write_card(folder: Path, file: Path) -> None:
    """Write the card of a run or a sweep into a file."""
    from anynet.app.model_card.run_card import run_card  # here, because PyYAML is needed at the end alone
    from anynet.app.model_card.sweep_card import sweep_card

    text = sweep_card(folder) if (folder / POINTS).exists() else run_card(folder)
    file.write_bytes(text.encode("utf-8", "replace"))  # names of folders may be no UTF-8
