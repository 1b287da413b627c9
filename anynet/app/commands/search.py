"""``anynet search``."""

from dataclasses import replace
from pathlib import Path

from rich import print as show

from anynet.app import search as searching
from anynet.app.config import Config, Count
from anynet.app.grouping import TOGETHER
from anynet.app.search.over import parse
from anynet.app.search.table import table


def search(
    config: Config = Config(),  # noqa: B008
    *,
    over: list[str],
    out: Path,
    preset: str | None = None,
    trials: Count | None = None,
    fine: Count | None = None,
    fine_epochs: Count | None = None,
    fine_train: str | None = None,
    prune: bool = True,
    together: Count = TOGETHER,
) -> None:
    """Search over settings: train for each point of a grid, or for random ones, and rank what comes out.

    The same command, given again or elsewhere at the same time, goes on with the folder's search.

    Parameters
    ----------
    over:
        A setting to search, once for each: lr=0.001,0.01 for values (with + for a comma, as in hidden=50+30,100),
        l2=1e-5..1e-1 for a range drawn from evenly over the logarithm, momentum=0.5..0.99..linear for one drawn from
        evenly.
    out:
        Folder for the results.
    preset:
        As for train.
    trials:
        How many points to draw, where there is a range.
    fine:
        How many points to draw after that, in ranges around the best three.
    fine_epochs:
        Epochs of these. Default: the same.
    fine_train:
        Training images of these, as for --train. Default: the same.
    prune:
        Give up trials whose validation accuracy stays below the median of the others.
    together:
        Trials that are trained at once, as one stack of nets, where they differ in nothing but rate, schedule, warm-up,
        momentum, penalty and initialisation.
    """
    if fine is None and (fine_epochs or fine_train):
        raise ValueError("--fine-epochs and --fine-train are for the trials of --fine; give their number")
    later = replace(config, epochs=fine_epochs or config.epochs, train=fine_train or config.train)
    stage = None if fine is None else searching.Fine(fine, base=later)
    try:
        ranked = searching.search(
            config, parse(over), out, trials=trials, fine=stage, prune=prune, seed=config.seed, together=together
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped by hand; the same command goes on with {out}") from None
    show(table(ranked))
    print(f"results in {out}")
