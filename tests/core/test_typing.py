"""The protocols of arrays and namespaces, against the arrays and namespaces of every library."""

import numpy as np
from array_api_compat import array_namespace

from anynet.compiler.tape import Tape
from anynet.core.typing import Array, Namespace


def members(protocol):
    own = {
        name
        for name, value in vars(protocol).items()
        if isinstance(value, property) or getattr(value, "__module__", None) == "anynet.core.typing"
    }
    return (own | set(protocol.__annotations__)) - {"__getattr__"}


def test_the_protocol_has_attributes_and_operators():
    assert {"shape", "mT", "__add__", "__rxor__", "__lt__", "__eq__"} <= members(Array)
    assert not {"__float__", "__bool__", "__int__", "__setitem__"} & members(Array)  # a step reads no array


def test_arrays_of_every_library_have_its_members(xp):
    array = xp.put(np.zeros((2, 3)))
    missing = {name for name in members(Array) if not hasattr(array, name)}
    assert missing <= ({"mT"} if xp.__class__.__name__ == "Cupy" else set())


def test_tracers_have_its_members():
    tracer = Tape(np).input(np.zeros((2, 3)))
    assert not {name for name in members(Array) if not hasattr(tracer, name)}


def test_namespaces_have_its_members(xp):
    namespace = array_namespace(xp.put(np.zeros(1)))
    declared = members(Namespace)
    assert {"isdtype", "float32", "bool"} <= declared
    assert not {name for name in declared if not hasattr(namespace, name)}


def test_shapes_are_numbers_on_the_host(xp):
    array = xp.put(np.zeros((2, 3)))
    assert (tuple(array.shape), array.ndim) == ((2, 3), 2)
