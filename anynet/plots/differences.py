"""How well differences agree with a gradient."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from numpy.typing import NDArray


def step_errors(steps: Sequence[float], errors: Mapping[str, NDArray]) -> Figure:
    """The relative error of differences over their step, a line for each method."""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for method, values in errors.items():
        axes.loglog(steps, values, marker=".", label=method)
    axes.set(xlabel="step", ylabel="relative error of the gradient", title="Differences: rounding, then truncation")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
