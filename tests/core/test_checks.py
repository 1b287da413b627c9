"""The checks behind the error messages."""

import re

import numpy as np
import pytest

from anynet.core.array_checks import check_same_device, check_same_dtype
from anynet.core.checks import differences, nearest, real_number

NAMES = ["tanh", "relu", "leaky_relu", "sigmoid"]


@pytest.mark.parametrize(
    ("name", "names", "expected"),
    [
        ("rleu", NAMES, '; did you mean "relu"?'),
        ("sigmoyd", NAMES, '; did you mean "sigmoid"?'),
        ("momentun", ["momentum_a", "momentum"], '; did you mean "momentum" or "momentum_a"?'),
        ("zzz", NAMES, '; there are "leaky_relu", "relu", "sigmoid", "tanh"'),
        ("zzz", {"b": 1, "a": 2}, '; there are "a", "b"'),
        ("", NAMES, '; there are "leaky_relu", "relu", "sigmoid", "tanh"'),
    ],
)
def test_nearest(name, names, expected):
    assert nearest(name, names) == expected


def test_what_is_alike_is_no_difference():
    assert differences({"a": 1, "b": None}, {"a": 1}) == ""
    assert differences({"a": False, "b": 1}, {"c": "", "b": 2}) == (
        "a is False there and not given here; b is 1 there and 2 here; c is not given there and '' here"
    )


def test_nearest_names_three_at_most():
    assert nearest("name", (f"name{i}" for i in range(9))).count('"') == 6


def test_one_library_and_one_device_pass(xp):
    arrays = xp.put([np.zeros(1), np.zeros((2, 3)), np.zeros(2, int)])
    check_same_device(one=arrays[0], two=arrays[1], three=arrays[2])
    check_same_device(one=arrays[0])
    assert xp.call(lambda a, b: check_same_device(a=a, b=b) or a, np.zeros(1), np.zeros(2, int)).shape == (1,)


@pytest.mark.parametrize("other", ["torch", "jax.numpy", "array_api_strict"])
@pytest.mark.parametrize("place", [1, 2])
def test_two_libraries_are_named(other, place):
    arrays = {"params": np.zeros(1), "x": np.zeros(1), "labels": np.zeros(1)}
    odd = list(arrays)[place]
    arrays[odd] = pytest.importorskip(other).zeros(1)
    with pytest.raises(TypeError) as refusal:
        check_same_device(**arrays)
    assert str(refusal.value) == (
        f"params is an array of numpy, {odd} one of {other}: "
        f"bring both to one library, for instance with anynet.backend(...).put"
    )


@pytest.mark.parametrize("place", [1, 2])
def test_two_devices_are_named(place):
    strict = pytest.importorskip("array_api_strict")
    here, there = strict.Device("CPU_DEVICE"), strict.Device("device1")
    arrays = {name: strict.zeros(1, device=here) for name in ("params", "x", "labels")}
    odd = list(arrays)[place]
    arrays[odd] = strict.zeros(1, device=there)
    with pytest.raises(ValueError, match=re.escape(f"params is on device {here}, {odd} on {there}: bring both to one")):
        check_same_device(**arrays)


def test_what_is_no_array_is_named():
    with pytest.raises(TypeError, match=r"^labels: expected an array of a library, got list$"):
        check_same_device(x=np.zeros(2), labels=[0, 1])
    with pytest.raises(TypeError, match=r"^a: expected an array of a library, got list$"):
        check_same_device(a=[1], b=[2])


def test_two_dtypes_are_named():
    with pytest.raises(TypeError, match=r"^lr: expected the dtype of params, float64, got float32; cast one of them$"):
        check_same_dtype(params=np.zeros(2), grads=np.zeros(2), lr=np.float32(0.1))


def test_a_number_that_no_float_holds_is_refused():
    assert real_number("l2", 10**300) == 1e300
    with pytest.raises(ValueError, match=r"^l2: expected a number below 1\.8e308, got an int$"):
        real_number("l2", 10**400)
