"""The reports' gradient checks, repeated: a page of their results and those found here."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anynet import __version__, plots
from anynet.app.reports.checked_nets import SAMPLES, constant_statistics, deep, one_layer
from anynet.app.reports.overfitting import overfitting
from anynet.app.reports.page import Page, table
from anynet.core.meter import Meter
from anynet.data.dataset import TRAINING_BATCHES
from anynet.data.samples import Split
from anynet.data.sources import find
from anynet.gradcheck import METHODS, Subject, check, sweep
from anynet.gradcheck.differences import Element, difference


class Slopes(NamedTuple):
    """Slopes of a cost along all elements of an array.

    Attributes
    ----------
    analytical, numerical : ndarray of float64
        By the gradient and by differences, with the shape of the array.
    """

    analytical: NDArray[np.float64]
    numerical: NDArray[np.float64]

    @property
    def relative(self) -> float:
        """Largest relative error as the reports define it, |a - n| / (|a| + |n|)."""
        a, n = self
        return float(np.max(np.abs(a - n) / np.maximum(np.abs(a) + np.abs(n), np.finfo(float).eps)))


def slopes(subject: Subject, name: str, method: str, step: float) -> Slopes:
    """Return the slopes along every element, with one step for all, as in the reports.

    Parameters
    ----------
    subject : Subject
        Cost and gradients.
    name : str
        Name of the array.
    method : str
        Key of `anynet.gradcheck.METHODS`.
    step : float
        Step of the differences.

    Returns
    -------
    Slopes
    """
    x, analytical = subject.point[name], subject.gradients(subject.point)[name]
    f = subject.along(name)
    numerical = [difference(METHODS[method], f, x, Element(i), step) for i in np.ndindex(x.shape)]
    return Slopes(analytical.astype(np.float64), np.reshape(numerical, x.shape))


def garcia_sanz(batch: Split) -> str:
    """Return Tables 1 to 4 of García Sanz: the mean of analytical minus numerical gradient, in Markdown."""
    theirs = {
        ("first", 42): ("-1.0446e-06", "3.6931e-13", "-4.4142e-08", "-6.7654e-18"),
        ("first", 400): ("-1.0446e-06", "8.0251e-13", "-4.4675e-08", "-1.3323e-10"),
        ("random", 42): ("-1.0433e-06", "-1.2931e-12", "-4.3787e-08", "1.7764e-10"),
        ("random", 400): ("-1.0447e-06", "1.0916e-12", "-4.4587e-08", "-1.3323e-10"),
    }
    rows = []
    for number, ((which, seed), figures) in enumerate(theirs.items(), start=1):
        drawn = np.random.default_rng(seed).choice(len(batch), SAMPLES, replace=False)
        subject = one_layer(batch, np.arange(SAMPLES) if which == "first" else drawn, "standardize", 1.0, seed)
        for name, report in (("W", figures[:2]), ("b", figures[2:])):
            found = [slopes(subject, f"0.{name}", method, 1e-6) for method in ("finite", "central")]
            means = [f"{np.mean(a - n):.4e}" for a, n in found]
            rows.append([f"{number}: {which} {SAMPLES}, seed {seed}", name, report[0], means[0], report[1], means[1]])
    return table(["table", "", "finite, report", "finite, here", "central, report", "central, here"], rows)


def sneltvedt(batch: Split) -> str:
    """Return the largest absolute error of Sneltvedt, in Markdown."""
    subject = one_layer(batch, np.arange(SAMPLES), "standardize", 0.0, 42)
    rows = []
    for name in ("W", "b"):
        a, n = slopes(subject, f"0.{name}", "central", 1e-6)
        rows.append([name, "under 1e-07", f"{np.max(np.abs(a - n)):.1e}"])
    return table(["", "largest absolute error, report", "here"], rows)


def herrera_sarrias(batch: Split) -> str:
    """Return the largest relative errors of Herrera Sarrias, in Markdown."""
    subject = one_layer(batch, np.arange(1), "none", 0.0, 42)
    best = {method: check(subject, method=method, probes=10**6) for method in ("finite", "central")}
    rows = []
    for method, name, report in (
        ("finite", "W", "2.33e-07"),
        ("finite", "b", "2.33e-07"),
        ("central", "W", "7.21e-08"),
        ("central", "b", "1.32e-09"),
    ):
        raw = slopes(subject, f"0.{name}", method, 1e-6)
        with_noise = best[method].entries[f"0.{name}"].row()["largest relative error"]
        rows.append([method, name, report, f"{raw.relative:.2e}", f"{with_noise:.2e}"])
    return table(["differences", "", "report", "here, step 1e-6", "here, `gradcheck`"], rows)


def harish_kumar(batch: Split) -> str:
    """Return the errors of Harish Kumar, layer by layer, in Markdown."""
    theirs = {
        (False, 2): ("5.70e-04", "3.59e-09", "3.73e-09", "8.85e-10"),
        (False, 3): ("2.01e-03", "7.92e-08", "1.25e-07", "1.29e-08", "2.40e-08", "3.26e-09"),
        (True, 2): ("1.0", "1.0", "1.70e-08", "5.68e-09"),
        (True, 3): ("1.0", "1.0", "1.0", "1.0", "1.85e-08", "2.61e-09"),
        (True, 4): ("1.0", "1.0", "1.0", "1.0", "1.0", "1.0", "1.97e-07", "7.03e-09"),
    }
    rows = []
    for (batch_norm, depth), errors in theirs.items():
        result = check(deep(batch, depth, 0.0 if batch_norm else 0.01, batch_norm=batch_norm))
        constant = check(constant_statistics(batch, depth)).entries if batch_norm else {}
        reports = iter(errors)
        for name, entry in result.entries.items():
            rows.append(
                [
                    f"{depth} layers, {'with' if batch_norm else 'without'}",
                    name,
                    next(reports) if name.split(".")[-1] in ("W", "b") else "",
                    f"{constant[name].relative.max():.1e}" if name in constant else "",
                    f"{entry.relative.max():.1e}",
                    f"{np.max(np.abs(entry.analytical)):.1e}, {np.max(np.abs(entry.numerical)):.1e}",
                    "yes" if entry.passed else "no",
                ]
            )
    header = [
        "net",
        "array",
        "relative error, report",
        "constant statistics",
        "here",
        "largest gradient: analytical, numerical",
    ]
    return table([*header, "passes"], rows)


def gradient_page(data: str, folder: Path, note: str) -> None:
    """Write the page.

    Parameters
    ----------
    data : str
        As for ``--data``; the first images of data_batch_1 are used.
    folder : Path
        Folder for the page.
    note : str
        Description of the images.
    """
    name, batches = find(data)
    if TRAINING_BATCHES[0] not in batches.sizes:
        raise ValueError(f"--data: expected images in CIFAR-10's files, as the reports have them, got {name}")
    batch = batches.splits[TRAINING_BATCHES[0]]
    page = Page(folder, "Gradient checks")
    steps = [10 ** (-i / 2) for i in range(2, 25)]
    checks = {
        "garcia_sanz": garcia_sanz,
        "sneltvedt": sneltvedt,
        "herrera_sarrias": herrera_sarrias,
        "harish_kumar": harish_kumar,
    }
    with Meter(total=2 + len(checks), unit="check", desc="gradient checks") as meter:

        def begin(what: str) -> None:
            meter.show(what)
            meter.say(f"gradient checks: {what}")
            meter.bar.update()

        begin("steps of differences")
        page.save("steps", plots.step_errors(steps, sweep(deep(batch, 4, 0.0, batch_norm=True), steps)))
        begin("overfitting a few images")
        overfitted, curves = overfitting(name, batches)
        page.save("overfitting", curves)
        tables = {}
        for report, check in checks.items():
            begin(report.replace("_", "-"))
            tables[report] = check(batch)
    text = Path(__file__).with_suffix(".md").read_text(encoding="utf-8")
    page.add(
        text.format(
            images=f"data_batch_1 of {note}, {len(batch):,} images",
            versions=f"anynet {__version__}, NumPy {np.__version__}",
            overfitting=table(*overfitted),
            **tables,
        ).strip()
    )
    page.write()
