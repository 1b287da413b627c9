"""Pictures of anynet in the gallery: a figure that a cell of an example ends with is shown, as in a notebook."""

import ast
from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


def scrape(block: Any, block_vars: dict[str, Any], gallery_conf: Any) -> str:
    """Save the figure that a cell ends with; Matplotlib's own scraper has those of pyplot."""
    body = ast.parse(block.content).body
    shown = block_vars["example_globals"].get("___") if body and isinstance(body[-1], ast.Expr) else None
    if not isinstance(shown, Figure):
        return ""
    path = next(block_vars["image_path_iterator"])
    shown.savefig(path, format="png")
    return figure_rst([path], gallery_conf["src_dir"], shown.get_suptitle().replace("\n", "; "))
