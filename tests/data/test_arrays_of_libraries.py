"""Data sets made of tensors of PyTorch and arrays of JAX: those without values or real numbers are refused."""

import re

import numpy as np
import pytest

from anynet.data import Split, from_arrays

X = np.arange(24.0).reshape(12, 2)
Y = np.asarray([0, 1, 2] * 4)

TENSORS = {
    "no values": (
        lambda torch: torch.zeros((12, 2), device="meta"),
        "expected an array with values, got a tensor on",
    ),
    "sparse": (lambda torch: torch.zeros((12, 2)).to_sparse(), "expected a dense tensor, got a torch.sparse_coo one"),
    "8 bits": (
        lambda torch: torch.zeros((12, 2)).to(torch.float8_e4m3fn),
        "expected integers or floating-point",
    ),
    "complex": (
        lambda torch: torch.zeros((12, 2)) + 0j,
        "expected integers or floating-point numbers, got torch.c",
    ),
}


@pytest.mark.parametrize("name", TENSORS)
def test_tensors_that_are_no_numbers_are_refused(name):
    torch = pytest.importorskip("torch")
    make, message = TENSORS[name]
    for made in (lambda: from_arrays(make(torch), Y), lambda: Split(make(torch), Y)):
        with pytest.raises(TypeError, match=f"^x: {re.escape(message)}"):
            made()
    with pytest.raises(TypeError, match=r"^y: expected an array with values"):
        from_arrays(X, torch.zeros(12, dtype=torch.int64, device="meta"))


def test_traced_and_deleted_arrays_of_jax_are_refused():
    jax = pytest.importorskip("jax")
    with pytest.raises(TypeError, match=r"^y: expected an array with values, got one that JAX traces"):
        jax.jit(lambda y: from_arrays(X, y).train.y)(Y)
    with pytest.raises(TypeError, match=r"^x: expected an array with values, got one that JAX traces"):
        jax.jit(lambda x: Split(x, Y).x)(X)
    gone = jax.numpy.asarray(X)
    gone.delete()
    with pytest.raises(TypeError, match=r"^x: expected an array with values, got one that was deleted"):
        from_arrays(gone, Y)
    with pytest.raises(TypeError, match=r"^x: expected numbers, got key"):
        from_arrays(jax.random.key(0), Y)


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64"])
def test_labels_may_be_unsigned_tensors(dtype):
    torch = pytest.importorskip("torch")
    data = from_arrays(X, torch.asarray(Y + 5).to(getattr(torch, dtype)), val=0.25)
    assert data.classes == (5, 6, 7)
    assert sorted([*data.train.y.tolist(), *data.val.y.tolist()]) == sorted(Y.tolist())


def test_gradients_of_tensors_are_left_behind():
    torch = pytest.importorskip("torch")
    x = torch.asarray(X).requires_grad_()
    assert not from_arrays(x, x[:, 0]).train.x.requires_grad
    with pytest.raises(TypeError, match=r"^x: expected an array, a list or a table, got a list, of which numpy"):
        from_arrays([*x], Y)


def test_arrays_of_libraries_that_are_no_backends_are_taken_over_numpy():
    strict = pytest.importorskip("array_api_strict")
    data = from_arrays(strict.asarray(X), strict.asarray(Y + 5), val=0.25)
    assert data.classes == (5, 6, 7)
    parts = data.train, data.val, Split(strict.asarray(X), strict.asarray(Y))
    assert [len(part) for part in parts] == [9, 3, 12]
    assert {type(array) for part in parts for array in (part.x, part.y)} == {np.ndarray}
