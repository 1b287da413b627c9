"""Confusion, precision and recall, calibration, mistakes: against scikit-learn, and what is refused."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest

import anynet as an
from anynet.data import Dataset, Split
from anynet.training.analysis import Confusion, PerClass, evaluated
from anynet.training.predictor import Predictor

CLASSES = ("zero", "one", "two", "never")


def split(n, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    return Split(x, (x[:, 0] + rng.normal(size=n) > 0).astype(int) + (x[:, 1] > 1))


DATA = Dataset("points", CLASSES, split(60), val=split(40, 1), test=split(50, 2))


def fitted(backend="numpy", **settings):
    how = "auto" if getattr(backend, "name", "") == "jax" else "off"
    settings = {"epochs": 3, "batch_size": 10, "compile": how, "progress": False} | settings
    return an.fit(an.Sequential(an.Linear(3, 4)), DATA, an.SGD(0.1), backend=backend, **settings)


@pytest.fixture(scope="module")
def run():
    return fitted()


def predicted(run, part):
    chances = run.predict_proba(part.x)
    return chances, chances.argmax(axis=1)


def test_confusion_is_that_of_scikit_learn_on_every_backend(backend_here):
    metrics = pytest.importorskip("sklearn.metrics")
    run = fitted(backend_here)
    for name, part in {"test": DATA.test, "val": DATA.val}.items():
        found = run.confusion(name)
        expected = metrics.confusion_matrix(part.y, predicted(run, part)[1], labels=range(4))
        np.testing.assert_array_equal(found.counts, expected)
        assert found.accuracy == run.score(part.x, part.y) == np.trace(expected) / len(part)
    assert found.classes == CLASSES
    assert run.confusion().accuracy == pytest.approx(run.best_test.accuracy)


def test_precision_and_recall_are_those_of_scikit_learn(run):
    metrics = pytest.importorskip("sklearn.metrics")
    found = run.per_class()
    expected = metrics.precision_recall_fscore_support(
        DATA.test.y, predicted(run, DATA.test)[1], labels=range(4), zero_division=np.nan
    )
    for mine, theirs in zip((found.precision, found.recall, found.f1, found.support), expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert np.isnan(found.recall[3])


def test_calibration_is_that_of_scikit_learn(run):
    calibration = pytest.importorskip("sklearn.calibration")
    chances, guess = predicted(run, DATA.test)
    right, sure = guess == DATA.test.y, chances.max(axis=1)
    found = run.calibration()
    accuracy, confidence = calibration.calibration_curve(right, sure, n_bins=15)
    there = found.count > 0
    np.testing.assert_allclose(found.accuracy[there], accuracy)
    np.testing.assert_allclose(found.confidence[there], confidence)
    assert np.isnan(found.accuracy[~there]).all()
    assert found.count.sum() == 50
    assert found.error == pytest.approx((found.count[there] / 50) @ abs(accuracy - confidence))


def test_mistakes_are_the_samples_with_the_surest_wrong_class(run):
    chances, guess = predicted(run, DATA.test)
    wrong = [i for i in range(50) if guess[i] != DATA.test.y[i]]
    wrong.sort(key=lambda i: -chances[i, guess[i]])
    found = run.mistakes(3)
    assert found.index.tolist() == wrong[:3]
    np.testing.assert_array_equal(found.x, DATA.test.x[wrong[:3]])
    np.testing.assert_array_equal(found.predicted, guess[wrong[:3]])
    np.testing.assert_array_equal(found.true, DATA.test.y[wrong[:3]])
    np.testing.assert_allclose(found.true_probability, chances[wrong[:3], DATA.test.y[wrong[:3]]])
    assert len(run.mistakes(1000)) == len(wrong)
    labels = [(CLASSES[DATA.test.y[i]], CLASSES[guess[i]]) for i in wrong]
    assert [(each.index, each.true, each.predicted) for each in found] == [(wrong[k], *labels[k]) for k in range(3)]
    np.testing.assert_array_equal(found[-1].x, found.x[2])
    rest = run.mistakes(1000)[1:3]
    assert (rest.index.tolist(), rest[0].predicted, repr(rest).splitlines()[0]) == (
        wrong[1:3],
        labels[1][1],
        found.title,
    )
    with pytest.raises(IndexError):
        found[3]


def test_splits_and_arrays_are_taken(run):
    names = np.asarray(CLASSES)[DATA.test.y]
    for given in (DATA.test, (DATA.test.x, names), (DATA.test.x.tolist(), names.tolist())):
        np.testing.assert_array_equal(run.confusion(given).counts, run.confusion("test").counts)


def test_class_numbers_of_a_split_are_not_labels():
    x, labels = np.arange(20.0)[:, None], 5 - np.arange(20) // 10 * 2
    run = an.fit(an.Sequential(an.Linear(1, 2)), (x, labels), an.SGD(0.1), epochs=1, backend="numpy", compile="off")
    assert run.classes == (3, 5)
    of_labels = run.confusion((x, labels))
    np.testing.assert_array_equal(of_labels.counts, run.confusion(Split(x, labels // 4)).counts)


def test_a_split_is_predicted_once_for_all(run, monkeypatch):
    calls = []
    monkeypatch.setattr(
        Predictor, "predict_proba", lambda self, x, own=Predictor.predict_proba: calls.append(len(x)) or own(self, x)
    )
    fresh = replace(run)
    fresh.confusion(), fresh.calibration(), fresh.mistakes(), fresh.per_class("test")
    assert calls == [50]
    fresh.confusion("val")
    assert calls == [50, 40]
    x, y = DATA.val.x.copy(), np.asarray(CLASSES)[DATA.val.y]
    before = fresh.confusion((x, y)).counts
    x[:] = -x  # arrays may change
    assert (fresh.confusion((x, y)).counts != before).any()


def test_probabilities_are_made_in_blocks(run, monkeypatch):
    whole = run.calibration("val")
    monkeypatch.setattr(evaluated, "BLOCK", 4 * 16)
    parts = replace(run).calibration("val")
    np.testing.assert_array_equal(parts.count, whole.count)
    np.testing.assert_allclose(parts.confidence, whole.confidence, rtol=1e-6)


def test_members_and_their_ensemble_have_the_same_samples():
    runs = fitted(seeds=[0, 1])
    assert runs[0].confusion("val").counts.sum() == runs[1].confusion("val").counts.sum() == 40
    mean = np.mean([each.predict_proba(DATA.test.x) for each in runs], axis=0)
    guess = mean.argmax(axis=1)
    found = runs.ensemble.confusion()
    np.testing.assert_array_equal(found.counts.sum(axis=0), np.bincount(guess, minlength=4))
    assert found.accuracy == runs.ensemble.test_accuracy == np.mean(guess == DATA.test.y)
    for alone, each in zip(runs.ensemble.each(), runs, strict=True):
        np.testing.assert_array_equal(alone.confusion().counts, each.confusion().counts)


def test_samples_are_not_saved(run, tmp_path):
    run.save(tmp_path / "net.safetensors")
    for other in (an.load(tmp_path / "net.safetensors"), pickle.loads(pickle.dumps(run)), copy.copy(run)):
        with pytest.raises(
            ValueError, match=r"^split: expected a Split or \(x, y\), since the net was trained without any, or load"
        ):
            other.confusion()
        assert other.confusion(DATA.test).accuracy == run.confusion().accuracy


REFUSED = [
    ("tset", ValueError, r'split: expected "test", "val", a Split or \(x, y\), got "tset"$'),
    (3, TypeError, r'split: expected "test", "val", a Split or \(x, y\), got 3$'),
    (Split(np.zeros((2, 3)), np.asarray([0, 4])), ValueError, "y: expected class numbers, 0 to 3, got 0 to 4$"),
    (Split(np.zeros((2, 3)), np.zeros(2)), TypeError, "y: expected class numbers, as the net gives classes, got float"),
    (Split(np.zeros((2, 4)), np.zeros(2, int)), ValueError, r"x: expected .* shape \(N, 3\), got shape \(2, 4\)$"),
    (Split(np.zeros((2, 3)), np.zeros(2, int), (3, 1)), ValueError, r"x: expected .* got shape \(2, 3, 1\)$"),
    (Split(np.zeros((0, 3)), np.zeros(0, int)), ValueError, "split: expected a sample or more, got none$"),
    ((np.zeros((2, 3)), ["zero", "ten"]), ValueError, "y: expected labels of classes, got 'ten', which the net has"),
    ((np.zeros((2, 3)), ["zero"]), ValueError, r"y: expected 2 labels, one for each sample, got shape \(1,\)$"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "kind", "message"), REFUSED)
def test_other_samples_are_refused_in_one_line(run, given, kind, message):
    for analyse in (run.confusion, run.per_class, run.calibration, lambda split: run.mistakes(5, split)):
        with pytest.raises(kind, match=rf"^{message}"):
            analyse(given)


def test_runs_without_such_samples_say_so():
    run = an.fit(an.Sequential(an.Linear(3, 4)), replace(DATA, test=None), an.SGD(0.1), epochs=1, backend="numpy")
    assert run.confusion().counts.sum() == 40  # those of validation
    assert "40 validation samples" in repr(run.confusion())
    with pytest.raises(ValueError, match=r"since the net was trained without test samples$"):
        run.confusion("test")
    with pytest.raises(ValueError, match=r"^n: expected a number of 1 or more, got 0$"):
        run.mistakes(0)


def test_nets_of_numbers_have_errors_alone():
    x = np.random.default_rng(0).normal(size=(30, 2))
    run = an.fit(an.Sequential(an.Linear(2, 2)), (x, x**2), an.SGD(0.1), val=0.2, epochs=2, backend="numpy")
    for method in ("confusion", "per_class", "calibration"):
        with pytest.raises(ValueError, match=rf"^{method}: expected a net of classes, got one that predicts numbers"):
            getattr(run, method)()
    found = run.mistakes(4, (x, x**2))
    distance = np.linalg.norm(run.predict(x) - x**2, axis=1)
    assert found.index.tolist() == np.argsort(-distance)[:4].tolist()
    np.testing.assert_allclose(found.error, distance[found.index])
    np.testing.assert_array_equal(found[:2][1].predicted, run.predict(x)[found.index[1]])
    assert [each.error for each in found] == found.error.tolist()
    with pytest.raises(ValueError, match=r"^y: expected numbers of shape \(30, 2\), got \(30, 1\)$"):
        run.mistakes(4, (x, x[:, 0]))


@pytest.mark.parametrize("n", [2, 10, 100])
def test_tables_fit_a_terminal(n, run):
    rng = np.random.default_rng(n)
    names = tuple(f"a class with number {k}" for k in range(n))
    confusion = Confusion(rng.integers(0, 1000, (n, n)) + 9000 * np.eye(n, dtype=int), names, "test", "names")
    tables = [confusion, PerClass.of(confusion), run.calibration(), run.mistakes(100)]
    for lines in (repr(table).splitlines() for table in tables):
        assert max(map(len, lines)) <= 80
        assert len(lines) <= 24
    a, b, count = confusion.pairs[0]
    assert count == confusion.counts[names.index(a), names.index(b)]
    assert count == max(confusion.counts[i, j] for i in range(n) for j in range(n) if i != j)
    assert "<td" in confusion._repr_html_()
