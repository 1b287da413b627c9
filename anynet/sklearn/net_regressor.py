"""Regression with scikit-learn's interface."""

from typing import Any, ClassVar, Self

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d

from anynet.nn.losses import Loss, mean_squared_error
from anynet.sklearn.estimator_losses import loss_of
from anynet.sklearn.input_arrays import like_input
from anynet.sklearn.net_estimator import NetEstimator


class NetRegressor(RegressorMixin, NetEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Regressor with scikit-learn's interface: a net that is trained by anynet.

    Defaults are those of scikit-learn's ``MLPRegressor`` where both have a parameter, but for the penalty, which is 0.
    The loss is the mean squared error, twice what ``MLPRegressor`` minimizes.

    Parameters
    ----------
    **parameters : see `NetParameters`

    Attributes
    ----------
    n_iter_ : int
        Number of epochs of the last call of ``fit``.
    loss_curve_ : list of float
        Mean loss of the batches of each epoch, as they came, without the penalty.
    loss_ : float
        The last of them.
    validation_scores_ : list of float or None
        Validation score after each epoch, with `early_stopping`; `best_validation_score_` is the largest.
    net_ : Sequential
        The net, without its parameters.
    params_ : array, shape (P,)
        Parameters, where they were trained; ``net_.layout`` has their places.
    n_outputs_, n_features_in_ : int
    feature_names_in_ : ndarray of str
        If `X` is a table with names of its columns.

    Examples
    --------
    >>> import numpy as np
    >>> from anynet.sklearn import NetRegressor
    >>> X = np.linspace(-1, 1, 200)[:, None]
    >>> net = NetRegressor(lr=0.01, random_state=0).fit(X, X[:, 0] ** 2)
    >>> np.abs(net.predict([[0.5]]) - 0.25) < 0.05
    array([ True])
    """

    _y_checks: ClassVar[dict[str, bool]] = {"y_numeric": True}

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one epoch on these samples, from where the last call of `partial_fit` or `fit` ended.

        Parameters
        ----------
        X, y, sample_weight : array-like
            As for `fit`.

        Returns
        -------
        self
        """
        return self._train(X, y, sample_weight, further=True)

    def predict(self, X: Any) -> Any:
        """Predict numbers.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)
            Features.

        Returns
        -------
        array, shape (n_samples,) or (n_samples, n_outputs)
            In the library and on the device of `X`.
        """
        outputs, X = self._outputs(X, "predict")
        return like_input(outputs[:, 0] if self._single else outputs, X)

    def _targets(self, X: Any, y: Any, *, known: bool) -> tuple[Any, int, bool]:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        single = y.ndim == 1
        n_outputs = 1 if single else y.shape[1]
        if known and hasattr(self, "n_outputs_") and n_outputs != self.n_outputs_:
            raise ValueError(f"y: expected {self.n_outputs_} numbers for each sample, as before, got {n_outputs}")
        self._single = single
        return (array_namespace(y).reshape(y, (-1, 1)) if single else y), n_outputs, False

    def _loss(self) -> Loss:
        return loss_of(self.loss, mean_squared_error)

    def _validation_score(self, y: NDArray[Any], outputs: NDArray[Any], sample_weight: NDArray[Any] | None) -> float:
        if not np.isfinite(outputs).all():
            return float("nan")
        return float(r2_score(y, outputs, sample_weight=sample_weight))
