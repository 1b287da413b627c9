"""Code and commands in the documentation run, and its links lead somewhere."""

import importlib.util
import re
import shlex
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
import submitit
from cyclopts import App

import anynet as an
from anynet.app import cli
from anynet.app.config import Config
from anynet.app.config_file import write_config

ROOT = Path(__file__).parents[2]
GENERATED = ("_build", "auto_gallery", "generated")
"""Folders in docs that ``make docs`` makes."""
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks" / "README.md")
    if not set(GENERATED) & set(page.parts)
)
COMMAND = re.compile(r"(?:[A-Z_]+=\S+ )*python (?:train\.py|-m (anynet|benchmarks(?:\.\w+)?))(.*)")


def named(page):
    return str(page.relative_to(ROOT))


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands():
    for page in PAGES:
        for line in page.read_text(encoding="utf-8").splitlines():
            if line.startswith("    ") and (found := COMMAND.fullmatch(line.strip())):
                yield pytest.param(found[1], found[2].partition("  #")[0], id=f"{named(page)}: {line.strip()[:60]}")


@pytest.mark.slow
@pytest.mark.usefixtures("few_pictures")
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, with PyTorch
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=named)
def test_python_blocks_run(page, monkeypatch):
    for setting, value in {"train": "400", "val": "100", "hidden": "20"}.items():
        monkeypatch.setitem(Config.__init__.__kwdefaults__, setting, value)
    few = partial(an.data.synthetic, train=400, val=100)
    monkeypatch.setattr(an.data, "cifar10", few)
    monkeypatch.setattr(an.data, "synthetic", few)
    monkeypatch.setattr(submitit.SlurmExecutor, "affinity", lambda: -1)  # no jobs of a cluster's that tests run on
    names = {"__name__": "documentation"}
    for block in blocks(page):
        if "anynet.sklearn" in block and not importlib.util.find_spec("sklearn"):
            continue
        if "submitit." in block and sys.platform == "win32":  # its jobs need signals of POSIX
            continue
        exec(compile(block, named(page), "exec"), names)


@pytest.mark.parametrize(("module", "arguments"), list(commands()))
def test_commands_are_understood(module, arguments, tmp_path, monkeypatch):
    """They are parsed, not run."""
    for run in ("runs/mine", "runs/20261121-120000", "RUN"):
        (tmp_path / run).mkdir(parents=True)
        write_config(Config(), tmp_path / run / "config.toml")
    monkeypatch.chdir(tmp_path)
    tokens = shlex.split(arguments.partition(" > ")[0])  # the shell's
    if module is None:
        tokens = ["train", *tokens]
    if module in (None, "anynet"):
        cli.app.parse_args(tokens, print_error=False, exit_on_error=False)
        return
    if module in ("benchmarks.faults", "benchmarks.peak_memory"):
        pytest.importorskip("resource", reason="a command for POSIX systems")
    try:
        command = import_module(f"{module}.__main__").main
    except ModuleNotFoundError:
        command = import_module(module).main
    App(default_command=command).parse_args(tokens, print_error=False, exit_on_error=False)


@pytest.mark.parametrize("page", [page for page in PAGES if page.is_relative_to(ROOT / "docs")], ids=named)
def test_code_fits_the_page(page):
    """Beside the menu and the contents of a page, in a window of 1280 pixels, 88 columns do not scroll."""
    lines = [line for block in blocks(page) for line in block.splitlines()]
    lines += [line[4:] for line in page.read_text(encoding="utf-8").splitlines() if COMMAND.fullmatch(line.strip())]
    assert [line for line in lines if len(line) > 88] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)", text):
        made = target.removeprefix("../").startswith("auto_gallery/")
        assert "://" in target or made or (page.parent / target).exists(), target
