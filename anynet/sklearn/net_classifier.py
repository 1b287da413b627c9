"""Classification with scikit-learn's interface."""

from typing import Any, Self

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets, type_of_target

from anynet.nn.losses import Loss, binary_cross_entropy, softmax_cross_entropy
from anynet.sklearn.estimator_losses import loss_of
from anynet.sklearn.input_arrays import like_input, to_host
from anynet.sklearn.net_estimator import NetEstimator


class NetClassifier(ClassifierMixin, NetEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Classifier with scikit-learn's interface: a net that is trained by anynet.

    Defaults are those of scikit-learn's ``MLPClassifier`` where both have a parameter, but for the penalty, which is 0.
    Labels may be integers, booleans or texts; of 0 and 1 in several columns each sample may have any number. A binary
    problem has two logits.

    Parameters
    ----------
    **parameters : see `NetParameters`

    Attributes
    ----------
    classes_ : array, shape (n_classes,)
        Labels, sorted.
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
    >>> from sklearn.datasets import load_iris
    >>> from anynet.sklearn import NetClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> settings = {"lr": 0.01, "tol": 1e-3, "normalize": "standardize", "random_state": 0}
    >>> net = NetClassifier(hidden=(20,), **settings).fit(X, y)
    >>> net.predict(X[:3]), bool(net.score(X, y) > 0.95)
    (array([0, 0, 0]), True)
    """

    classes_: Any
    _multilabel: bool

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Train one epoch on these samples, from where the last call of `partial_fit` or `fit` ended.

        Parameters
        ----------
        X, y, sample_weight : array-like
            As for `fit`.
        classes : array-like, shape (n_classes,), optional
            All labels; required in the first call, unless `y` has several labels for each sample.

        Returns
        -------
        self
        """
        if not type_of_target(y).startswith("multilabel"):
            _check_partial_fit_first_call(self, classes)
        return self._train(X, y, sample_weight, further=True)

    def predict(self, X: Any) -> Any:
        """Predict labels.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)
            Features.

        Returns
        -------
        array, shape (n_samples,) or (n_samples, n_labels)
            Labels, or 0 and 1 for each of several labels; in the library and on the device of `X`, but for strings.
        """
        logits, X = self._outputs(X, "predict")
        xp = array_namespace(logits)
        if self._multilabel:
            return like_input(xp.astype(logits > 0, xp.int64), X)
        best = xp.argmax(logits, axis=-1)
        if isinstance(self.classes_, np.ndarray):
            return self.classes_[to_host(best)]
        return array_namespace(self.classes_).take(self.classes_, like_input(best, X), axis=0)

    def predict_proba(self, X: Any) -> Any:
        """Predict probabilities: the softmax of the logits, or the sigmoid for several labels.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)
            Features.

        Returns
        -------
        array, shape (n_samples, n_classes) or (n_samples, n_labels)
            In the library and on the device of `X`.
        """
        logits, X = self._outputs(X, "predict_proba")
        return like_input(array_namespace(logits).exp(self._log_proba(logits)), X)

    def predict_log_proba(self, X: Any) -> Any:
        """Predict logarithms of probabilities.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)
            Features.

        Returns
        -------
        array, shape (n_samples, n_classes) or (n_samples, n_labels)
            In the library and on the device of `X`.
        """
        logits, X = self._outputs(X, "predict_log_proba")
        return like_input(self._log_proba(logits), X)

    def _log_proba(self, logits: Any) -> Any:
        xp = array_namespace(logits)
        if self._multilabel:
            return xp.minimum(logits, 0.0) - xp.log1p(xp.exp(-xp.abs(logits)))
        shifted = logits - xp.max(logits, axis=-1, keepdims=True)
        return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))

    def _targets(self, X: Any, y: Any, *, known: bool) -> tuple[Any, int, bool]:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        multilabel = type_of_target(y).startswith("multilabel")
        if y.ndim == 2 and not multilabel:
            raise ValueError(f"y: expected a label, or several of 0 and 1, for each sample, got shape {tuple(y.shape)}")
        if known and hasattr(self, "_multilabel") and multilabel != self._multilabel:
            raise ValueError(f"y: expected {'several labels' if self._multilabel else 'a label'} per sample, as before")
        self._multilabel = multilabel
        host = to_host(y)
        if multilabel:
            if known and hasattr(self, "classes_") and host.shape[1] != len(self.classes_):
                raise ValueError(f"y: expected {len(self.classes_)} labels of each sample, got {host.shape[1]}")
            self.classes_ = np.arange(host.shape[1])
            return host, host.shape[1], False
        if not known:
            classes = np.unique(host)
            if len(classes) < 2:
                raise ValueError(f"y: expected samples of 2 classes or more, got one class, {classes.tolist()[0]!r}")
            self.classes_ = classes if classes.dtype.kind not in "biuf" else like_input(classes, X)
        classes = to_host(self.classes_)
        numbers = np.minimum(np.searchsorted(classes, host), len(classes) - 1)
        if (wrong := classes[numbers] != host).any():
            raise ValueError(f"y: expected the classes {classes.tolist()}, as before, got {host[wrong].tolist()[0]!r}")
        return numbers, len(classes), True

    def _loss(self) -> Loss:
        return loss_of(self.loss, binary_cross_entropy if self._multilabel else softmax_cross_entropy)

    def _validation_score(self, y: NDArray[Any], outputs: NDArray[Any], sample_weight: NDArray[Any] | None) -> float:
        found = outputs > 0 if self._multilabel else outputs.argmax(axis=-1)
        return float(accuracy_score(y, found, sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
