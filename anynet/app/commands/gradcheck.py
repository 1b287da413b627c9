"""``anynet gradcheck``."""

import sys
from pathlib import Path
from typing import Literal

import rich
from rich.text import Text

from anynet import plots
from anynet.app.config import CheckConfig, Count, Positive
from anynet.app.experiment import gradient_subject
from anynet.gradcheck import check, sweep


def gradcheck(
    config: CheckConfig = CheckConfig(),  # noqa: B008
    *,
    preset: str | None = None,
    samples: Count = 20,
    method: Literal["central", "finite", "directional"] = "central",
    step: Positive | None = None,
    tolerance: Positive | None = None,
    probes: Count | None = None,
    csv: Path | None = None,
    plot: Path | None = None,
) -> None:
    """Prove a net's gradients by differences of its cost, layer by layer; exit code 1 where one is wrong.

    Parameters
    ----------
    preset:
        As for train.
    samples:
        How many training images the cost is taken over, from the front.
    method:
        central or finite (one-sided) differences of single elements, or central ones along random directions.
    step:
        Of the differences. Default: where rounding and truncation cost the same, for each array.
    tolerance:
        The largest relative error that passes. Default: 1e-6, and 1e-4 for finite.
    probes:
        How many elements, or directions, of each array are compared. Default: 1,000, or 10.
    csv:
        File to write the table into, a new one.
    plot:
        Picture of the error by step, for each method, a new one.
    """
    for path in (csv, plot):
        if path is not None and path.exists():
            raise FileExistsError(f"{path} is there already, and is not overwritten; choose another")
        if path is not None and not path.parent.is_dir():
            raise FileNotFoundError(f"{path.parent} is no folder, and {path.name} was to go into it")
    subject = gradient_subject(config, samples)
    result = check(subject, method=method, step=step, tolerance=tolerance, probes=probes, seed=config.seed)
    table = Text(str(result))
    table.highlight_words(["✓"], "green")
    table.highlight_words(["✗"], "red")
    rich.get_console().print(table, soft_wrap=True)
    if csv is not None:
        result.write_csv(csv)
    if plot is not None:
        steps = [10 ** (-i / 2) for i in range(2, 25)]
        plots.step_errors(steps, sweep(subject, steps, seed=config.seed)).savefig(plot)
    if not result.passed:
        sys.exit(1)
