"""Nets and results in short lines."""

from types import SimpleNamespace

import pytest

from anynet import Linear, ReLU, Sequential
from anynet.core.epoch import Epoch
from anynet.core.history import History
from anynet.training.evaluate import Metrics
from anynet.training.run import Run
from anynet.training.run_text import net_in_short, results_in_short
from anynet.training.snapshot import Snapshot


def run(best, last, test=True, **ends):
    """A run without parameters."""
    history = History(Epoch(i, 0.1, 1.0, 1.0, 0.5, 1.0, 1.0, 0.5 - abs(i - best), 1.0) for i in range(1, last + 1))
    tests = [Metrics(1.5, 1.403, 0.5531), Metrics(1.6, 1.411, 0.549)] if test else [None, None]
    return Run(
        net=Sequential(Linear(6, 5), ReLU(), Linear(5, 3)), backend=SimpleNamespace(name="numpy"), dtype="float32",
        seed=1, dataset="data", classes=("a", "b", "c"), shape=(6,), history=history, last=Snapshot(last, None, {}),
        best=Snapshot(best, None, {}), normalization=None, test=tests[1], best_test=tests[0], seconds=1.0,
        execution="plain steps", **ends,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (run(2, 4), "best epoch 2 of 4: test accuracy 55.31%, loss 1.403; after the last: 54.90%, loss 1.411"),
        (run(4, 4), "ended after epoch 4, the best: test accuracy 54.90%, loss 1.411"),
        (run(2, 4, test=False, interrupted=True), "best epoch 2 of 4, interrupted"),
        (run(2, 4, test=False, stopped_early=True), "best epoch 2 of 4, stopped early"),
        (run(2, 4, test=False, diverged=Exception("a reason")), "best epoch 2 of 4, diverged"),
    ],
)
def test_titles_of_runs_have_net_and_results(made, expected):
    assert made.title == f"data: 6-5-3, ReLU\n{expected}"
    assert made.plot().get_suptitle() == made.title


def test_results_without_validation():
    text = results_in_short(8, None, [None, (None, 0.25)], "interrupted")
    assert text == "interrupted after epoch 8: test loss 0.25"


def test_of_many_kinds_of_layers_the_first_are_named():
    from anynet import nn

    net = nn.nets.airbench94((3, 32, 32), 10)
    assert net_in_short(net).endswith(f"; {net.n_parameters:,} parameters")
    assert len(net_in_short(net)) < 120
