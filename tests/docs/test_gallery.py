"""Examples of the gallery assert what they claim; `make docs` runs them, and stops at an error."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(ROOT.glob("docs/gallery/*.py"))


def test_every_example_asserts_its_claim():
    for path in EXAMPLES:
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        assert any(isinstance(node, ast.Assert) for node in nodes), path.name
