"""Trials as a sequence, with importances, a table and a picture."""

import io

import pytest
import rich.console

from anynet.app.search import Grid, Range, Trial, Trials
from anynet.app.search.samplers import known_points
from anynet.app.search.trial import rank
from anynet.app.space import convert_space

SPACE = convert_space({
    "lr": Range(1e-4, 1.0), "l2": Range(1e-5, 1e-1), "flip": Grid((True, False)), "seed": Grid((7,)),
})  # fmt: skip


def trial(number, settings, accuracy, state="finished", stage="coarse"):
    test = accuracy if state == "finished" else None
    return Trial(number, stage, "digits", state, settings, accuracy, 1, accuracy, accuracy, test, 1.0, "")


def drawn(count, accuracy, state=lambda point: "finished"):
    points = known_points("qmc", SPACE, count, 0, 0)
    found = [trial(k, point, accuracy(point), state(point)) for k, point in enumerate(points, start=1)]
    return Trials(tuple(rank(found)), SPACE)


def shown(trials):
    console = rich.console.Console(file=io.StringIO(), width=120)
    console.print(trials.table())
    return console.file.getvalue()


def test_the_setting_that_matters_is_the_most_important():
    found = drawn(32, lambda point: 0.9 - abs(SPACE["lr"].fraction(point["lr"]) - 0.5))
    shares = found.importances()
    assert next(iter(shares)) == "lr"
    assert shares["lr"] > 0.7
    assert sum(shares.values()) == pytest.approx(1)
    assert set(shares) == set(SPACE)
    assert shares["seed"] == 0


def test_pruned_and_diverged_trials_are_among_the_worse_whatever_they_reached():
    def state(point):
        share = SPACE["l2"].fraction(point["l2"])
        return "pruned" if share > 0.75 else "diverged" if share > 0.5 else "finished"

    found = drawn(32, lambda point: 0.5 if state(point) == "finished" else 0.9, state)
    assert next(iter(found.importances())) == "l2"


def test_of_few_trials_or_of_other_ranges_nothing_is_said():
    few = drawn(9, lambda point: point["lr"])
    assert few.importances() == {}
    fine = tuple(each._replace(stage="fine") for each in few)
    assert Trials((*few, *fine), SPACE).importances() == {}


def test_a_sequence():
    found = drawn(4, lambda point: point["lr"])
    assert found.best is found[0] is next(iter(found))
    assert found[1:] == Trials(found.trials[1:], SPACE)
    with pytest.raises(ValueError, match="there are no trials"):
        _ = found[:0].best


def test_stages_and_states_are_in_the_table_where_they_differ():
    settings = {"lr": 0.123456, "hidden": "50,30"}
    plain = shown(Trials((trial(1, settings, 0.5), trial(2, settings, 0.4)), SPACE))
    assert plain.split("\n")[1].split() == ["trial", "lr", "hidden", "validation", "epoch", "test"]
    both = (trial(2, settings, 0.5, stage="fine"), trial(1, settings, 0.4, "pruned"))
    _, header, _, first, second = shown(Trials(both, SPACE)).splitlines()
    assert header.split() == ["stage", "trial", "lr", "hidden", "validation", "epoch", "test", "state"]
    assert first.split() == ["fine", "2", "0.123", "50,30", "50.00%", "1", "50.00%"]
    assert second.split() == ["coarse", "1", "0.123", "50,30", "40.00%", "1", "pruned"]
