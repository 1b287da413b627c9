"""Pages of the gallery: their order, and pictures of anynet, shown where a cell ends with one, as in a notebook."""

import ast
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

ORDER = (
    "one_layer", "learning_rate", "batch_norm", "dropout", "convolution", "gradient_check", "regression", "seeds",
    "search", "resume", "training_loop", "scikit_learn", "backends", "onnx", "own_backend",
)  # fmt: skip
"""Names of the examples, the simplest first."""


def position(file: str) -> int:
    """Return the place of an example in the gallery."""
    return ORDER.index(Path(file).stem.removeprefix("plot_"))


def scrape(block: Any, block_vars: dict[str, Any], gallery_conf: Any) -> str:
    """Save the figure that a cell ends with; Matplotlib's own scraper has those of pyplot."""
    body = ast.parse(block.content).body
    shown = block_vars["example_globals"].get("___") if body and isinstance(body[-1], ast.Expr) else None
    if not isinstance(shown, Figure):
        return ""
    path = next(block_vars["image_path_iterator"])
    shown.savefig(path, format="png")
    return figure_rst([path], gallery_conf["src_dir"], shown.get_suptitle().replace("\n", "; "))
