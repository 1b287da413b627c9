"""Differences of functions known in closed form: their order, their best step, and what rounding makes of them."""

import numpy as np
import pytest
from formulas import SMOOTH, SQUARE, Formula

from anynet.gradcheck import METHODS, Subject, check, sweep
from anynet.gradcheck.differences import Direction, Element, difference, extrapolate

POINT = np.asarray([0.7])
FIRST = Element((0,))


@pytest.fixture(params=METHODS)
def method(request):
    return request.param


@pytest.fixture(params=SMOOTH)
def formula(request):
    return SMOOTH[request.param]


def errors(quotient, method, formula, steps):
    true = float(formula.derivative(POINT)[0])
    return np.asarray([abs(quotient(METHODS[method], formula.f, POINT, FIRST, h) - true) for h in steps])


# ---- one line


@pytest.mark.parametrize("method", ["finite", "central"])
def test_the_error_falls_with_the_step_to_the_order(method, formula):
    found = errors(difference, method, formula, [4e-3, 2e-3, 1e-3])
    np.testing.assert_allclose(found[:-1] / found[1:], 2 ** METHODS[method].order, rtol=0.01)


@pytest.mark.parametrize("method", ["finite", "central"])
def test_extrapolation_takes_away_a_power_of_the_step(method, formula):
    found = errors(extrapolate, method, formula, [4e-2, 2e-2])
    # One-sided errors have all powers of the step, central ones the even powers alone; a cube leaves nothing behind.
    if found[1] > 1e-12:
        assert found[0] / found[1] == pytest.approx({"finite": 4, "central": 16}[method], rel=0.05)
    assert np.all(found < errors(difference, method, formula, [4e-2, 2e-2]) / 10)


def test_central_differences_of_a_parabola_are_exact_and_one_sided_ones_off_by_the_step():
    assert errors(difference, "central", SQUARE, [0.25])[0] < 1e-15
    assert errors(difference, "finite", SQUARE, [0.25])[0] == pytest.approx(0.25)


def test_a_directional_slope_is_the_gradient_along_the_unit_vector(formula, rng):
    x, u = rng.uniform(1, 2, (3, 4)), rng.standard_normal((3, 4))
    line = Direction(0, u / np.linalg.norm(u))
    gradient = formula.derivative(x)
    assert line.along(gradient) == pytest.approx(np.sum(gradient * line.unit), rel=1e-14)
    found = difference(METHODS["directional"], formula.f, x, line, 1e-5)
    assert found == pytest.approx(np.sum(gradient * line.unit), abs=1e-9)


def test_an_element_is_moved_alone_and_in_a_copy(rng):
    x = rng.standard_normal((2, 3)).astype(np.float32)
    before = x.copy()
    moved = Element((1, 2)).move(x, 0.5)
    assert moved.dtype == x.dtype
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(np.argwhere(moved != x), [[1, 2]])


@pytest.mark.parametrize("method", METHODS)
def test_a_step_lost_in_rounding_is_refused(method):
    line = Direction(0, np.ones(1)) if METHODS[method].directions else FIRST
    with pytest.raises(ValueError, match=r"^step: 1e-09 is lost in rounding next to 1e\+08; use a larger one$"):
        difference(METHODS[method], np.sin, np.asarray([1e8]), line, 1e-9)


def test_the_quotient_divides_by_the_distance_really_gone():
    x = np.asarray([1e6])  # where 1e-9 is 8.6 ulps, and 9 are gone
    assert difference(METHODS["central"], lambda x: 4 * x, x, FIRST, 1e-9) == 4


def test_terms_that_stay_the_same_cost_no_precision():
    def terms(x):
        return np.stack([np.sin(x), np.full_like(x, 1e12)])

    def summed(x):
        return np.sum(terms(x))

    assert difference(METHODS["central"], terms, POINT, FIRST, 1e-5) == pytest.approx(np.cos(0.7), rel=1e-9)
    assert difference(METHODS["central"], summed, POINT, FIRST, 1e-5) != pytest.approx(np.cos(0.7), rel=1e-2)


# ---- the default step


@pytest.mark.parametrize("length", [1e-3, 1e-1, 1e1, 1e2])
@pytest.mark.parametrize("height", [1e-6, 1, 1e6])
def test_the_default_step_is_near_the_bottom_of_the_v(method, height, length, rng):
    formula = SMOOTH["sin"].scaled(height, length)
    subject = formula.at(length * rng.uniform(0.5, 2.5, 10))
    result = check(subject, method=method)
    best = sweep(subject, np.logspace(-11, -1, 41))[method].min()
    assert sweep(subject, [result.entries["x"].step])[method][0] < 30 * best
    result.require()


def test_where_nothing_depends_on_an_array_the_slopes_are_nought(method):
    entry = check(Formula(np.zeros_like, np.zeros_like).at(np.arange(4.0)), method=method).entries["x"]
    assert entry.passed
    assert np.all(entry.numerical == 0)


# ---- sweeps


def test_a_sweep_shows_a_v_for_every_method(rng):
    steps = np.logspace(-13, -1, 25)
    found = sweep(SMOOTH["sin"].at(rng.uniform(0.5, 1, 10)), steps)
    assert list(found) == list(METHODS)
    bottoms = {"finite": (1e-9, 1e-7), "central": (1e-6, 1e-4), "directional": (1e-6, 1e-4)}
    for method, (low, high) in bottoms.items():
        lowest = int(np.argmin(found[method]))
        assert low <= steps[lowest] <= high
        # Truncation on the right arm, a power of the step; rounding on the left, higher by far than the bottom.
        assert found[method][-1] / found[method][-5] == pytest.approx(100 ** METHODS[method].order, rel=0.2)
        assert found[method][0] > 1e3 * found[method][lowest]


def test_a_sweep_of_two_arrays_weighs_them_by_their_slopes():
    subject = Subject(
        lambda point: np.concatenate([np.square(point["a"]), 1e6 * point["b"]]),
        lambda point: {"a": 2 * point["a"], "b": np.full(1, 1e6)},
        {"a": np.ones(1), "b": np.ones(1)},
    )
    # One-sided: the parabola is off by the step, the line by nothing.
    assert sweep(subject, [1e-2])["finite"][0] == pytest.approx(1e-2 / 1e6, rel=0.01)
