"""``anynet gradcheck``."""

import sys
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.text import Text

from anynet.app.config import CheckConfig, Count, Positive, Quiet
from anynet.app.gradient_subject import gradient_subject
from anynet.app.new_folder import check_new_file, check_new_picture
from anynet.core.atomic import write_whole
from anynet.core.meter import progress_shown
from anynet.gradcheck import check, sweep


def gradcheck(
    *,
    preset: str | None = None,
    samples: Count = 20,
    method: Literal["central", "finite", "directional"] = "central",
    step: Positive | None = None,
    tolerance: Positive | None = None,
    probes: Count | None = None,
    csv: Path | None = None,
    plot: Path | None = None,
    quiet: Quiet = False,
    config: CheckConfig = CheckConfig(),  # noqa: B008
) -> None:
    """Check a net's gradients, layer by layer, against finite differences of its cost.

    The exit code is 1 if a gradient is wrong.

    Parameters
    ----------
    preset
        Preset to start from, e.g. garcia-sanz/2, or a config.toml; other options override it.
    samples
        Number of training images, taken from the front.
    method
        Differences: central or finite (one-sided), element by element, or directional (central, along random
        directions).
    step
        Step of the differences, above 0. Default: the best for each array.
    tolerance
        Largest relative error that passes, above 0. Default: 1e-6, or 1e-4 for finite.
    probes
        Elements (or directions) of each array to compare, drawn at random. Default: 1000 (or 10).
    csv
        New file for the table.
    plot
        New image file for a plot of the error over the step, for each method.
    quiet
        Show no progress.
    """
    if csv is not None:
        check_new_file(csv)
    if plot is not None:
        check_new_picture(plot)
    with progress_shown(not quiet):
        subject = gradient_subject(config, samples)
        result = check(
            subject, method=method, step=step, tolerance=tolerance, probes=probes, seed=config.seed, progress=None
        )
    table = Text(str(result))
    table.highlight_words(["✓"], "green")
    table.highlight_words(["✗"], "red")
    Console().print(table, soft_wrap=True)
    if csv is not None:
        result.write_csv(csv)
    if plot is not None:
        from anynet import plots  # here, because Matplotlib is slow to import

        steps = [10 ** (-i / 2) for i in range(2, 25)]
        with progress_shown(not quiet):
            errors = sweep(subject, steps, seed=config.seed, progress=None)
        write_whole(plot, plots.step_errors(steps, errors).savefig)
    if not result.passed:
        sys.exit(1)
