"""Spaces, typed and given."""

import pytest

from anynet.app.search import Fine, Grid, Range
from anynet.app.search.fine import narrow
from anynet.app.search.samplers import known_points
from anynet.app.space import convert_space
from anynet.app.space_text import parse_space


def test_a_finer_space_lies_around_the_best():
    space = convert_space({
        "l2": Range(1e-5, 1e-1), "momentum": Range(0.0, 0.9, log=False), "batch_size": Range(10, 1000),
        "init": Grid(("he", "xavier", "zeros")),
    })  # fmt: skip
    best = [
        {"l2": 1e-3, "momentum": 0.5, "batch_size": 100, "init": "xavier"},
        {"l2": 1e-4, "momentum": 0.89, "batch_size": 30, "init": "he"},
    ]
    finer = narrow(space, best, margin=0.1)
    assert finer["init"] == Grid(("he", "xavier"))
    assert finer["l2"].low == pytest.approx(1e-4 / 10**0.4)
    assert finer["l2"].high == pytest.approx(1e-3 * 10**0.4)
    assert finer["momentum"].low == pytest.approx(0.41)
    assert finer["momentum"].high == 0.9  # never beyond the first range
    assert (finer["batch_size"].low, finer["batch_size"].high) == (19, 159)
    for point in known_points("qmc", finer, 200, seed=1, stage=1):
        assert 1e-4 / 10**0.41 < point["l2"] < 1e-3 * 10**0.41
        assert type(point["batch_size"]) is int


def test_what_is_typed():
    space = convert_space(
        parse_space(
            ["batch-size=10,100", "hidden=50+30,100,", "lr=1e-3..1e-1", "momentum=0.5..0.9..linear", "flip=true"]
        )
    )
    assert space == {
        "batch_size": Grid((10, 100)), "hidden": Grid(("50,30", "100", "")), "lr": Range(1e-3, 1e-1),
        "momentum": Range(0.5, 0.9, log=False), "flip": Grid((True,)),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("lrr=0.1,0.2", 'there is no setting "lrr"; did you mean "lr"?'),
        ("lr", "expected NAME=A,B,C, as in .* or NAME=LOW..HIGH"),
        ("=0.1", "expected NAME=A,B,C, as in .* or NAME=LOW..HIGH"),
        ("data=synthetic,cifar10", "all trials use the same images"),
        ("lr=0.1,x", '^lr: unable to convert "x" into float'),
        ("lr=0.1,-0.1", r'^lr: Invalid value "-0.1"\. Must be > 0'),
        ("lr=0.1,0.10", r"expected one or more different values, got \[0.1, 0.1\]"),
        ("activation=relu,tahn", 'Did you mean "tanh"'),
        ("batch_size=10,20.5", "Must be a whole number"),
        ("lr=0.1..0.01", "from a lower to a higher number, got 0.1 to 0.01"),
        ("lr=0.1..0.1", "from a lower to a higher number"),
        ("lr=0.1..inf", r'^lr: Invalid value "inf"\. Must be < inf'),
        ("l2=0..0.1", r"expected a logarithmic range above 0, got 0 to 0.1; .* \(l2=0..0.1..linear\)"),
        ("momentum=0.5..1.0", "Must be < 1"),
        ("hidden=10..100", "ranges are for numbers only"),
        ("lr=0.1..0.2..log", "expected lr=LOW..HIGH or lr=LOW..HIGH..linear"),
        ("lr=1e-3...1e-1", r'expected lr=LOW..HIGH or lr=LOW..HIGH..linear, got "lr=1e-3\.\.\.1e-1"'),
        ("lr=1e-3....1e-1", "expected lr=LOW..HIGH or lr=LOW..HIGH..linear"),
        ("momentum=.5...9..linear", "expected momentum=LOW..HIGH or"),
        ("momentum=0.5..0.9...linear", "expected momentum=LOW..HIGH or"),
        ("lr=", "lr: expected a value, got none"),
    ],
)
def test_what_cannot_be_searched_is_refused(flag, message):
    with pytest.raises(ValueError, match=message):
        convert_space(parse_space([flag]))


def test_a_field_comes_once():
    with pytest.raises(ValueError, match="lr is given twice"):
        parse_space(["lr=0.1", "lr=0.2"])


def test_no_space_is_refused():
    with pytest.raises(ValueError, match="expected one setting or more"):
        convert_space({})
    with pytest.raises(TypeError, match="lr: expected a Grid or a Range"):
        convert_space({"lr": (0.1, 0.2)})


@pytest.mark.parametrize(
    ("fine", "message"),
    [
        (Fine(0), "expected trials and best of 1 or more, got 0"),
        (Fine(5, best=0), "got 5 and 0"),
        (Fine(5, margin=0), "a margin above 0"),
    ],
)
def test_a_fine_stage_that_is_none_is_refused(fine, message):
    with pytest.raises(ValueError, match=message):
        fine.check(convert_space({"lr": Range(0.1, 0.2)}))
    with pytest.raises(ValueError, match="expected a range to narrow"):
        Fine(5).check(convert_space({"lr": Grid((0.1, 0.2))}))
