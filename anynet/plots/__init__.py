"""Pictures of nets and their training. Each function returns a Matplotlib figure."""

import os
import sys
from contextlib import suppress
from importlib.util import find_spec

from anynet.core.extras import install_command

if find_spec("matplotlib") is None:  # the core of anynet does without it
    raise ModuleNotFoundError(f"plots need matplotlib; install it with: {install_command('app')}", name="matplotlib")

if "matplotlib" not in sys.modules:
    # Notebooks set MPLBACKEND for the programs that they start, too. Where Matplotlib has no such backend, it cannot be
    # imported; figures are saved without one.
    chosen = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib
    finally:
        if chosen is not None:
            os.environ["MPLBACKEND"] = chosen
    if chosen:
        with suppress(ValueError):
            matplotlib.rcParams["backend"] = chosen

from matplotlib.figure import Figure

from anynet.plots.class_bars import class_bars
from anynet.plots.confused_images import confused_images
from anynet.plots.confusion_matrix import confusion_matrix
from anynet.plots.convolution_kernels import convolution_kernels
from anynet.plots.curves import bands, curves, curves_of_members
from anynet.plots.feature_maps import feature_maps
from anynet.plots.first_layer import templates_of_members, weights
from anynet.plots.grid_map import grid_map
from anynet.plots.mistake_tiles import mistake_tiles
from anynet.plots.predicted_numbers import predicted_numbers
from anynet.plots.rate_curve import rate_curve
from anynet.plots.reliability import reliability
from anynet.plots.step_errors import step_errors
from anynet.plots.style import STYLE
from anynet.plots.trials import trials

__all__ = [
    "STYLE",
    "Figure",
    "bands",
    "class_bars",
    "confused_images",
    "confusion_matrix",
    "convolution_kernels",
    "curves",
    "curves_of_members",
    "feature_maps",
    "grid_map",
    "mistake_tiles",
    "predicted_numbers",
    "rate_curve",
    "reliability",
    "step_errors",
    "templates_of_members",
    "trials",
    "weights",
]
