"""scikit-learn's own checks of estimators, all of them."""

import importlib.util
import warnings
from collections import Counter

import pytest

pytest.importorskip("sklearn.base")

from sklearn.utils.estimator_checks import estimator_checks_generator

from anynet.sklearn import NetClassifier, NetRegressor, NetSearchCV

ESTIMATORS = (NetClassifier(), NetRegressor())
GRID, SEARCH = {"lr": [0.01, 0.1]}, {"cv": 2, "error_score": "raise"}
SEARCHES = [NetSearchCV(type(net)(epochs=100, random_state=0), GRID, **SEARCH) for net in ESTIMATORS]


def name_of(check):
    return getattr(check, "func", check).__name__


def words_of(check):
    """What a check is for, such as an array library."""
    return {key: value for key, value in getattr(check, "keywords", {}).items() if value}


def checks():
    for estimator in (*ESTIMATORS, *SEARCHES):
        seen = Counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = list(estimator_checks_generator(estimator))
        for each, check in found:
            name = name_of(check)
            seen[name] += 1
            marks = [pytest.mark.thorough] if "array_api" in name or estimator in SEARCHES else []
            kind = type(getattr(estimator, "estimator", estimator)).__name__
            ident = f"{'search-' * (estimator in SEARCHES)}{kind}-{name.removeprefix('check_')}-{seen[name]}"
            yield pytest.param(each, check, id=ident, marks=marks)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_check(estimator, check):
    libraries = str(words_of(check))
    if "cupy" in libraries and importlib.util.find_spec("cupy") and not has_gpu():
        pytest.skip("cupy finds no GPU here")
    check(estimator)


def has_gpu():
    import cupy

    try:
        return cupy.cuda.runtime.getDeviceCount() > 0
    except cupy.cuda.runtime.CUDARuntimeError:
        return False


@pytest.mark.parametrize(
    ("estimator", "least"), list(zip(ESTIMATORS, (67, 60), strict=True)), ids=["classifier", "regressor"]
)
def test_there_are_as_many_checks_as_for_scikit_learns_own_nets(estimator, least):
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    own = MLPClassifier() if isinstance(estimator, NetClassifier) else MLPRegressor()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        here, there = ({name_of(check) for _, check in estimator_checks_generator(e)} for e in (estimator, own))
        assert len(list(estimator_checks_generator(estimator))) >= least
    assert there - here == {"check_sample_weight_equivalence_on_sparse_data"}  # these estimators take no sparse data
