"""Data sets made of arrays, lists and tables: labels, splits, and one line for what fits not."""

import re

import numpy as np
import pytest

from anynet.data import from_arrays

X = np.arange(24.0).reshape(12, 2)
Y = np.asarray([0, 1, 2] * 4)


class Table:
    """Stands for the tables of pandas and others: no array, but ``numpy.asarray`` takes it."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([7, 3, 3, 9], (3, 7, 9)),
        (np.asarray([7, 3, 3, 9], np.uint8), (3, 7, 9)),
        (["dog", "cat", "cat", "owl"], ("cat", "dog", "owl")),
        (np.asarray(["dog", "cat", "cat", "owl"], object), ("cat", "dog", "owl")),
        (Table([7, 3, 3, 9]), (3, 7, 9)),
        ([True, False, False, True], (False, True)),
        (np.asarray([True, False, False, True], object), (False, True)),
        (np.asarray([np.int64(7), 3, np.uint8(3), 9], object), (3, 7, 9)),
        (np.asarray(["dog", np.str_("cat"), "cat", "owl"], object), ("cat", "dog", "owl")),
        ([-(2**63), 2**63 - 1, -1, -1], (-(2**63), -1, 2**63 - 1)),
    ],
    ids=[
        "integers",
        "uint8",
        "texts",
        "texts as objects",
        "table",
        "booleans",
        "booleans as objects",
        "integers of NumPy as objects",
        "texts of NumPy as objects",
        "as large as they may be",
    ],
)
def test_labels_of_every_kind_become_class_numbers(labels, classes):
    data = from_arrays(X[:4], labels)
    assert data.classes == classes
    assert [type(label) for label in data.classes] == [type(classes[0])] * len(classes)
    assert [data.classes[k] for k in data.train.y] == np.asarray(labels).tolist()


@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
@pytest.mark.parametrize("labels", [[7, 3, 3, 9], [True, False, True, True]], ids=["integers", "booleans"])
def test_arrays_of_libraries_stay_where_they_are(library, labels):
    xp = pytest.importorskip(library)
    x, y = xp.asarray(X[:4].astype("float32")), xp.asarray(labels)
    data = from_arrays(x, y, x, y)
    assert [type(part.x) for part in (data.train, data.val)] == [type(x)] * 2
    assert type(data.train.y) is type(data.val.y) is type(y)
    assert data.classes == tuple(sorted(set(labels)))
    for part in (data.train, data.val):
        assert [data.classes[int(k)] for k in part.y] == labels


def test_floats_are_numbers_to_predict():
    data = from_arrays(X, X[:, 0], X[:3], X[:3, 1])
    assert (data.classes, data.train.y.shape, data.val.y.shape, data.n_out) == ((), (12, 1), (3, 1), 1)
    assert from_arrays(X, np.zeros((12, 3), np.float32)).n_out == 3


def test_numpy_arrays_are_not_copied():
    x = X.astype(np.float32)
    assert np.shares_memory(from_arrays(x, Y).train.x, x)


@pytest.mark.parametrize("library", ["numpy", "torch", "jax.numpy"])
def test_a_split_has_its_share_of_each_class(library, rng):
    xp = pytest.importorskip(library)
    labels = rng.permutation(np.repeat([0, 1, 2], [60, 30, 11]))
    x = np.arange(len(labels), dtype=np.float32)[:, None]
    data = from_arrays(xp.asarray(x), xp.asarray(labels), val=0.2, weights=x[:, 0])
    rows = {part: np.asarray(getattr(data, part).x)[:, 0].astype(int) for part in ("train", "val")}
    assert sorted([*rows["train"], *rows["val"]]) == [*range(len(labels))]  # each sample once
    for part, own in rows.items():
        split = getattr(data, part)
        np.testing.assert_array_equal(np.asarray(split.y), labels[own])
        np.testing.assert_array_equal(np.asarray(split.weights), own)
        assert (np.diff(own) > 0).all()  # in their order
    counts = np.bincount(np.asarray(data.val.y))
    assert counts.sum() == round(0.2 * len(labels))
    assert (abs(counts - 0.2 * np.asarray([60, 30, 11])) <= 1).all()


def test_a_split_depends_on_the_seed_alone():
    first, again, other = (np.asarray(from_arrays(X, Y, val=0.25, seed=seed).val.x) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    numbers = from_arrays(X, X[:, 0], val=0.25).val
    assert len(numbers) == 3


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"x": X[:, 0]}, ValueError, "x: expected shape (N, features) or (N, channels, rows, columns), got (12,); x["),
        ({"x": [[1, 2], [3]]}, ValueError, "x: expected rows of equal lengths, got others in a list"),
        ({"x": [["1", "a"]] * 12}, TypeError, "x: expected numbers, got '1' at index 0, 0"),
        ({"x": np.asarray([[1, None]] * 12)}, TypeError, "x: expected numbers, got None at index 0, 1"),
        ({"x": X.astype(complex)}, TypeError, "x: expected integers or floating-point numbers, got complex128"),
        ({"x": np.ma.masked_array(X, X > 3)}, TypeError, "x: expected numbers or labels for all samples, got a Masked"),
        ({"y": Y[:-1]}, ValueError, "y: expected 12 class numbers, one for each sample, got shape (11,)"),
        (
            {"y": Y[:-1].astype(float)},
            ValueError,
            "y: expected 12 numbers or 12 rows of them, one for each sample, got",
        ),
        ({"y": Y[:, None]}, ValueError, "y: expected one label for each sample, shape (N,), got (12, 1); numpy.rav"),
        (
            {"y": np.zeros((12, 2), int)},
            ValueError,
            "y: expected one label for each sample, shape (N,), got (12, 2); f",
        ),
        ({"y": np.zeros(12, int)}, ValueError, "y: expected labels of 2 classes or more, got 0 alone; floats are"),
        (
            {"y": ["a", None] * 6},
            TypeError,
            "y: expected labels of one kind, integers, texts or booleans, or floats, go",
        ),
        (
            {"y": np.zeros(12, "M8[s]")},
            TypeError,
            "y: expected integers, texts or booleans as labels, or floats, got da",
        ),
        (
            {"y": [1, "a"] * 6},
            TypeError,
            "y: expected labels of one kind, integers, texts or booleans, or floats, got int",
        ),
        (
            {"y": [True, 2] * 6},
            TypeError,
            "y: expected labels of one kind, integers, texts or booleans, or floats, got b",
        ),
        (
            {"y": ["a", np.nan] * 6},
            TypeError,
            "y: expected labels of one kind, integers, texts or booleans, or floats, ",
        ),
        ({"y": [5, 2**63] * 6}, ValueError, "y: expected integers of 64 bits as labels, got larger ones"),
        ({"y": [5, 2**70] * 6}, ValueError, "y: expected integers of 64 bits as labels, got larger ones"),
        (
            {"y": np.asarray([5, 2**63] * 6, np.uint64)},
            ValueError,
            "y: expected integers of 64 bits as labels, got larg",
        ),
        ({"y": ["a", "a\0"] * 6}, ValueError, r"y: expected printable characters in labels, got 'a\x00'"),
        ({"y": iter(Y)}, TypeError, "y: expected an array, a list or a table, got a"),
        ({"x": iter(X)}, TypeError, "x: expected an array, a list or a table, got a"),
        ({"x": np.zeros((12, 3, 0))}, ValueError, "x: expected a value of each sample at least, got shape (12, 3, 0)"),
        ({"x": [[10**400, 1]] * 12}, ValueError, "x: expected numbers below 1.8e308, got larger integers"),
        (
            {"x": [np.ma.masked_array(row, row > 3) for row in X]},
            TypeError,
            "x: expected numbers or labels for all samp",
        ),
        ({"x_val": X, "y_val": ["0", "1", "2"] * 4}, TypeError, "y_val: expected integers, as y, got texts"),
        ({"x_val": X, "y_val": Y > 0}, TypeError, "y_val: expected integers, as y, got booleans"),
        ({"x_val": X}, ValueError, "x_val and y_val: expected both or neither, got one"),
        ({"x_val": X, "y_val": Y + 1}, ValueError, "y_val: expected labels that y has too, got 3, which no training"),
        (
            {"x_val": X, "y_val": Y * 1.0},
            ValueError,
            "val: expected class numbers as y, since there are 3 classes, got",
        ),
        ({"x_val": X, "y_val": Y, "val": 0.5}, ValueError, "val: expected 0 with validation samples given, got 0.5"),
        ({"val": 1.0}, ValueError, "val: expected a fraction, 0 to below 1, got 1.0"),
        (
            {"val": 0.01},
            ValueError,
            "val: expected a fraction that leaves samples on both sides, got 0.01 of 12 samples",
        ),
        ({"val": 0.9}, ValueError, "val: expected a fraction that leaves samples of each class, got 0.9: too much"),
        ({"weights": X[:-1, 0]}, ValueError, "weights: expected 12, one for each sample, got shape (11,)"),
        ({"weights": ["a"] * 12}, TypeError, "weights: expected numbers, got 'a' at index 0"),
    ],
)
def test_one_line_says_what_is_wrong(arguments, kind, message):
    arguments = {"x": X, "y": Y} | arguments
    with pytest.raises(kind, match=f"^{re.escape(message)}"):
        from_arrays(arguments.pop("x"), arguments.pop("y"), **arguments)


def test_sparse_matrices_are_told_apart():
    class Sparse:
        def toarray(self): ...

    with pytest.raises(TypeError, match=r"^x: expected a dense array, got a Sparse, which is sparse; x.toarray\(\)$"):
        from_arrays(Sparse(), Y)
