"""HTML pages as tests look at them: well-formed, made of elements with attributes and texts."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link", "input", "hr"}


@dataclass
class Element:
    """An element of a page."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def all(self, tag=None, **attributes):
        """Elements inside, with this tag and these attributes; `cls` is the class."""
        wanted = {{"cls": "class"}.get(name, name): value for name, value in attributes.items()}
        found = []
        for child in self.children:
            if tag in (None, child.tag) and wanted.items() <= child.attributes.items():
                found.append(child)
            found += child.all(tag, **attributes)
        return found

    def words(self):
        """Its text, with one space between words."""
        return " ".join(self.text.split())

    def rows(self):
        """The texts of a table's rows."""
        return [[cell.words() for cell in row.children] for row in self.all("tr")]


class Reader(HTMLParser):
    """A parser that refuses what is not closed, or not open, in its turn."""

    def __init__(self):
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len({*names}), f"{tag} has an attribute twice: {names}"
        element = Element(tag, {name: value or "" for name, value in attributes})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attributes):
        assert any(element.tag == "svg" for element in self.open), f"<{tag}/> outside of SVG"
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>, line {self.getpos()[0]}"
        self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element.text += data


def read_page(path):
    """The page in a file, which must be well-formed."""
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == [reader.root]
    (html,) = reader.root.children
    return html
