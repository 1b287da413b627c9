"""Search over parameters with cross-validation, in which nets are trained as stacks."""

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, _fit_context, clone, is_classifier
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection import ParameterGrid, ParameterSampler, check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import _insert_error_scores, _score, _warn_or_raise_about_fit_failures
from sklearn.utils import indexable
from sklearn.utils._array_api import get_namespace_and_device
from sklearn.utils._param_validation import Interval
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params, _num_samples

from anynet.sklearn.input_arrays import backend_for
from anynet.sklearn.stacked_candidates import Trained, fit_stack, group, net_of, parts


class NetSearchCV(BaseSearchCV):  # type: ignore[misc]  # scikit-learn has no types
    """Search over parameters of nets, with the interface of scikit-learn's ``GridSearchCV`` and ``RandomizedSearchCV``.

    Candidates that differ only in `random_state`, `l2`, `lr`, in settings of the optimizer that members may have of
    their own, or in initializers are trained as one stack for each split, and stacks beside each other on the cores.
    Each has the scores that ``GridSearchCV`` would give it. All others are trained one by one.

    Parameters
    ----------
    estimator : NetClassifier or NetRegressor
        Or a pipeline that ends with one. Any other estimator works too, without stacks.
    param_grid : dict or list of dict
        Values to try by parameter, as for ``GridSearchCV``; with `n_iter` also distributions, as for
        ``RandomizedSearchCV``.
    n_iter : int, optional
        Number of candidates to draw at random. Default: all combinations.
    scoring : str, callable, list, tuple or dict, optional
        As for ``GridSearchCV``, with several metrics too. Default: the estimator's ``score``.
    n_jobs : int, optional
        Number of threads that train stacks beside each other, on a CPU with a core each. Default: all cores, or one
        thread where the backend is faster with it.
    refit : bool, str or callable, default True
        As for ``GridSearchCV``.
    cv : int, cross-validation generator or iterable, optional
        As for ``GridSearchCV``: 5 folds by default.
    verbose : int, default 0
        If not 0, print the number of fits; above 1 the scores of each.
    random_state : int or RandomState, optional
        Seed of the candidates that `n_iter` draws.
    error_score : "raise" or float, default NaN
        Score of a candidate whose training fails.
    return_train_score : bool, default False
        If True, score the training samples too.

    Attributes
    ----------
    cv_results_ : dict
        With the keys and shapes of ``GridSearchCV``. Times of a stack are divided equally among its candidates.
    best_estimator_ : estimator
    best_score_ : float
    best_params_ : dict
    best_index_, n_splits_ : int
    scorer_ : callable or dict
    refit_time_ : float
    multimetric_ : bool
    stacks_ : list of list of int
        Numbers of the candidates that were trained as one stack on each split.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from anynet.sklearn import NetClassifier, NetSearchCV
    >>> (X, y), grid = load_iris(return_X_y=True), {"lr": [1e-4, 1e-2], "l2": [0, 1e-3]}
    >>> net = NetClassifier((10,), epochs=30, tol=0, normalize="standardize", random_state=0)
    >>> search = NetSearchCV(net, grid, cv=3, refit=False).fit(X, y)
    >>> search.best_params_["lr"], search.stacks_
    (0.01, [[0, 1, 2, 3]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **{name: kinds for name, kinds in BaseSearchCV._parameter_constraints.items() if name != "pre_dispatch"},
        "param_grid": [dict, list],
        "n_iter": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        param_grid: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        n_iter: int | None = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
    ) -> None:
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_grid = param_grid
        self.n_iter = n_iter
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Train and score all candidates on all splits, and the best one on all samples.

        Parameters
        ----------
        X, y : array-like, shapes (n_samples, n_features) and (n_samples,) or (n_samples, n_outputs)
            Features, and class labels or numbers to predict.
        **params : dict of str to object
            Arguments for ``fit`` of the estimator, such as `sample_weight`, for the splitter and for the scorer, as for
            ``GridSearchCV``.

        Returns
        -------
        self
        """
        scorers, metric = self._get_scorers()
        X, y = indexable(X, y)
        routed = self._get_routed_params_for_fit(_check_method_params(X, params=params))
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(splitter.split(X, y, **routed.splitter.split))
        self.n_splits_ = len(splits)
        candidates = self._candidates()
        if self.verbose:
            fits = f"{len(candidates)} candidates, totalling {len(candidates) * len(splits)} fits"
            print(f"Fitting {len(splits)} folds for each of {fits}")
        out = self._evaluate(candidates, splits, X, y, scorers, routed)
        _warn_or_raise_about_fit_failures(out, self.error_score)
        if callable(self.scoring):
            _insert_error_scores(out, self.error_score)
        self.multimetric_ = isinstance(out[0]["test_scores"], dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(out[0]["test_scores"])
            metric = self.refit
        self.cv_results_ = self._format_results(candidates, len(splits), out)
        self.scorer_ = scorers._scorers if isinstance(scorers, _MultimetricScorer) else scorers
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, metric, self.cv_results_)
            self.best_params_ = candidates[self.best_index_]
            if not callable(self.refit):
                self.best_score_ = self.cv_results_[f"mean_test_{metric}"][self.best_index_]
        if self.refit:
            self._refit(X, y, routed.estimator.fit)
        return self

    def _candidates(self) -> list[dict[str, Any]]:
        if self.n_iter is None:
            return list(ParameterGrid(self.param_grid))
        return list(ParameterSampler(self.param_grid, self.n_iter, random_state=self.random_state))

    def _refit(self, X: Any, y: Any, fit_params: Mapping[str, Any]) -> None:
        best, began = self._with_parameters(self.best_params_), time.perf_counter()
        self.best_estimator_ = best.fit(X, **fit_params) if y is None else best.fit(X, y, **fit_params)
        self.refit_time_ = time.perf_counter() - began
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_

    def _with_parameters(self, parameters: Mapping[str, Any]) -> BaseEstimator:
        """Return a new estimator; values are cloned, because they may be estimators."""
        return clone(self.estimator).set_params(**clone(parameters, safe=False))

    def _with_seed(self, parameters: Mapping[str, Any]) -> BaseEstimator:
        """Return a new estimator that draws no seed when it is fitted."""
        estimator = self._with_parameters(parameters)
        if (net := net_of(estimator)) is not None:
            with suppress(ValueError):  # the parameter is wrong, which is for its training to say
                net.random_state = net._new_seed()
        return estimator

    def _evaluate(
        self, candidates: Sequence[Mapping[str, Any]], splits: Sequence[Any], X: Any, y: Any, scorers: Any, routed: Any
    ) -> list[dict[str, Any]]:
        """Return the results of all candidates on all splits, in the order that `_format_results` takes."""
        net, (xp, _, device) = net_of(self.estimator), get_namespace_and_device(X)
        backend = None if net is None else backend_for(X, net.backend)
        workers = effective_n_jobs(self.n_jobs) if self.n_jobs or backend is None else backend.workers
        groups = group([self._with_parameters(parameters) for parameters in candidates])
        self.stacks_ = parts(groups, len(splits), workers)
        tasks = [(part, k) for k in range(len(splits)) for part in self.stacks_]
        # Made here, since a step of which another thread draws numbers ahead seems to draw them itself.
        made = [[self._with_seed(candidates[i]) for i in part] for part, _ in tasks]

        def evaluate(estimators: Sequence[BaseEstimator], k: int) -> list[dict[str, Any]]:
            train, test = (xp.asarray(rows, device=device) for rows in splits[k])
            samples: tuple[Any, Any] = _safe_split(estimators[0], X, y, train)
            own = _check_method_params(X, params=routed.estimator.fit, indices=train)
            others = _safe_split(estimators[0], X, y, test, train)
            scoring = [_check_method_params(X, params=routed.scorer.score, indices=rows) for rows in (train, test)]
            fits = fit_stack(estimators, *samples, own, len(tasks))
            return [self._result(fit, samples, others, scorers, *scoring) for fit in fits]

        with nullcontext() if backend is None else backend.one_thread_each():
            calls = (delayed(evaluate)(own, k) for own, (_, k) in zip(made, tasks, strict=True))
            found = Parallel(n_jobs=workers, backend="threading")(calls)
        results = {
            (i, k): result
            for (part, k), own in zip(tasks, found, strict=True)
            for i, result in zip(part, own, strict=True)
        }
        return [results[i, k] for i in range(len(candidates)) for k in range(len(splits))]

    def _result(
        self, fit: Trained, samples: Any, others: Any, scorers: Any, train_params: Any, test_params: Any
    ) -> dict[str, Any]:
        """Return what scikit-learn's searches note of a fit."""
        if fit.exception is not None and self.error_score == "raise":
            raise fit.exception
        began, scores = time.perf_counter(), dict[str, Any]()
        for name, data, params in (("test", others, test_params), ("train", samples, train_params)):
            if name == "train" and not self.return_train_score:
                continue
            if fit.exception is None:
                scores[f"{name}_scores"] = _score(fit.estimator, *data, scorers, params, self.error_score)
            elif isinstance(scorers, _MultimetricScorer):
                scores[f"{name}_scores"] = dict.fromkeys(scorers._scorers, self.error_score)
            else:
                scores[f"{name}_scores"] = self.error_score
            if name == "test":
                seconds = time.perf_counter() - began
        if self.verbose > 1:
            print(f"{fit.estimator}: {scores}, {fit.seconds:.2f} s")
        return {
            **scores,
            "fit_error": fit.error or None,
            "fit_time": fit.seconds,
            "score_time": 0.0 if fit.exception else seconds,
            "n_test_samples": _num_samples(others[0]),
        }
