"""Check what no linter checks: file names of the package, and assertions that test a condition by its value.

Run by ``make check``; prints a line per fault and ends with code 1 where there is one.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROLES = {
    "base.py": "anynet",
    "errors.py": "anynet",
    "target.py": "anynet/compiler",
    "folder.py": "anynet/app",
    "table.py": "anynet/app",
}
"""File names that stand for one role in sibling folders, and the folder that these are in."""


def repeated_names() -> Iterator[str]:
    """Find files of the package that share a name; ``__init__.py`` and `ROLES` aside."""
    found = defaultdict(list)
    for path in sorted((ROOT / "anynet").rglob("*.py")):
        found[path.name].append(path.relative_to(ROOT).as_posix())
    for name, paths in found.items():
        home = ROLES.get(name)
        if len(paths) > 1 and name != "__init__.py" and not (home and all(p.startswith(f"{home}/") for p in paths)):
            yield f"{paths[0]}: the name is used again by {', '.join(paths[1:])}; rename one"


def conditional_assertions() -> Iterator[str]:
    """Find ``assert a == b if c else d``, which asserts d where c is false: parentheses are missing."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assert) and isinstance(node.test, ast.IfExp):
                place = f"{path.relative_to(ROOT).as_posix()}:{node.lineno}"
                yield f"{place}: write `assert a == (b if c else d)`, or two assertions"


if __name__ == "__main__":
    faults = [*repeated_names(), *conditional_assertions()]
    print("\n".join(faults))
    sys.exit(bool(faults))
