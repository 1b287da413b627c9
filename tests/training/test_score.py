"""Scores of predictions beside scikit-learn's, probabilities of binary cross-entropy, nets of inferred sizes."""

import numpy as np
import pytest

import anynet as an
from anynet.data import Dataset, Split
from anynet.training.score import score

SETTINGS = {"batch_size": 10, "epochs": 2, "progress": False}


@pytest.fixture
def x(rng):
    return rng.standard_normal((40, 3)).astype(np.float32)


@pytest.mark.parametrize("m", [1, 3])
def test_numbers_have_scikit_learns_coefficient_of_determination(rng, m):
    metrics = pytest.importorskip("sklearn.metrics")
    truth, found = rng.standard_normal((2, 20, m))
    assert score(found, truth, ()) == pytest.approx(metrics.r2_score(truth, found))
    assert score(found[:, 0], truth[:, 0], ()) == pytest.approx(metrics.r2_score(truth[:, 0], found[:, 0]))
    assert score(np.ones(3), np.ones(3), ()) == metrics.r2_score(np.ones(3), np.ones(3)) == 1
    assert score(np.zeros(3), np.ones(3), ()) == metrics.r2_score(np.ones(3), np.zeros(3)) == 0


@pytest.mark.parametrize("library", ["numpy", "torch", "jax.numpy"])
def test_runs_and_ensembles_have_scores(library, x):
    xp = pytest.importorskip(library)
    net, given = an.Sequential(an.Linear(2)), xp.asarray(x)
    for labels in (np.where(x[:, 0] > 0, "right", "left"), x[:, 0] > 0, np.where(x[:, 0] > 0, 7, 3)):
        runs = an.fit(net, (x, labels), an.SGD(0.1), seeds=range(2), **SETTINGS)
        for predictor in (runs[0], runs.ensemble):
            right = np.mean([predictor.predict(x)[i] == labels[i] for i in range(40)])
            assert predictor.score(given, labels) == predictor.score(x.tolist(), labels.tolist()) == right
    run = an.fit(an.Sequential(an.Linear(1)), (x, x[:, 0]), an.SGD(0.1), **SETTINGS)
    assert run.predict(given).shape == (40,)
    error = np.mean((x[:, 0] - run.predict(x)) ** 2)
    assert run.score(given, x[:, 0]) == pytest.approx(1 - error / np.var(x[:, 0]), rel=1e-4)


def test_class_numbers_stand_for_classes_of_text(x):
    part = Split(x, (x[:, 0] > 0).astype(int))
    run = an.fit(an.Sequential(an.Linear(2)), Dataset("mine", ("a", "b"), part, test=part), an.SGD(0.1), **SETTINGS)
    assert run.score(part.x, part.y) == run.best_test.accuracy
    assert run.score(part.x, np.asarray(["a", "b"])[part.y]) == run.best_test.accuracy
    assert score(["0", "1"], [0, 0], ("0", "1")) == 0.5  # labels and class numbers are the same
    assert score(["3", "4"], [0, 0], ("3", "4")) == 0.5  # there is no label 0


@pytest.mark.parametrize(
    ("found", "y", "classes", "message"),
    [
        (["a", "b"], ["a"], ("a", "b"), "y: expected 2 labels"),
        (["a", "b"], [0, 2], ("a", "b"), "y: expected class numbers, 0 to 1, got 0 to 2"),
        (["a", "b"], [0.5, 1], ("a", "b"), "y: expected labels such as 'a', got float64"),
        ([1, 2], ["1", "2"], (1, 2), "y: expected labels such as 1, got <U1"),
        (
            ["1", "2"],
            [1, 1],
            ("1", "2"),
            "y: expected labels such as '1', got integers, which may be labels or class numbers",
        ),
        (
            ["2", "1"],
            [1, 2],
            ("1", "2"),
            "y: expected labels such as '1', got integers, which may be labels or class numbers",
        ),
        ([], [], (1, 2), "y: expected 0 labels, one for each sample and one at least"),
        ([1.0, 2.0], [1.0], (), r"y: expected numbers of shape \(2, 1\), of 2 samples or more, got \(1, 1\)"),
        ([1.0, 2.0], ["a", "b"], (), "y: expected numbers, as the net predicts, got <U1"),
    ],
)
def test_targets_that_do_not_fit_are_refused(found, y, classes, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        score(found, y, classes)


@pytest.mark.parametrize("backend", ["numpy", "torch:cpu", "jax"])
def test_binary_cross_entropy_predicts_probabilities(tmp_path, x, backend):
    if backend != "numpy":
        pytest.importorskip(backend.partition(":")[0])
    y = (x[:, :2] > 0).astype(np.float32)
    net = an.Sequential(an.Linear(2))
    run = an.fit(net, (x, y), an.SGD(0.5), loss="binary-cross-entropy", backend=backend, **SETTINGS | {"epochs": 30})
    named = {name: run.backend.to_host(array) for name, array in run.net.layout.split(run.best.params).items()}
    scale, shift = (run.backend.to_host(part) for part in run.normalization)
    expected = 1 / (1 + np.exp(-((x * scale + shift) @ named["0.W"] + named["0.b"])))
    np.testing.assert_allclose(run.predict(x), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(run.predict_proba(x), run.predict(x))
    run.save(tmp_path / "net.safetensors")
    np.testing.assert_allclose(an.load(tmp_path / "net.safetensors").predict(x), expected, rtol=1e-4, atol=1e-6)
    other = an.fit(net, (x, y), an.SGD(0.5), **SETTINGS)
    with pytest.raises(ValueError, match="predict_proba: expected a net of classes, got one that predicts numbers"):
        other.predict_proba(x)


class Shifted(an.Tanh):
    """A layer of one's own, which no file can name."""


def test_a_net_without_sizes_is_the_one_in_its_file(tmp_path, x):
    net = an.Sequential(an.Linear(4), Shifted(), an.Linear(2))
    run = an.fit(net, (x, x[:, 0] > 0), an.SGD(0.1), **SETTINGS)
    run.save(tmp_path / "net.safetensors")
    same = an.load(tmp_path / "net.safetensors", net=net)
    assert same.net == run.net
    np.testing.assert_array_equal(same.predict_proba(x), run.predict_proba(x))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lr", "the optimizer has the learning rate"),
        ("sample_weight", "from_arrays"),
        ("verbose", "progress=True"),
        ("label_smoothing", "loss="),
    ],
)
def test_settings_that_are_elsewhere_are_told(x, name, message):
    with pytest.raises(TypeError, match=f'^there is no setting "{name}"; .*{message}'):
        an.fit(an.Sequential(an.Linear(2)), (x, x[:, 0] > 0), an.SGD(0.1), **{name: 1})


def test_a_fraction_for_validation_is_the_same_for_every_seed(x):
    parts = [an.setup(an.Sequential(an.Linear(2)), (x, x[:, 0] > 0), an.SGD(), val=0.2, seed=seed) for seed in (1, 2)]
    known = an.data.from_arrays(x, x[:, 0] > 0, val=0.2)
    for ready in parts:
        np.testing.assert_array_equal(ready.inputs.data.val.x, known.val.x)
