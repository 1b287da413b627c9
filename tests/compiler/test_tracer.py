"""What tracers record is what the function does, with whatever numbers it is done again."""

import operator

import array_api_compat
import array_api_compat.numpy as xp
import numpy as np
import pytest

from anynet.compiler.graph import Node
from anynet.compiler.numpy.ufuncs import evaluate
from anynet.compiler.recording import explain
from anynet.compiler.tape import trace
from anynet.compiler.tracer import Tracer, UntraceableError
from anynet.core.tree import flatten

FLOATS = np.asarray([[0.5, -2.0, 3.0], [1.5, 2.5, -0.25]])
INTEGERS = np.asarray([[1, 2, 3], [6, 5, 4]])
BOOLS = np.asarray([[True, False, True], [False, False, True]])


def again(function, *arrays):
    """Record a function with zeros and ones, and go through the record with these arrays."""
    graph = trace(function, xp, *(np.ones_like(array) for array in arrays))
    values = dict(zip(graph.inputs, arrays, strict=True))

    def value(leaf):
        if not isinstance(leaf, Node):
            return leaf
        return leaf.value if leaf.op == "constant" else values[leaf]

    for node in graph.nodes:
        leaves, rebuild = flatten((node.args, node.kwargs))
        values[node] = evaluate(node, *rebuild([value(leaf) for leaf in leaves]))
    return graph.build([value(output) for output in graph.outputs])


def assert_recorded(function, *arrays):
    actual, expected = again(function, *arrays), function(*arrays)
    np.testing.assert_array_equal(actual, expected, strict=True)


ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]
BITWISE = ["and", "or", "xor"]
SHIFTS = ["lshift", "rshift"]
COMPARISONS = ["lt", "le", "gt", "ge", "eq", "ne"]


def operands(name):
    if name in BITWISE:
        return [(INTEGERS, INTEGERS[::-1], 3), (BOOLS, BOOLS[::-1], True)]
    if name in SHIFTS:
        return [(INTEGERS, INTEGERS[::-1], 2)]
    return [(FLOATS**2, FLOATS[::-1], 2.5), (FLOATS**2, FLOATS[::-1], 3), (INTEGERS, INTEGERS[::-1], 2)]


@pytest.mark.parametrize("name", [*ARITHMETIC, *BITWISE, *SHIFTS, *COMPARISONS])
def test_operators_of_two_arrays_and_of_an_array_and_a_number(name):
    function = getattr(operator, f"__{name}__")
    for x, y, number in operands(name):
        assert_recorded(function, x, y)
        assert_recorded(lambda x, number=number: function(x, number), x)
        assert_recorded(lambda x, number=number: function(number, x), x)


@pytest.mark.parametrize("name", ["neg", "pos", "abs"])
def test_operators_of_one_array(name):
    assert_recorded(getattr(operator, f"__{name}__"), FLOATS)
    assert_recorded(operator.invert, BOOLS)


def test_products():
    assert_recorded(operator.matmul, FLOATS, FLOATS.T)
    assert_recorded(lambda x: array_api_compat.array_namespace(x).ones((4, 2)) @ x, FLOATS)


def test_every_name_of_the_standards_arrays_is_there():
    strict = pytest.importorskip("array_api_strict")
    names = set(dir(strict.zeros(1))) - {"__annotations__", "__buffer__", "__slots__", "__weakref__"}
    read = {"__complex__", "__dlpack_device__"}  # refused like what is not there
    assert {name for name in names if name.startswith("__") or not name.startswith("_")} - read <= set(dir(Tracer))


ATTRIBUTES = {
    "shape": lambda x: x.shape,
    "ndim": lambda x: x.ndim,
    "size": lambda x: x.size,
    "dtype": lambda x: x.dtype,
    "device": array_api_compat.device,
    "isdtype": lambda x: xp.isdtype(x.dtype, ("real floating", "integral")),
    "finfo": lambda x: array_api_compat.array_namespace(x).finfo(x).eps,
    "finfo of its dtype": lambda x: array_api_compat.array_namespace(x).finfo(x.dtype).eps,
    "result_type": lambda x: array_api_compat.array_namespace(x).result_type(x, xp.float32, 1),
    "can_cast": lambda x: array_api_compat.array_namespace(x).can_cast(x, xp.float32),
    "namespace": lambda x: x.__array_namespace__(api_version="2024.12").pi,
}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_what_is_known_of_an_array_without_its_numbers(name):
    seen = []

    def function(x):
        seen.append(ATTRIBUTES[name](x))
        return x

    trace(function, xp, FLOATS)
    function(FLOATS)
    assert seen[0] == seen[1]


FUNCTIONS = {
    "transposed": lambda xp, x: (x.T, x.mT, xp.permute_dims(x, (1, 0))),
    "indexed": lambda xp, x: (x[0, ...], x[..., 1:], x[:, None, ::-1], x[1, 2], x[...]),
    "alike": lambda xp, x: (xp.zeros_like(x) + x, xp.ones(x.shape, dtype=x.dtype, device=x.device) * x),
    "cast": lambda xp, x: (xp.astype(x, xp.float32), xp.astype(x, x.dtype), xp.astype(x > 0, xp.int64)),
    "as an array": lambda xp, x: (xp.asarray(x), xp.asarray(x, dtype=xp.float32), xp.asarray(2.0) * x),
    "moved to where it is": lambda xp, x: array_api_compat.to_device(x, array_api_compat.device(x)),
    "put together": lambda xp, x: (xp.concat([x, x + 1]), xp.stack([x, -x], axis=1)),
    "taken": lambda xp, x: xp.take(x, xp.asarray([2, 0]), axis=1),
    "with numbers as keywords": lambda xp, x: xp.clip(x, min=-1, max=x[0, 0]),
    "repeated": lambda xp, x: xp.repeat(x, 2, axis=0),
    "a number alone": lambda xp, x: xp.where(x > 0, 1.0, 0.0),
    "full of a number": lambda xp, x: xp.full((2,), x[0, 0]),
    "nested": lambda xp, x: {"b": [x, (x + 1,)], "a": None},
    "not of the argument": lambda xp, x: xp.arange(3),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_the_namespace(name):
    def function(x):
        return FUNCTIONS[name](array_api_compat.array_namespace(x), x)

    (actual, _), (expected, _) = flatten(again(function, FLOATS)), flatten(function(FLOATS))
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def test_what_is_not_needed_is_not_recorded():
    graph = trace(lambda x: (x + 1, x * 2)[0], xp, FLOATS)
    assert [node.op for node in graph.nodes] == ["add"]


OWN = np.arange(3.0)
UNTRACEABLE = {
    "float": lambda xp, x: x * float(x[0, 0]),
    "int": lambda xp, x: x * int(x[0, 0]),
    "bool": lambda xp, x: x if x[0, 0] > 0 else -x,
    "index": lambda xp, x: x[operator.index(xp.argmax(x[0, ...])), ...],
    "iteration": lambda xp, x: sum(row for row in x),
    "an index of arrays": lambda xp, x: x[xp.argmax(x[0, ...]), ...],
    "a mask": lambda xp, x: x[x > 0],
    "an index of one's own": lambda xp, x: x[:, OWN > 0],
    "an array of one's own": lambda xp, x: x + OWN,
    "an array of one's own ahead": lambda xp, x: OWN + x,
    "an array of one's own in a call": lambda xp, x: xp.where(x > 0, x, OWN),
    "an array of one's own made the library's": lambda xp, x: xp.asarray(OWN) + x,
    "an array of one's own returned": lambda xp, x: (x, OWN),
    "a number returned": lambda xp, x: (x, 1.0),
    "NumPy's function": lambda xp, x: np.exp(x),
    "NumPy's conversion": lambda xp, x: np.asarray(x),
    "NumPy's sum": lambda xp, x: np.sum(x),
    "a method": lambda xp, x: x.sum(),
    "a write": lambda xp, x: operator.setitem(x, 0, 1.0),
    "a write in place": lambda xp, x: operator.iadd(x, 1),
    "a write into a result": lambda xp, x: xp.add(x, x, out=x + 1),
    "several arrays": lambda xp, x: xp.unstack(x)[0],
    "several arrays alike": lambda xp, x: xp.broadcast_arrays(x, x[0, ...])[1],
    "a shape that depends on values": lambda xp, x: xp.sum(xp.unique_values(x)),
    "a length that depends on values": lambda xp, x: xp.sum(xp.arange(x[0, 0])),
    "repetitions that depend on values": lambda xp, x: xp.repeat(x[0, ...], xp.astype(x[1, ...], xp.int64)),
    "indices of a mask": lambda xp, x: xp.sum(xp.argwhere(x > 0.5)),
    "without some rows": lambda xp, x: xp.sum(xp.delete(x, xp.argmax(x[0, ...]), axis=1)),
    "another device": lambda xp, x: x.to_device("elsewhere"),
}


@pytest.mark.parametrize("name", UNTRACEABLE)
def test_what_cannot_be_recorded_is_refused(name):
    x = np.abs(FLOATS)
    with pytest.raises((TypeError, AttributeError)):
        trace(lambda x: UNTRACEABLE[name](array_api_compat.array_namespace(x), x), xp, x)
    np.testing.assert_array_equal(x, np.abs(FLOATS))


IN_PLACE = ["iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "imatmul"]
IN_PLACE += ["iand", "ior", "ixor", "ilshift", "irshift"]


@pytest.mark.parametrize("name", IN_PLACE)
def test_no_array_changes_in_place(name):
    """Python would make a new one of it, while others go on to see the old."""
    with pytest.raises(UntraceableError):
        trace(lambda x: getattr(operator, name)(x, 1), xp, INTEGERS)


def test_what_a_function_raises_is_raised():
    def function(x):
        raise ValueError(f"x: expected 3 rows, got {x.shape[0]}")

    with pytest.raises(ValueError, match="x: expected 3 rows, got 2"):
        trace(function, xp, FLOATS)


def write(x, key=0):
    x[key] = 1
    return x


def repeated(x, function):
    """Change an array in place, with an operator."""
    return function(x, x)


REASONS = {
    "a number is read from an array, by if or bool": lambda x: x if x[0, 0] > 0 else -x,
    "a number is read from an array, by float": lambda x: x * float(x[0, 0]),
    "a number is read from an array, by int": lambda x: x * int(x[0, 0]),
    "a number is read from an array, by an index or range": lambda x: [x[i, ...] for i in range(x[0, 0])],
    "a number is read from an array, by iteration": lambda x: sum(row for row in x),
    "a number is read from an array, by NumPy": lambda x: x * np.asarray(x),
    "a number is read from an array, by .item": lambda x: x * x[0, 0].item(),
    "a number is read from an array, by .tolist": lambda x: x * len(x.tolist()),
    "a number is read from an array, by .numpy": lambda x: x.numpy(),
    "an array is changed in place; write x = x * y": lambda x: repeated(x, operator.imul),
    "an array is changed in place; write x = x @ y": lambda x: repeated(x, operator.imatmul),
    "an array is changed in place; use where or concat": write,
    "'array' object has no attribute 'sum'": lambda x: x - x.sum(),
    "object of type 'array' has no len()": lambda x: x * len(x),
}


@pytest.mark.parametrize("reason", REASONS)
def test_reasons_tell_reading_from_writing(reason):
    function = REASONS[reason]
    with pytest.raises((TypeError, AttributeError)) as found:
        trace(function, xp, FLOATS)
    assert explain(found.value).startswith(f"{reason} (test_tracer.py, line ")


def test_what_is_printed_while_a_step_is_recorded():
    said = []
    trace(lambda x: said.append(f"{x}") or x, xp, FLOATS)
    assert said == [
        f"<array of shape {FLOATS.shape} and dtype {FLOATS.dtype}, without values: the step is recorded; "
        'compile="off" shows them>'
    ]
