"""Draw which packages of anynet import which, read from the source: docs/imports.svg.

``make imports`` writes the file; ``make check`` compares (``--check``).
"""

import ast
import sys
from collections.abc import Iterator
from itertools import pairwise, permutations
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "imports.svg"
WIDTH, HEIGHT, LANE, GAP_X, GAP_Y, MARGIN = 132, 44, 12, 36, 56, 20
"""Pixels: of a box, of an arrow that passes a row of boxes, between two of them, between rows, around."""

SWEEPS = 8
Edges = set[tuple[str, str]]


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names that a module imports from anynet, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("anynet."))
        elif isinstance(node, ast.ImportFrom) and node.module == "anynet":
            yield from (f"anynet.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("anynet."):
            yield str(node.module)


def read_imports() -> tuple[list[str], Edges]:
    """Return the packages, and the pairs (importer, imported)."""
    packages = sorted(path.parent.name for path in (ROOT / "anynet").glob("*/__init__.py"))
    edges: Edges = set()
    for package in packages:
        for path in sorted((ROOT / "anynet" / package).rglob("*.py")):
            names = imported(ast.parse(path.read_text(encoding="utf-8")))
            edges |= {(package, name.split(".")[1]) for name in names}
    return packages, {(a, b) for a, b in edges if a != b and b in packages}


def levels(packages: list[str], edges: Edges) -> list[list[str]]:
    """Return rows of packages from the top, each as low as the packages that it imports allow."""
    height: dict[str, int] = {}
    while len(height) < len(packages):
        free = [p for p in packages if p not in height and all(b in height for a, b in edges if a == p)]
        if not free:
            raise SystemExit(f"{sorted(set(packages) - set(height))} import each other in a circle")
        height |= {p: max((height[b] + 1 for a, b in edges if a == p), default=0) for p in free}
    return [[p for p in packages if height[p] == level] for level in range(max(height.values()), -1, -1)]


def direct(edges: Edges) -> Edges:
    """Return the edges that no longer path stands for."""
    below: dict[str, set[str]] = {}

    def reach(package: str) -> set[str]:
        if package not in below:
            below[package] = set().union(*({b} | reach(b) for a, b in edges if a == package))
        return below[package]

    return {(a, b) for a, b in edges if not any(b in reach(c) for d, c in edges if d == a and c != b)}


def rows_and_links(levels: list[list[str]], edges: Edges) -> tuple[list[list[str]], list[list[str]]]:
    """Return the rows with the arrows that pass them, and of each arrow what it goes through."""
    row_of = {package: i for i, row in enumerate(levels) for package in row}
    rows = [list(row) for row in levels]
    paths: list[list[str]] = []
    for edge in sorted(edges):
        lane = " > ".join(edge)  # the arrow, where it passes a row
        between = range(row_of[edge[0]] + 1, row_of[edge[1]])
        for i in between:
            rows[i].append(lane)
        paths.append([edge[0], *(lane for _ in between), edge[1]])
    return rows, paths


def order(rows: list[list[str]], paths: list[list[str]]) -> list[list[str]]:
    """Order each row such that few arrows cross."""
    row_of = {node: i for i, row in enumerate(rows) for node in row if ">" not in node}
    links: list[list[tuple[str, str]]] = [[] for _ in rows]
    for path in paths:
        for i, link in enumerate(pairwise(path), start=row_of[path[0]]):
            links[i].append(link)

    def crossings(i: int, upper: list[str], lower: list[str]) -> int:
        ends = [(upper.index(a), lower.index(b)) for a, b in links[i]]
        return sum((a - c) * (b - d) < 0 for k, (a, b) in enumerate(ends) for c, d in ends[:k])

    def cost(i: int, row: list[str]) -> int:
        above = crossings(i - 1, rows[i - 1], row) if i else 0
        return above + (crossings(i, row, rows[i + 1]) if i + 1 < len(rows) else 0)

    for _ in range(SWEEPS):
        for i in [*range(len(rows)), *reversed(range(len(rows)))]:
            candidates = [list(row) for row in permutations(rows[i])]
            costs = [cost(i, row) for row in candidates]
            rows[i] = candidates[costs.index(min(costs))]
    return rows


def svg() -> str:
    """Return the picture: packages in rows, each above what it imports, arrows that chains of others do not imply."""
    packages, edges = read_imports()
    rows, paths = rows_and_links(levels(packages, edges), direct(edges))
    rows = order(rows, paths)

    def width(node: str) -> int:
        return LANE if ">" in node else WIDTH

    total = max(sum(map(width, row)) + GAP_X * (len(row) - 1) for row in rows) + 2 * MARGIN
    center: dict[tuple[int, str], float] = {}
    for i, row in enumerate(rows):
        x = (total - sum(map(width, row)) - GAP_X * (len(row) - 1)) / 2
        for node in row:
            center[i, node] = x + width(node) / 2
            x += width(node) + GAP_X
    tall = len(rows) * HEIGHT + (len(rows) - 1) * GAP_Y + 2 * MARGIN

    def top(i: int) -> int:
        return MARGIN + i * (HEIGHT + GAP_Y)

    row_of = {node: i for i, row in enumerate(rows) for node in row if ">" not in node}
    out: dict[str, list[tuple[float, int]]] = {}
    into: dict[str, list[tuple[float, int]]] = {}
    for k, path in enumerate(paths):
        first, last = row_of[path[0]], row_of[path[-1]]
        out.setdefault(path[0], []).append((center[first + 1, path[1]], k))
        into.setdefault(path[-1], []).append((center[last - 1, path[-2]], k))

    def port(node: str, ends: list[tuple[float, int]], k: int) -> float:
        place = [number for _, number in sorted(ends)].index(k)
        return center[row_of[node], node] + (place - (len(ends) - 1) / 2) * min(24, WIDTH / (len(ends) + 1))

    drawn = []
    for k, path in enumerate(paths):
        source, target, begin = path[0], path[-1], row_of[path[0]]
        x = port(source, out[source], k)
        d = f"M{x:.0f} {top(begin) + HEIGHT}"
        for j, node in enumerate(path[1:], start=begin + 1):
            end = port(target, into[target], k) if node == target else center[j, node]
            y, middle = top(j), top(j) - GAP_Y / 2
            d += f" C{x:.0f} {middle:.0f} {end:.0f} {middle:.0f} {end:.0f} {y - 2 if node == target else y}"
            d += "" if node == target else f" V{y + HEIGHT}"
            x = end
        drawn.append(f'<path d="{d}"/>')
    boxes = []
    for package, i in row_of.items():
        x, y = center[i, package], top(i)
        boxes.append(f'<rect x="{x - WIDTH / 2:.0f}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>')
        boxes.append(f'<text x="{x:.0f}" y="{y + 28}">{package}</text>')
    newline = "\n"
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {tall}" width="{total}" height="{tall}">
<title>Imports between the packages of anynet; arrows that chains of others imply are left out</title>
<style>
rect {{ fill: #eef3f8; stroke: #34506b; }}
text {{ font: 16px sans-serif; text-anchor: middle; fill: #14202b; }}
path {{ fill: none; stroke: #34506b; stroke-width: 1.5; marker-end: url(#head); }}
#head path {{ fill: #34506b; stroke: none; marker-end: none; }}
</style>
<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 L8 4 L0 8 Z"/>
</marker>
<rect width="{total}" height="{tall}" style="fill: #ffffff; stroke: none"/>
{newline.join(drawn)}
{newline.join(boxes)}
</svg>
"""


if __name__ == "__main__":
    picture = svg()
    if "--check" not in sys.argv:
        FILE.write_text(picture, encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != picture:
        raise SystemExit("docs/imports.svg is not what the source imports; run `make imports`")
