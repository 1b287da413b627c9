"""Searches against scikit-learn's, over the same estimators."""

import numpy as np
import pytest

pytest.importorskip("sklearn.base")

from scipy.stats import loguniform
from sklearn.datasets import load_diabetes
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import anynet as an
from anynet.nn.initializers import Normal
from anynet.sklearn import NetClassifier, NetRegressor, NetSearchCV


def short(kind=NetClassifier, **settings):
    return kind(**{"hidden": (8,), "epochs": 4, "tol": 0, "random_state": 1, **settings})


def compare(search, other, data, **params):
    """Fit both searches and compare everything but times."""
    search.fit(*data, **params)
    other.fit(*data, **params)
    a, b = search.cv_results_, other.cv_results_
    assert a.keys() == b.keys()
    assert a["params"] == b["params"]
    for key in a:
        if key != "params" and "time" not in key:
            if key.startswith("param_"):
                assert list(a[key]) == list(b[key])
            else:
                np.testing.assert_allclose(a[key], b[key], rtol=1e-6, err_msg=key)
        assert len(a[key]) == len(b[key])
    assert search.n_splits_ == other.n_splits_
    assert search.multimetric_ == other.multimetric_


GRIDS = {
    "rates and penalties": ({"lr": [1e-3, 1e-2, 0.1], "l2": [0, 1e-3]}, {"cv": 3}, [[0, 1, 2, 3, 4, 5]]),
    "widths": ({"hidden": [(4,), (8, 8)], "lr": [0.01, 0.1]}, {"cv": 2}, [[0, 1], [2, 3]]),
    "seeds": ({"random_state": [0, 1, 2]}, {"cv": 2}, [[0, 1, 2]]),
    "optimizers": (
        [{"optimizer": [an.SGD(0.1), an.SGD(0.1, momentum=0.9), an.Adam(0.01), an.Adam(0.1, beta2=0.9)]}],
        {"cv": 2},
        [[0, 1], [2], [3]],  # members may differ in momentum, not in β2
    ),
    "momenta": (
        {"optimizer": [an.SGD(0.1, 0.5), an.SGD(0.02, 0.9)]},
        {"cv": KFold(3, shuffle=True, random_state=0)},
        [[0, 1]],
    ),
    "initializers": (
        {"net": [an.Sequential(an.Linear(64, 10, Normal(std))) for std in (0.01, 0.1)]},
        {"cv": 2},
        [[0, 1]],
    ),
}


@pytest.mark.parametrize("name", GRIDS)
def test_scores_are_those_of_grid_search(digits, name):
    grid, settings, stacks = GRIDS[name]
    search = NetSearchCV(short(), grid, n_jobs=1, return_train_score=True, **settings)
    compare(search, GridSearchCV(short(), grid, return_train_score=True, **settings), digits)
    assert search.best_index_ == int(np.argmin(search.cv_results_["rank_test_score"]))
    assert search.score(*digits) == search.best_estimator_.score(*digits)
    members = {k: stack for stack in stacks for k in stack}
    assert sorted(k for part in search.stacks_ for k in part) == sorted(members)
    assert all(set(part) <= set(members[part[0]]) for part in search.stacks_)


def test_candidates_that_differ_as_members_may_share_a_stack(digits):
    for name, (grid, settings, stacks) in GRIDS.items():
        search = NetSearchCV(short(epochs=1), grid, refit=False, n_jobs=1, **settings).fit(*digits)
        assert search.stacks_ == stacks, name


def test_members_that_converge_early(digits):
    grid = {"lr": [1e-4, 1e-2, 0.05, 0.1], "random_state": [0, 1]}
    net = NetClassifier((8,), epochs=30, tol=0.02, patience=2)
    search, other = NetSearchCV(net, grid, cv=2), GridSearchCV(net, grid, cv=2)
    with pytest.warns(UserWarning, match="before it converged"):
        compare(search, other, digits)
    assert search.best_estimator_.n_iter_ == other.best_estimator_.n_iter_


def test_early_stopping(digits):
    grid, net = {"lr": [1e-3, 0.03], "random_state": [0, 1]}, short(early_stopping=True, epochs=6, patience=1)
    compare(NetSearchCV(net, grid, cv=2), GridSearchCV(net, grid, cv=2), digits)


def test_regression_with_weights_and_threads():
    X, y = load_diabetes(return_X_y=True)
    net, grid = short(NetRegressor, normalize="standardize", epochs=10), {"lr": [1e-3, 0.1], "random_state": [0, 1]}
    settings = {"scoring": ["r2", "neg_mean_absolute_error"], "refit": "r2", "cv": 3}
    weights = np.random.default_rng(0).random(len(X))
    search = NetSearchCV(net, grid, n_jobs=2, **settings)
    compare(search, GridSearchCV(net, grid, **settings), (X, y / 100), sample_weight=weights)
    assert set(search.scorer_) == {"r2", "neg_mean_absolute_error"}


def test_pipelines(digits):
    pipeline = make_pipeline(StandardScaler(), short())
    grid = {"netclassifier__lr": [1e-3, 0.1], "standardscaler__with_mean": [True, False]}
    search = NetSearchCV(pipeline, grid, cv=2, n_jobs=1)
    compare(search, GridSearchCV(pipeline, grid, cv=2), digits)
    assert {len(part) for part in search.stacks_} <= {1, 2}


def test_other_estimators(digits):
    grid = {"C": [0.01, 1.0]}
    compare(NetSearchCV(LogisticRegression(), grid, cv=2), GridSearchCV(LogisticRegression(), grid, cv=2), digits)


def test_random_candidates(digits):
    space = {"lr": loguniform(1e-4, 1e-1), "l2": [0, 1e-3]}
    search = NetSearchCV(short(), space, n_iter=4, random_state=3, cv=2)
    compare(search, RandomizedSearchCV(short(), space, n_iter=4, random_state=3, cv=2), digits)


def test_a_candidate_that_diverges_leaves_the_others_alone():
    X, y = load_diabetes(return_X_y=True)
    grid, net = {"lr": [1e-3, 1e30, 1e-2]}, short(NetRegressor, optimizer="sgd", normalize="standardize")
    with pytest.warns(FitFailedWarning, match="2 fits failed"):
        search = NetSearchCV(net, grid, cv=2, error_score=-7.0, refit=False).fit(X, y / 100)
    scores = search.cv_results_["mean_test_score"]
    assert scores[1] == -7
    alone = GridSearchCV(net, {"lr": [1e-3, 1e-2]}, cv=2, refit=False).fit(X, y / 100)
    np.testing.assert_allclose(scores[[0, 2]], alone.cv_results_["mean_test_score"], rtol=1e-6)
    with pytest.raises(an.DivergedError, match="no longer finite"):
        NetSearchCV(net, grid, cv=2, error_score="raise").fit(X, y / 100)


def test_a_wrong_setting_is_the_candidates_own(digits):
    with pytest.warns(FitFailedWarning, match="2 fits failed"), pytest.warns(UserWarning, match="non-finite"):
        search = NetSearchCV(short(), {"lr": [0.01, -1.0]}, cv=2, refit=False).fit(*digits)
    assert np.isfinite(search.cv_results_["mean_test_score"]).tolist() == [True, False]


def test_as_a_classifier_of_its_own(digits):
    X, y = digits
    search = NetSearchCV(short(), {"lr": [0.01, 0.1]}, cv=2).fit(X, y.astype(str))
    np.testing.assert_array_equal(search.predict(X), search.best_estimator_.predict(X))
    np.testing.assert_array_equal(search.classes_, [str(k) for k in range(10)])
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()


def test_seeds_that_are_drawn_differ(digits):
    search = NetSearchCV(short(random_state=None, epochs=1), {"l2": [0, 0.0, 1e-9]}, cv=2, n_jobs=2, refit=False)
    scores = search.fit(*digits).cv_results_
    assert len({*scores["split0_test_score"], *scores["split1_test_score"]}) > 2
    drawn = np.random.RandomState(3)
    nets = NetSearchCV(short(random_state=drawn), {"lr": [0.01]}, cv=2, refit=False).fit(*digits)
    again = NetSearchCV(short(random_state=np.random.RandomState(3)), {"lr": [0.01]}, cv=2, refit=False).fit(*digits)
    np.testing.assert_array_equal(nets.cv_results_["mean_test_score"], again.cv_results_["mean_test_score"])
