"""Runs and sweeps that tests share, and pictures that cost nothing."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from commands import small
from few_images import use_few_images
from matplotlib.figure import Figure
from PIL import Image

from anynet.app import cli
from anynet.app.keeping import Picture
from anynet.app.run_folder import RunFolder, run_pictures
from anynet.app.run_report import own_pages
from anynet.app.sweep import sweep_folder
from anynet.app.sweep.sweep_folder import SweepFolder

WRITE_OWN_PAGE = own_pages.write_own_page
SWEEP = ["--seeds", "2", "--sweep", "lr=0.01,0.05", "--sweep", "l2=0,0.01", "--dtype", "float64"]


class Ended(NamedTuple):
    """A command that has ended: the folder it wrote, and what it printed."""

    folder: Path
    out: str
    err: str


@pytest.fixture(autouse=True)
def blank_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of runs are empty files, whose making takes longer than a small training."""
    _blank_pages(monkeypatch)


@pytest.fixture
def real_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of runs are made."""
    monkeypatch.setattr(own_pages, "write_own_page", WRITE_OWN_PAGE)


@pytest.fixture
def blank_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made but not rendered: what is saved is a picture of one pixel."""
    _blank_plots(monkeypatch)


@pytest.fixture
def no_plots(monkeypatch: pytest.MonkeyPatch, blank_plots: None) -> None:
    """Figures of runs and of sweeps are not even made, which takes longer than a small training."""
    for folder in (RunFolder, SweepFolder):

        def pictures(*args: Any, of: Callable[..., list[Picture]] = folder.pictures) -> list[Picture]:
            return [Picture(picture.path, Figure) for picture in of(*args)]

        monkeypatch.setattr(folder, "pictures", pictures)


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Ended:
    """A small run in double precision; not to be written to."""
    return _run(tmp_path_factory, "--dtype", "float64")


@pytest.fixture(scope="session")
def swept(tmp_path_factory) -> Ended:
    """A sweep of eight members in double precision, with real plots of the whole; not to be written to."""

    def pictures(*args: Any) -> list[Picture]:
        return [Picture(picture.path, Figure) for picture in run_pictures(*args)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_folder, "run_pictures", pictures)
        return _run(tmp_path_factory, *SWEEP)


@pytest.fixture(scope="session")
def seeded(tmp_path_factory) -> Ended:
    """A sweep of three seeds in double precision, with flips, without plots; not to be written to."""
    return _run(tmp_path_factory, "--seeds", "3", "--seed", "5", "--flip", "--dtype", "float64", blank=True)


def _run(tmp_path_factory, *flags: str, blank: bool = False) -> Ended:
    folder = tmp_path_factory.mktemp("shared")
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        for name in ("ANYNET_BACKEND", "ANYNET_DATA", "ANYNET_MIRROR"):
            patch.delenv(name, raising=False)
        use_few_images(patch, folder)
        _blank_pages(patch)
        if blank:
            _blank_plots(patch)
        cli.main(small(*flags))
    return Ended(folder / "out", out.getvalue(), err.getvalue())


def _blank_pages(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(own_pages, "write_own_page", lambda folder, file: file.touch())


def _blank_plots(patch: pytest.MonkeyPatch) -> None:
    def save(figure, file, **options) -> None:
        Image.new("RGB", (1, 1)).save(file, "PNG")

    patch.setattr(Figure, "savefig", save)
