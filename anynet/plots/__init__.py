"""Pictures of nets and their training. Each function returns a Matplotlib figure."""

from importlib.util import find_spec

if find_spec("matplotlib") is None:  # the core of anynet does without it
    raise ModuleNotFoundError("plots need matplotlib; install it with: pip install '.[app]'", name="matplotlib")

from anynet.plots.curves import bands, curves, curves_of_members
from anynet.plots.first_layer import templates_of_members, weights
from anynet.plots.grid_map import grid_map
from anynet.plots.step_errors import step_errors
from anynet.plots.trials import trials

__all__ = [
    "bands",
    "curves",
    "curves_of_members",
    "grid_map",
    "step_errors",
    "templates_of_members",
    "trials",
    "weights",
]
