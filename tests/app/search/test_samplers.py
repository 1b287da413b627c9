"""Points that are tried."""

import itertools
import math
import re

import numpy as np
import pytest
from optuna.trial import create_trial

from anynet.app.search import Grid, Range
from anynet.app.search.samplers import (
    MOST_CORNERS,
    choose_sampler,
    corners,
    distributions,
    known_points,
    propose,
)
from anynet.app.space import convert_space

SPACE = convert_space({"lr": Range(1e-4, 1.0), "norm": Grid(("batch", "none"))})
both = pytest.mark.parametrize("sampler", ["qmc", "random"])


def test_a_grid_is_the_product():
    space = convert_space(
        {"lr": Grid((0.1, 0.01)), "activation": Grid(("relu", "tanh")), "batch_size": Grid((10, 20, 30))}
    )
    tried = known_points("grid", space, None, seed=1, stage=0)
    wanted = itertools.product((0.1, 0.01), ("relu", "tanh"), (10, 20, 30))
    assert len(tried) == 12
    assert {(p["lr"], p["activation"], p["batch_size"]) for p in tried} == set(wanted)


def distance(sample, cdf):
    """Kolmogorov's and Smirnov's: how far the share of numbers up to x is from the wanted one, at most."""
    x, n = np.sort(sample), len(sample)
    steps = np.arange(n + 1) / n
    return max(np.max(steps[1:] - cdf(x)), np.max(cdf(x) - steps[:-1]))


@both
def test_draws_are_even_over_the_logarithm_or_over_the_range(sampler):
    space = convert_space({"l2": Range(1e-5, 1e-1), "momentum": Range(0.5, 0.9, log=False)})
    tried = known_points(sampler, space, 4000, seed=1, stage=0)
    l2, momentum = (np.array([p[name] for p in tried]) for name in ("l2", "momentum"))
    bound = 1.95 / math.sqrt(4000)  # passed once in a thousand
    assert distance(l2, lambda x: (np.log10(x) + 5) / 4) < bound
    assert distance(momentum, lambda x: (x - 0.5) / 0.4) < bound
    assert distance(l2, lambda x: (x - 1e-5) / (1e-1 - 1e-5)) > 0.5
    assert abs(np.corrcoef(np.log(l2), momentum)[0, 1]) < 4 / math.sqrt(4000)


@both
def test_whole_numbers_are_even_too(sampler):
    space = convert_space({"crop": Range(0, 4, log=False), "batch_size": Range(1, 1000)})
    tried = known_points(sampler, space, 5000, seed=1, stage=0)
    crops = np.bincount([p["crop"] for p in tried])
    assert crops.tolist() == pytest.approx([1000] * 5, abs=4 * math.sqrt(800))
    sizes = [p["batch_size"] for p in tried]
    assert all(type(size) is int and 1 <= size <= 1000 for size in sizes)
    assert np.mean(np.array(sizes) <= 31) == pytest.approx(0.53, abs=0.04)  # log(31.5 / 0.5) / log(1000.5 / 0.5)


@both
def test_values_among_ranges_are_drawn_too(sampler):
    tried = known_points(
        sampler, convert_space({"lr": Range(1e-3, 1e-1), "flip": Grid((True, False))}), 400, seed=1, stage=0
    )
    assert sum(p["flip"] is True for p in tried) == pytest.approx(200, abs=40)


@both
def test_draws_depend_on_seed_and_stage_alone(sampler):
    one = convert_space({"lr": Range(1e-3, 1e-1), "l2": Range(1e-5, 1e-1)})
    other = convert_space({"l2": Range(1e-5, 1e-1), "lr": Range(1e-3, 1e-1)})
    assert (
        known_points(sampler, one, 5, seed=1, stage=0)
        == known_points(sampler, other, 5, seed=1, stage=0)
        == known_points(sampler, one, 9, seed=1, stage=0)[:5]
    )
    assert known_points(sampler, one, 5, seed=1, stage=0) != known_points(sampler, one, 5, seed=2, stage=0)
    assert known_points(sampler, one, 5, seed=1, stage=0) != known_points(sampler, one, 5, seed=1, stage=1)


def test_any_eight_in_order_cover_every_range():
    """One of eight draws, from the first, the ninth and so on, is in each eighth of each range."""
    space = convert_space({"l2": Range(1e-5, 1e-1), "lr": Range(1e-3, 1e-1), "momentum": Range(0.5, 0.9, log=False)})
    for seed in range(10):
        drawn = known_points("qmc", space, 32, seed, stage=0)
        for eight in (drawn[k : k + 8] for k in range(0, 32, 8)):
            for name, part in space.items():
                assert sorted(int(8 * part.fraction(point[name])) for point in eight) == list(range(8))


def test_draws_of_earlier_versions():
    """Their searches are continued, so the draws of "random" must not change."""
    space = convert_space({"batch_size": Range(10, 100), "lr": Range(1e-3, 1e-1), "norm": Grid(("batch", "none"))})
    assert known_points("random", space, 2, seed=42, stage=0) == [
        {"batch_size": 13, "lr": 0.003510698568321937, "norm": "batch"},
        {"batch_size": 45, "lr": 0.011940345549867773, "norm": "batch"},
    ]


def test_samplers_by_default():
    grid, drawn = convert_space({"lr": Grid((0.1, 0.2))}), convert_space({"lr": Range(0.1, 0.2)})
    assert (choose_sampler(None, grid, None), choose_sampler(None, drawn, 1)) == ("grid", "qmc")
    for sampler in ("qmc", "tpe", "random"):
        assert choose_sampler(sampler, grid, 1) == choose_sampler(sampler, drawn, 1) == sampler


@pytest.mark.parametrize(
    ("sampler", "part", "trials", "message"),
    [
        (
            None,
            Grid((0.1, 0.2)),
            5,
            "trials: expected none, since all 2 points of the grid are tried; leave it out, or",
        ),
        ("grid", Grid((0.1, 0.2)), 5, "trials: expected none, since all 2 points of the grid are tried; leave it out"),
        (None, Range(0.1, 0.2), None, "trials: expected the number of points to draw from the range of lr, got none"),
        (
            "tpe",
            Grid((0.1, 0.2)),
            None,
            "trials: expected the number of points to draw from the grid with tpe, got none",
        ),
        (None, Range(0.1, 0.2), 0, "trials: expected 1 or more, got 0"),
        ("grid", Range(0.1, 0.2), 5, "sampler: expected qmc, tpe or random for the range of lr, got grid; list values"),
        ("tpee", Range(0.1, 0.2), 5, 'sampler: there is no "tpee"; did you mean "tpe"?'),
    ],
)
def test_samplers_and_numbers_must_fit(sampler, part, trials, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        choose_sampler(sampler, convert_space({"lr": part}), trials)


def finished(points, score):
    return [
        create_trial(params=point, distributions=distributions(SPACE), value=score(point), user_attrs={"point": i})
        for i, point in enumerate(points)
    ]


def test_tpe_draws_where_the_best_ones_were():
    """28 of 40 uniform draws would be in half of the range once in a hundred times."""
    trials = finished(known_points("qmc", SPACE, 20, 0, 0), lambda point: -abs(math.log10(point["lr"]) + 2))
    drawn = [propose(trials, SPACE, first, 5, seed=0, stage=0) for first in range(20, 28)]
    lrs = [point["lr"] for points in drawn for point in points]
    assert sum(1e-3 <= lr <= 1e-1 for lr in lrs) >= 28
    assert len(set(lrs)) == 40
    assert drawn[0] == propose(trials, SPACE, 20, 5, seed=0, stage=0) != propose(trials, SPACE, 20, 5, seed=1, stage=0)


def test_corners_have_every_end_and_every_value():
    assert corners(SPACE) == [
        {"lr": lr, "norm": norm} for lr, norm in itertools.product((1e-4, 1.0), ("batch", "none"))
    ]
    some = corners({"seed": Grid(tuple(range(600))), "lr": Range(0.1, 0.2)})
    assert len(some) <= MOST_CORNERS
    assert {point["seed"] for point in some} == set(range(600))
    assert {point["lr"] for point in some} == {0.1, 0.2}
