"""A reader of files, and damage to what it reads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.faults import mutations
from benchmarks.faults.valid_files import Files

Damage = Callable[[bytes, Random], bytes]

FORMATS: dict[str, Damage] = {
    ".csv": mutations.change_csv,
    ".json": mutations.change_json,
    ".safetensors": mutations.change_tensors,
    ".toml": mutations.change_toml,
}
"""Functions that damage a file but keep its format, by the end of its name."""


@dataclass(frozen=True)
class Reader:
    """A reader of files.

    Parameters
    ----------
    read : callable
        Reads a folder.
    folders : callable
        Returns valid folders.
    damaged : sequence of str
        Names of the files that may be damaged.
    change : callable, optional
        Damages a file but keeps its format. Default: that of `FORMATS` for the end of its name.
    slow : bool
        True if it takes a second rather than a millisecond. It is then given fewer files, and more time.
    """

    read: Callable[[Path], object]
    folders: Callable[[], Sequence[Files]]
    damaged: Sequence[str]
    change: Damage | None = None
    slow: bool = False

    def write_damaged(self, folder: Path, random: Random) -> bytes:
        """Write a folder with one damaged file, and return that file's content."""
        contents = random.choice(self.folders())
        name = random.choice(self.damaged)
        change = self.change or FORMATS.get(Path(name).suffix, mutations.mutate)
        content = random.choice((mutations.mutate, change))(contents[name], random)
        self.write(folder, contents | {name: content})
        return content

    @staticmethod
    def write(folder: Path, contents: Files) -> None:
        """Write files into a folder."""
        for name, content in contents.items():
            (folder / name).parent.mkdir(exist_ok=True, parents=True)
            (folder / name).write_bytes(content)
