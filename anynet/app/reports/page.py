"""Pages with pictures, as Markdown and as HTML."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import markdown
from PIL import Image

from anynet.core.atomic import write_text_whole, write_whole
from anynet.plots import Figure

STYLE = (
    "body { max-width: 60em; margin: 2em auto; padding: 0 1em; font-family: sans-serif; line-height: 1.5 } "
    "table { border-collapse: collapse; font-size: 90% } th, td { border: 1px solid #ccc; padding: .2em .6em } "
    "img { max-width: 100% }"
)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown.

    Parameters
    ----------
    header : sequence of str
        Column headers.
    rows : sequence of sequence of str
        Cells.

    Returns
    -------
    str
    """
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows])


class Page:
    """A page, written paragraph by paragraph.

    Parameters
    ----------
    folder : Path
        Folder for the page and its pictures, created if it does not exist.
    title : str
        Heading.
    """

    def __init__(self, folder: Path, title: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._title = folder, title
        self._parts = [f"# {title}"]

    def add(self, *paragraphs: str) -> None:
        """Append paragraphs, tables or headings, in Markdown."""
        self._parts.extend(paragraphs)

    def picture(self, name: str, description: str, source: Path | Figure) -> None:
        """Append a picture, from a file or a Matplotlib figure."""
        self.add(f"![{description}]({self.save(name, source)})")

    def save(self, name: str, source: Path | Figure) -> str:
        """Save a picture in the folder of the page, with 256 colors to keep it small, and return its file name."""
        path = self._folder / f"{name}.png"

        def write(partial: Path) -> None:
            if isinstance(source, Figure):
                source.savefig(partial)
            with Image.open(partial if isinstance(source, Figure) else source) as image:
                image.convert("RGB").quantize(256).save(partial, optimize=True)

        write_whole(path, write)
        return path.name

    def write(self) -> None:
        """Write README.md and index.html."""
        text = "\n\n".join(self._parts) + "\n"
        body = markdown.markdown(text, extensions=["tables"]).replace('/README.md"', '/index.html"')
        head = f'<meta charset="utf-8"><title>{escape(self._title)}</title><style>{STYLE}</style>'
        write_text_whole(self._folder / "README.md", text)
        write_text_whole(self._folder / "index.html", f"<!doctype html>{head}{body}\n")
