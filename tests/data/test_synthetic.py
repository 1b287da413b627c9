import numpy as np
import pytest

from anynet.data.dataset import IMAGE_SHAPE
from anynet.data.synthetic import CLASSES, SHAPES, draw

NAMES = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"]


@pytest.fixture(scope="module")
def batches():
    return draw(seed=0, per_batch=2000)


@pytest.fixture(scope="module")
def features(batches):
    """Training and test images, averaged 2 × 2 and standardized, shape (N, 768), each with its labels."""
    training = [batches.splits[name] for name in NAMES[:5]]
    test = batches.splits["test_batch"]
    X, X_test = pool(np.concatenate([split.x for split in training])), pool(test.x)
    mean, std = X.mean(axis=0), X.std(axis=0)
    return (X - mean) / std, np.concatenate([split.y for split in training]), (X_test - mean) / std, test.y


def pool(images):
    return images.reshape(-1, 3, 16, 2, 16, 2).mean(axis=(3, 5), dtype=np.float32).reshape(len(images), -1)


def accuracy_of_ridge_regression(X, labels, X_test, labels_test, penalty):
    gram = X.T @ X + penalty * np.eye(X.shape[1], dtype=np.float32)
    W = np.linalg.solve(gram, X.T @ np.eye(10, dtype=np.float32)[labels])
    return np.mean(np.argmax(X_test @ W, axis=1) == labels_test)


def test_form_is_that_of_cifar10(batches):
    assert list(batches.splits) == NAMES
    assert len(set(batches.classes)) == 10
    assert batches.official is False
    for split in batches.splits.values():
        assert (split.x.shape, split.x.dtype) == ((2000, 3072), np.uint8)
        assert (split.y.shape, split.y.dtype) == ((2000,), np.int64)
        assert np.bincount(split.y).tolist() == [200] * 10
        assert not np.array_equal(split.y, np.sort(split.y))


@pytest.mark.parametrize("per_batch", [1, 37])
def test_small_batches_are_as_balanced_as_can_be(per_batch):
    for split in draw(per_batch=per_batch).splits.values():
        assert len(split.x) == len(split.y) == per_batch
        assert np.ptp(np.bincount(split.y, minlength=10)) <= 1


def test_same_seed_gives_same_bytes():
    first, again = (draw(seed=0, per_batch=50) for _ in range(2))
    assert first.x.tobytes() == again.x.tobytes()
    assert first.y.tobytes() == again.y.tobytes()


def test_other_seed_gives_other_batches():
    batches = [split for seed in (0, 1, 2**64 - 2, 2**64 - 1) for split in draw(seed, per_batch=50).splits.values()]
    assert len({split.x.tobytes() for split in batches}) == len(batches)
    assert len({split.y.tobytes() for split in batches}) == len(batches)


def test_global_random_state_plays_no_part():
    np.random.seed(1)  # noqa: NPY002
    one = draw(per_batch=20)
    np.random.seed(2)  # noqa: NPY002
    other = draw(per_batch=20)
    assert all(np.array_equal(one.splits[name].x, other.splits[name].x) for name in NAMES)


def test_no_image_occurs_twice(batches):
    rows = [row.tobytes() for split in batches.splits.values() for row in split.x]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("disc", [(0, 0), (0.6, 0.6)], [(0.7, 0.7), (0, -1)]),
        ("ring", [(0.75, 0), (0, -0.75)], [(0, 0), (1, 0)]),
        ("square", [(0, 0), (0.7, 0.7)], [(0, 0.9), (-0.9, 0)]),
        ("triangle", [(0, 0), (0, -0.9), (0.7, 0.4)], [(0.5, -0.6), (0, 0.6)]),
        ("star", [(0, 0), (0, -0.9), (0.85, -0.28)], [(0.41, -0.57), (0, 0.6)]),
        ("cross", [(0, 0), (0.9, 0), (0, 0.9)], [(0.5, 0.5), (1, 0)]),
        ("crescent", [(-0.8, 0), (-0.2, 0.8)], [(0, 0), (0.8, 0)]),
        ("checkerboard", [(0.4, -0.4), (-0.4, 0.4)], [(0.4, 0.4), (-0.4, -0.4)]),
        ("horizontal stripes", [(0, -0.3), (9, -0.3)], [(0, 0.3), (9, 0.3)]),
        ("vertical stripes", [(-0.3, 0), (-0.3, 9)], [(0.3, 0), (0.3, 9)]),
    ],
)
def test_shapes_cover_points_found_by_hand(name, inside, outside):
    assert np.all(SHAPES[name](*np.array(inside, dtype=np.float32).T) < 0)
    assert np.all(SHAPES[name](*np.array(outside, dtype=np.float32).T) > 0)


def test_pictures_are_laid_out_channel_row_column(batches):
    """Horizontal stripes change from row to row, vertical ones from column to column."""
    test = batches.splits["test_batch"]
    gray = test.x.reshape(-1, *IMAGE_SHAPE).mean(axis=1)
    between_rows = np.abs(np.diff(gray, axis=1)).mean(axis=(1, 2))
    between_columns = np.abs(np.diff(gray, axis=2)).mean(axis=(1, 2))
    horizontal, vertical = (test.y == CLASSES.index(f"{way} stripes") for way in ("horizontal", "vertical"))
    assert np.mean(between_rows[horizontal] > between_columns[horizontal]) > 0.9
    assert np.mean(between_rows[vertical] < between_columns[vertical]) > 0.9


def test_brightness_alone_says_little(batches):
    training, test = batches.splits["data_batch_1"], batches.splits["test_batch"]
    brightness, brightness_test = training.x.mean(axis=1), test.x.mean(axis=1)
    edges = np.quantile(brightness, np.linspace(0, 1, 21)[1:-1])
    counts = np.zeros((20, 10))
    np.add.at(counts, (np.digitize(brightness, edges), training.y), 1)
    guesses = np.argmax(counts, axis=1)[np.digitize(brightness_test, edges)]
    assert np.mean(guesses == test.y) < 0.2


def test_nearest_class_mean_is_well_above_chance_and_far_from_perfect(features):
    X, labels, X_test, labels_test = features
    means = np.stack([X[labels == c].mean(axis=0) for c in range(10)])
    distances = np.sum(means**2, axis=1) - 2 * X_test @ means.T  # less the squared norm of x, the same for all means
    assert 0.15 < np.mean(np.argmin(distances, axis=1) == labels_test) < 0.4


def test_form_counts_beyond_what_is_linear(features):
    """A random hidden layer of rectified linear units, itself untrained, makes regression much better."""
    X, labels, X_test, labels_test = features
    W = np.random.default_rng(0).standard_normal((X.shape[1], 1500), dtype=np.float32) / np.sqrt(np.float32(X.shape[1]))
    linear = accuracy_of_ridge_regression(X, labels, X_test, labels_test, penalty=1000)
    hidden = accuracy_of_ridge_regression(
        np.maximum(X @ W, 0), labels, np.maximum(X_test @ W, 0), labels_test, penalty=10
    )
    assert 0.3 < linear < 0.5
    assert hidden > linear + 0.1
