"""Error of difference quotients over their step."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from anynet.plots.style import figure, legend_below, styled


@styled()
def step_errors(steps: Sequence[float], errors: Mapping[str, NDArray[np.float64]]) -> Figure:
    """Draw the relative error of difference quotients over their step, with a line for each method.

    Parameters
    ----------
    steps : sequence of float, length S
        Steps of the differences.
    errors : mapping of str to ndarray, shape (S,)
        As returned by `anynet.gradcheck.sweep`.

    Returns
    -------
    Figure
    """
    made = figure(6.4, 3.4, "Error of differences: of rounding at small steps, of truncation at large ones")
    axes = made.subplots()
    for method, values in errors.items():
        axes.loglog(steps, values, marker=".", label=method)
    axes.set(xlabel="step", ylabel="relative error of the gradient")
    legend_below(made)
    return made
