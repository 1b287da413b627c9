"""Estimators against anynet.fit, scikit-learn's nets and other truths."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn.base")

import sklearn
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import anynet as an
from anynet.sklearn import NetClassifier, NetRegressor
from anynet.training import TrainingWarning


def short(kind=NetClassifier, **settings):
    """A small net that trains for a few epochs, without a word."""
    return kind(**{"hidden": (12,), "epochs": 3, "tol": 0, "random_state": 5, **settings})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "settings",
    [{}, {"l2": 1e-3}, {"dropout": 0.3, "norm": "batch"}, {"optimizer": an.SGD(0.1, 0.9), "clip_norm": 0.5}],
    ids=["plain", "penalty", "dropout", "sgd"],
)
def test_training_is_that_of_fit(digits, dtype, settings):
    X, y = digits
    fitted = short(dtype=dtype, batch_size=64, **settings).fit(X, y)
    shared = {name: settings[name] for name in ("l2", "clip_norm") if name in settings}
    run = an.fit(
        fitted.net_,
        (X.astype(dtype), y),
        settings.get("optimizer", an.Adam()),
        epochs=3,
        batch_size=64,
        seed=5,
        dtype=dtype,
        normalize="none",
        progress=False,
        **shared,
    )
    np.testing.assert_array_equal(fitted.params_, run.params)


def test_loss_curve_is_the_loss_of_the_batches(digits):
    X, y = digits
    fitted = short(epochs=1, batch_size=len(X)).fit(X, y)  # one batch, whose loss is that of the initial parameters
    params, state = fitted.net_.init(5, X)
    expected, _ = an.losses.softmax_cross_entropy(fitted.net_(params, state, X), y)
    np.testing.assert_allclose(fitted.loss_curve_, [expected], rtol=1e-5)


def test_learns_as_well_as_scikit_learns_nets(digits):
    X, y = digits
    settings = {"random_state": 0, "tol": 0}
    net = NetClassifier(epochs=40, **settings).fit(X, y)
    with pytest.warns(ConvergenceWarning):
        mlp = MLPClassifier(max_iter=40, **settings).fit(X, y)
    assert net.loss_ < 1.1 * mlp.loss_
    X, y = load_diabetes(return_X_y=True)
    net = NetRegressor(epochs=60, lr=0.01, normalize="standardize", **settings).fit(X, y)
    with pytest.warns(ConvergenceWarning):
        mlp = MLPRegressor(max_iter=60, learning_rate_init=0.01, **settings).fit(StandardScaler().fit_transform(X), y)
    assert net.score(X, y) > mlp.score(StandardScaler().fit_transform(X), y) - 0.1


@pytest.mark.parametrize(
    "labels", [np.asarray(["ash", "elm", "oak"]), np.asarray([7, -1, 30]), np.asarray([1.0, 2, 4])]
)
def test_labels_come_back(labels):
    X, numbers = load_iris(return_X_y=True)
    fitted = short(normalize="standardize", lr=0.05, epochs=30).fit(X, labels[numbers])
    np.testing.assert_array_equal(fitted.classes_, np.sort(labels))
    assert fitted.predict(X).dtype == labels.dtype
    assert fitted.score(X, labels[numbers]) > 0.9
    np.testing.assert_allclose(fitted.predict_proba(X).sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(fitted.predict_log_proba(X)), fitted.predict_proba(X))


def test_several_labels_per_sample():
    X, y = make_multilabel_classification(n_samples=200, n_classes=4, random_state=0)
    fitted = short(epochs=60, lr=0.01).fit(X, y)
    found, probabilities = fitted.predict(X), fitted.predict_proba(X)
    assert found.shape == probabilities.shape == y.shape
    np.testing.assert_array_equal(found, probabilities > 0.5)
    assert np.mean(found == y) > 0.8


def test_several_numbers_per_sample():
    X, y = load_diabetes(return_X_y=True)
    both = np.stack([y, -2 * y], axis=1) / 100
    fitted = short(NetRegressor, normalize="standardize", epochs=60, lr=0.02).fit(X, both)
    assert fitted.predict(X).shape == both.shape
    assert fitted.score(X, both) > 0.4


def test_partial_fit_goes_on(digits):
    X, y = digits
    whole = short(epochs=3).fit(X, y)
    parts = short()
    for _ in range(3):
        parts.partial_fit(X, y, classes=range(10))
    np.testing.assert_array_equal(parts.params_, whole.params_)
    assert parts.loss_curve_ == whole.loss_curve_
    further = whole.partial_fit(X, y)
    assert further is whole
    assert len(whole.loss_curve_) == 4


def test_partial_fit_with_another_optimizer_starts_it_anew(digits):
    X, y = digits
    fitted = short(optimizer=an.SGD(0.1, 0.9)).fit(X, y)
    before = fitted.params_
    fitted.set_params(optimizer="adam", lr=1e-3).partial_fit(X, y)
    steps = 2  # of 200 samples, each of which moves no parameter by more than about the rate
    assert 0 < np.abs(fitted.params_ - before).max() <= 1.1 * steps * 1e-3


def test_partial_fit_takes_samples_of_some_classes(digits):
    X, y = digits
    fitted = short().partial_fit(X[y < 3], y[y < 3], classes=np.arange(10))
    assert fitted.predict_proba(X).shape == (len(X), 10)
    fitted.partial_fit(X[y > 6], y[y > 6])
    with pytest.raises(ValueError, match=r"expected the classes .*, as before, got 12"):
        fitted.partial_fit(X, np.full(len(X), 12))


def test_warm_start_goes_on_from_the_parameters(digits):
    X, y = digits
    cold, warm = short(epochs=10, lr=0.01), short(epochs=10, lr=0.01, warm_start=True)
    for estimator in (cold, warm):
        estimator.fit(X, y).fit(X, y)
    assert len(cold.loss_curve_) == 10
    assert len(warm.loss_curve_) == 20
    assert warm.n_iter_ == 10
    assert warm.loss_ < cold.loss_
    assert cold.loss_curve_ == warm.loss_curve_[:10]
    assert warm.loss_curve_[10] < warm.loss_curve_[9]


@pytest.mark.parametrize("kind", [NetClassifier, NetRegressor])
def test_weights_stand_for_repeated_samples(digits, kind):
    X, y = digits[0].astype(np.float64), digits[1] % 2 + (0.0 if kind is NetRegressor else 0)
    weights = np.arange(len(X)) % 3
    weighted = short(kind, batch_size=len(X)).fit(X, y, weights)
    repeated = short(kind, batch_size=2 * len(X)).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(weighted.params_, repeated.params_, rtol=1e-6, atol=1e-9)


def test_early_stopping_keeps_the_best_net(digits):
    X, y = digits
    fitted = NetClassifier((30,), early_stopping=True, lr=0.05, patience=3, random_state=0).fit(X, y)
    scores = fitted.validation_scores_
    assert fitted.n_iter_ == len(scores) < 200
    assert fitted.best_validation_score_ == max(scores)
    assert np.argmax(scores) < len(scores) - 1
    best = short(hidden=(30,), early_stopping=True, lr=0.05, random_state=0, epochs=1 + int(np.argmax(scores)))
    np.testing.assert_array_equal(best.fit(X, y).params_, fitted.params_)


def test_training_ends_when_the_loss_stays(digits):
    fitted = NetClassifier((5,), tol=10.0, patience=4, random_state=0).fit(*digits)
    assert fitted.n_iter_ == 6  # the first epoch improves on nothing, and five do not improve on it
    with pytest.warns(ConvergenceWarning, match="after 2 epochs"):
        NetClassifier((5,), epochs=2, patience=1).fit(*digits)


def test_normalization_is_that_of_the_training_samples(digits):
    X, y = digits
    own = short(normalize="standardize").fit(X, y)
    scaler = StandardScaler().fit(X)
    other = short().fit(scaler.transform(X), y)
    np.testing.assert_allclose(own.predict_proba(X), other.predict_proba(scaler.transform(X)), rtol=1e-3, atol=1e-4)


def test_a_net_of_ones_own(digits):
    X, y = digits
    for net in (
        an.Sequential(an.Linear(64, 9), an.Tanh(), an.Linear(9, 10)),
        an.Sequential(an.Linear(9), an.Tanh(), an.Linear(10)),
        lambda n_in, n_out: an.Sequential(an.Linear(n_in, 9), an.Tanh(), an.Linear(9, n_out)),
    ):
        assert short(net=net).fit(X, y).net_[0] == an.Linear(64, 9)
    with pytest.raises(ValueError, match="expected 64 input and 10 output features, as the data has, got 63 and 10"):
        short(net=an.Sequential(an.Linear(63, 10))).fit(X, y)
    with pytest.raises(TypeError, match="expected a Sequential, or a function that returns one, got int"):
        short(net=lambda n_in, n_out: 3).fit(X, y)


def test_a_fitted_estimator_can_be_kept(digits):
    X, y = digits
    fitted = short(dropout=0.2).fit(X, y)
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(loaded.partial_fit(X, y).params_, fitted.partial_fit(X, y).params_)
    assert clone(fitted).get_params() == fitted.get_params()
    assert not hasattr(clone(fitted), "classes_")


def test_pipelines_and_cross_validation(digits):
    X, y = digits
    pipeline = make_pipeline(StandardScaler(), short(epochs=20, lr=0.01))
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.8


def test_weights_are_routed(digits):
    X, y = digits
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(FunctionTransformer(), short(lr=0.1, epochs=20).set_fit_request(sample_weight=True))
        pipeline.fit(X, y, sample_weight=np.where(y == 3, 1.0, 0.0))
    assert set(pipeline.predict(X)) == {3}


def test_torch_tensors_stay_in_torch(digits):
    torch = pytest.importorskip("torch")
    X, y = digits
    here = short(backend="torch:cpu").fit(X, y)
    with sklearn.config_context(array_api_dispatch=True):
        x, labels = torch.asarray(X), torch.asarray(y)
        fitted = short().fit(x, labels)
        found, probabilities = fitted.predict(x), fitted.predict_proba(x)
        assert isinstance(fitted.params_, torch.Tensor)
        assert isinstance(found, torch.Tensor)
        assert isinstance(probabilities, torch.Tensor)
        assert fitted.score(x, labels) == pytest.approx(here.score(X, y))
    np.testing.assert_allclose(probabilities.numpy(), here.predict_proba(X), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
        (lambda X, y: (np.where(X == 1, np.nan, X), y), "Input X contains NaN"),
        (lambda X, y: (np.where(X == 1, np.inf, X), y), "Input X contains infinity"),
        (lambda X, y: (np.full(X.shape, "a"), y), "could not convert string to float"),
        (lambda X, y: (X, np.zeros(len(X), int)), "expected samples of 2 classes or more, got one class, 0"),
        (lambda X, y: (X, np.linspace(0, 1, len(X))), "Unknown label type: continuous"),
        (lambda X, y: (X, np.stack([y, y], axis=1)), "expected a label, or several of 0 and 1, for each sample"),
    ],
    ids=["lengths", "NaN", "infinity", "texts", "one class", "numbers", "outputs"],
)
def test_bad_data(digits, change, message):
    with pytest.raises(ValueError, match=message) as caught:
        short().fit(*change(*digits))
    assert len(str(caught.value).splitlines()[0]) > 20


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden": (0,)},
        {"activation": "rleu"},
        {"optimizer": "adm"},
        {"lr": 0.0},
        {"l2": -1},
        {"epochs": 0},
        {"loss": "x"},
    ],
    ids=str,
)
def test_bad_settings(digits, settings):
    with pytest.raises(ValueError, match=next(iter(settings)) if "hidden" not in settings else "feature") as caught:
        short(**settings).fit(*digits)
    assert "\n" not in str(caught.value)


def test_a_loss_that_is_no_longer_finite(digits):
    X, y = digits
    with pytest.raises(an.DivergedError, match="no longer finite in epoch 2, at step 1 of 2"):
        short(NetRegressor, optimizer=an.SGD(1e6)).fit(X, y.astype(float))


def test_every_backend_gives_the_same_net(digits, backend_here):
    X, y = digits
    weights = np.linspace(0.5, 2, len(X))
    settings = {"batch_size": 150, "normalize": "standardize", "lr": 0.01, "l2": 1e-4}
    here, there = short(backend=backend_here, **settings), short(**settings)
    for fitted in (here, there):
        fitted.fit(X, y, weights).partial_fit(X[:90], y[:90])
    assert backend_here.holds(here.params_)
    assert isinstance(here.predict(X), np.ndarray)
    np.testing.assert_allclose(here.predict_proba(X), there.predict_proba(X), rtol=1e-2, atol=1e-4)
    np.testing.assert_allclose(here.loss_curve_, there.loss_curve_, rtol=1e-3)


def test_a_last_batch_of_one_that_is_normalized(digits):
    X, y = digits
    with pytest.warns(TrainingWarning, match="a single sample"):
        short(norm="batch", batch_size=19).fit(X[:39], y[:39])
    with pytest.raises(ValueError, match="batch_size: expected 2 or more"):
        short(norm="batch", batch_size=1).fit(X, y)
