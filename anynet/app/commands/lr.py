"""``anynet lr``."""

from pathlib import Path

from anynet.app.config import Config, Count, Positive, Quiet
from anynet.app.experiment import prepare
from anynet.app.new_folder import check_new_picture
from anynet.core.atomic import write_whole
from anynet.core.meter import announce, progress_shown
from anynet.training import find_rate


def lr(
    *,
    preset: str | None = None,
    low: Positive = 1e-6,
    high: Positive = 10.0,
    steps: Count = 100,
    plot: Path | None = None,
    quiet: Quiet = False,
    config: Config = Config(),  # noqa: B008
) -> None:
    """Find a learning rate.

    Parameters
    ----------
    preset
        Preset to start from, e.g. garcia-sanz/2, or a config.toml; other options override it.
    low
        First learning rate, above 0.
    high
        Last learning rate, unless the loss diverges before.
    steps
        Number of training steps, 10 or more.
    plot
        New image file for a plot of the loss over the learning rate.
    quiet
        Show no progress.
    """
    if plot is not None:
        check_new_picture(plot)
    with progress_shown(not quiet):
        experiment = prepare(config)
        announce(f"{experiment}")
        found = find_rate(
            experiment.net, experiment.data, experiment.optimizer, low=low, high=high, steps=steps,
            **experiment.settings.keywords,
        )  # fmt: skip
    end = "it diverges at" if found.diverged else "it does not diverge up to"
    print(f"--lr {found.suggestion:.2g}: there the loss falls fastest; {end} {found.rates[-1]:.2g}")
    if plot is not None:
        write_whole(plot, found.plot().savefig)
