"""Progress of commands: lines where stderr is no terminal, a bar on one, nothing with --quiet."""

import itertools
import re
import sys

import pytest
from commands import small
from terminals import Terminal

from anynet.app import cli
from anynet.core import meter

pytestmark = pytest.mark.usefixtures("few_pictures", "no_plots")

FEW = ["--data", "synthetic", "--train", "400", "--val", "100"]
TRAIN = small("--data", "synthetic", "--hidden", "5")
CHECK = ["gradcheck", *FEW, "--hidden", "5", "--probes", "5"]
SEARCH = ["search", *FEW, "--hidden", "5", "--epochs", "1", "--over", "lr=0.01,0.1", "--out", "out"]
RATE = ["lr", *FEW, "--batch-size", "50", "--hidden", ""]


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        (
            TRAIN,
            [r"synthetic: .*; results in out", r"epoch 1/2: loss .*, accuracy .*%, validation .*%, ", "epoch 2"],
        ),
        ([*TRAIN, "--seeds", "2"], [r".*; 2 members; results in out", r"epoch 1/2 of 2 members: ", "epoch 2/2 of 2"]),
        (RATE, ["synthetic: "]),
        (SEARCH, ["2 trials", r"1/2: coarse 1, validation \d+.\d\d%: lr 0.01", r"2/2: coarse 2, .*: lr 0.1"]),
    ],
    ids=["train", "seeds", "lr", "search"],
)
def test_lines_unless_quiet(capsys, tmp_path, command, lines):
    cli.main(command)
    said = capsys.readouterr()
    for pattern, line in zip(lines, said.err.splitlines(), strict=True):
        assert re.match(pattern, line)
    if "out" in command:
        (tmp_path / "out").rename(tmp_path / "before")
    cli.main([*command, "--quiet"])
    again = capsys.readouterr()
    assert again.err == ""
    assert len(again.out.splitlines()) == len(said.out.splitlines())


def test_a_long_check_says_where_it_is(monkeypatch, capsys):
    monkeypatch.setattr(meter, "monotonic", itertools.count().__next__)
    cli.main(CHECK)
    said = capsys.readouterr().err.splitlines()
    assert said[:6] == [
        *(f"array 0.W, 1 of 7: {i} of 5 probes" for i in range(1, 6)),
        "array 0.b, 2 of 7: 1 of 5 probes",
    ]
    cli.main([*CHECK, "--quiet"])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("columns", [50, 80])
def test_a_training_fits_the_terminal(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", f"{columns}")
    streams = {name: Terminal() for name in ("stdout", "stderr")}
    for name, stream in streams.items():
        monkeypatch.setattr(sys, name, stream)
    cli.main(TRAIN)
    lines = [line for stream in streams.values() for line in stream.lines]
    assert max(map(len, lines)) <= columns
    assert any(re.search(r"2/2: .*\d\d\.\d%$", line) for line in lines)
    said = " ".join(" ".join(lines).split())
    assert re.search(r"test accuracy \d\d\.\d\d% after epoch 2, the last", said)
    assert "400 training, 100 validation and 100 test images" in said
    assert said.count("results in out") == 2


def test_the_bar_of_a_search_shows_the_best_trial(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    cli.main([*SEARCH, "--over", "l2=1e-5..1e-2", "--over", "momentum=0.5..0.9", "--trials", "2"])
    assert max(map(len, terminal.lines)) <= 80
    (last,) = (line for line in terminal.lines[-2:] if line)
    assert re.search(r"^100%.*, best \d+\.\d%: l2 \S+, lr 0\.\d+, momentum 0\.\d+$", last)


def test_the_data_set_may_be_given_as_to_train(capsys):
    said = []
    for words in (["synthetic"], ["--data", "synthetic"]):
        cli.main(["data", *words])
        said.append(capsys.readouterr())
    assert said[0] == said[1]
    assert "test_batch: 100 images" in said[0].out
