"""The command line: ``python train.py`` and ``python -m anynet``."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from cyclopts import App, ArgumentCollection
from cyclopts.config import Dict

import anynet
from anynet.backends import DTYPES, BackendError
from anynet.backends.base import first_line
from anynet.config import CheckConfig, Config, Count, Positive
from anynet.reports import preset as find_preset
from anynet.training import DivergedError


def fill_from_preset(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Where a preset is named, its settings take the place of those that were not given."""
    for argument in arguments:
        if argument.name == "--preset" and argument.tokens:
            settings, file = find_preset(argument.tokens[0].value)
            Dict({commands[0]: settings}, source=file)(app, commands, arguments)


app = App(
    name="anynet",
    help=anynet.__doc__,
    version=anynet.__version__,
    config=fill_from_preset,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)


@app.command
def train(config: Config = Config(), *, run: Path | None = None, preset: str | None = None) -> None:  # noqa: B008
    """Train a classifier of CIFAR-10's images.

    Parameters
    ----------
    preset:
        A report's configuration to start from, as in garcia-sanz/2; what else is given goes on top.
    run:
        Folder for the results, a new one. Default: runs/ and the time.
    """
    from anynet.experiment import train as run_experiment

    _, folder, result = run_experiment(config, run)
    print(
        f"{'stopped by hand; ' if result['interrupted'] else ''}{result['dataset']}, {result['backend']} on "
        f"{result['device']}: test accuracy {result['test_accuracy']:.2%} after epoch {result['epochs']}, "
        f"{result['best_test_accuracy']:.2%} after epoch {result['best_epoch']}, the best in validation; "
        f"{result['seconds']:.0f} s; results in {folder}"
    )


@app.command
def backends() -> None:
    """Which array libraries can be used here, with their devices and memory, or what would mend those that cannot."""
    from anynet.backends.table import table

    table()


@app.command
def data(source: str = "auto") -> None:
    """Find, download and check the images.

    Parameters
    ----------
    source:
        As for train's --data: auto, cifar10, synthetic, or a folder or archive.
    """
    from anynet.data.sources import find

    name, batches = find(source)
    print(f"{name}, {'the official files' if batches.official else 'not the official files'}")
    for file, part in batches.splits.items():
        print(f"{file}: {len(part)} images")


@app.command
def gradcheck(
    config: CheckConfig = CheckConfig(),  # noqa: B008
    *,
    preset: str | None = None,
    samples: Count = 20,
    method: Literal["finite", "centred", "directional"] = "centred",
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
        One-sided or centred differences, element by element, or centred ones along random directions.
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
    from rich import print as show

    from anynet import plots
    from anynet.experiment import gradient_subject
    from anynet.gradcheck import check, sweep

    for path in (csv, plot):
        if path is not None and path.exists():
            raise FileExistsError(f"{path} is there already, and is not overwritten; choose another")
    subject = gradient_subject(config, samples)
    result = check(subject, method=method, step=step, tolerance=tolerance, probes=probes, seed=config.seed)
    show(result)
    if csv is not None:
        result.write_csv(csv)
    if plot is not None:
        steps = [10 ** (-i / 2) for i in range(2, 25)]
        plots.step_errors(steps, sweep(subject, steps, seed=config.seed)).savefig(plot)
    if not result.passed:
        sys.exit(1)


@app.command
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
    """
    from rich import print as show

    from anynet import search as searching
    from anynet.search.over import parse
    from anynet.search.table import table

    if fine is None and (fine_epochs or fine_train):
        raise ValueError("--fine-epochs and --fine-train are for the trials of --fine; give their number")
    later = replace(config, epochs=fine_epochs or config.epochs, train=fine_train or config.train)
    stage = None if fine is None else searching.Fine(fine, base=later)
    try:
        ranked = searching.search(config, parse(over), out, trials=trials, fine=stage, prune=prune, seed=config.seed)
    except KeyboardInterrupt:
        sys.exit(_fail(f"stopped by hand; the same command goes on with {out}", 130))
    show(table(ranked))
    print(f"results in {out}")


@app.command
def predict(run: Path, *images: Path, backend: str | None = None) -> None:
    """Name the class of image files by a trained net.

    Parameters
    ----------
    run:
        Folder of a run.
    images:
        Image files; the middle square of each is taken, at 32 x 32 pixels.
    backend:
        As for train.
    """
    import numpy as np

    from anynet.prediction import load_run, read_image

    if not images:
        raise ValueError(f"predict {run}: name an image file at least")
    predictor = load_run(run, anynet.backend(backend))
    rows = np.stack([read_image(path) for path in images])
    for path, chances in zip(images, predictor(rows), strict=True):
        best = np.argsort(-chances)[:3]
        names = ", ".join(f"{predictor.classes[i]} {chances[i]:.0%}" for i in best)
        print(f"{path}: {names}" + (f" (trained on {predictor.dataset})" if predictor.dataset != "cifar10" else ""))


@app.command
def presets() -> None:
    """The reports' configurations, by the names that --preset takes, with what each report claims."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from anynet.reports import recipes, reports

    table = Table("preset", "settings", "claimed", box=box.SIMPLE_HEAD)
    for report in (*reports().values(), recipes()):
        table.add_row(f"[bold]{report.name}[/]", f"[bold]{report.title}[/] ({report.author})")
        for name, configuration in report.configurations.items():
            shared = report.shared if len(report.configurations) > 1 else {}
            own = {key: value for key, value in configuration.settings.items() if key not in shared}
            settings = ", ".join(f"{key} {value}" for key, value in own.items())
            claims = [f"{key.replace('_', ' ')} {value:.2%}" for key, value in configuration.claims.items()]
            prefix = "" if report == recipes() else f"{report.name}/"
            table.add_row(f"{prefix}{name}", settings, "\n".join(claims))
    Console().print(table)


@app.command
def reproduce(
    *reports: str,
    out: Path = Path("reproduced"),
    data: str = "auto",
    backend: str | None = None,
    dtype: Literal[DTYPES] = "float32",  # type: ignore[valid-type]
    quick: bool = False,
    jobs: Count | None = None,
    note: str = "the images given",
) -> None:
    """Do again what the reports did, and write a page for each: claimed beside measured. Goes on where it was stopped.

    Parameters
    ----------
    reports:
        Which; all by default. python -m anynet presets lists them.
    out:
        Folder for runs and pages, a new one or one to go on with.
    data, backend, dtype:
        As for train.
    quick:
        Only a few images, epochs and seeds, to see that everything works.
    jobs:
        Runs at a time, each with one thread. Default: as many as there are cores with numpy, 1 with another backend.
    note:
        What to call the images on the pages.
    """
    from anynet.reports.reproduce import reproduce as run_reports

    chosen = anynet.backend(backend)
    base = {"data": data, "dtype": dtype} | ({} if backend is None else {"backend": backend})
    jobs = jobs or (os.cpu_count() or 1 if chosen.name == "numpy" else 1)
    run_reports(reports, out, base=base, quick=quick, jobs=jobs, note=note)
    print(f"{out / 'README.md'}, and {out / 'index.html'}, lead to the pages")


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command line. What a user can mend ends in one line on stderr and exit code 2."""
    try:
        app(tokens)
    except (BackendError, DivergedError, OSError, ValueError) as error:  # DataError and DownloadError are among them
        sys.exit(_fail(str(error), 2))
    except MemoryError as error:
        sys.exit(_fail(f"out of memory: {first_line(error)}; a smaller net, batch or --memory-budget may fit", 2))
    except KeyboardInterrupt:
        sys.exit(_fail("stopped by hand before there was anything to keep", 130))


def _fail(message: str, code: int) -> int:
    print(f"anynet: {message}", file=sys.stderr)
    return code
