"""Pages: Markdown with pictures, and the same as HTML."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

STYLE = (
    "body { max-width: 60em; margin: 2em auto; padding: 0 1em; font-family: sans-serif; line-height: 1.5 } "
    "table { border-collapse: collapse; font-size: 90% } th, td { border: 1px solid #ccc; padding: .2em .6em } "
    "img { max-width: 100% }"
)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows])


class Page:
    """A page that grows by paragraphs; pictures go beside it."""

    def __init__(self, folder: Path, title: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._title = folder, title
        self._parts = [f"# {title}"]

    def add(self, *paragraphs: str) -> None:
        """Add paragraphs, tables, headings."""
        self._parts.extend(paragraphs)

    def picture(self, name: str, what: str, source: Path | Figure) -> None:
        """Add a picture, a file's or a figure."""
        self.add(f"![{what}]({self.save(name, source)})")

    def save(self, name: str, source: Path | Figure) -> str:
        """Keep a picture beside the page, in few colours so that it stays small; returns its file's name."""
        path = self._folder / f"{name}.png"
        if isinstance(source, Figure):
            source.savefig(path)
            source = path
        with Image.open(source) as image:
            image.convert("RGB").quantize(256).save(path, optimize=True)
        return path.name

    def write(self) -> None:
        """Write README.md and index.html."""
        import markdown

        text = "\n\n".join(self._parts) + "\n"
        body = markdown.markdown(text, extensions=["tables"]).replace('/README.md"', '/index.html"')
        head = f'<meta charset="utf-8"><title>{escape(self._title)}</title><style>{STYLE}</style>'
        (self._folder / "README.md").write_text(text, encoding="utf-8")
        (self._folder / "index.html").write_text(f"<!doctype html>{head}{body}\n", encoding="utf-8")
