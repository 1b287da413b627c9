"""Base class of the estimators."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self
from warnings import warn

import numpy as np
from numpy.typing import NDArray
from sklearn.base import _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._array_api import check_same_namespace, get_namespace
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from anynet.backends import Backend
from anynet.core.errors import TrainingWarning
from anynet.core.typing import Array
from anynet.data import Normalization, normalization
from anynet.nn.losses import Loss
from anynet.optim import Optimizer
from anynet.sklearn.convergence import Convergence
from anynet.sklearn.held_out import hold_out
from anynet.sklearn.input_arrays import backend_for, refuse_images
from anynet.sklearn.net_fits import Course, NetFit, Samples
from anynet.sklearn.net_parameters import NetParameters
from anynet.sklearn.train_fits import train
from anynet.training.errors import DivergedError
from anynet.training.members import Member
from anynet.training.settings import TrainSettings
from anynet.training.single_samples import last_sample_warning, refuse_single_samples
from anynet.training.step import Carry, start


class NetEstimator(NetParameters, ABC):
    """Base class of `NetClassifier` and `NetRegressor`: fitting, and the outputs of the net.

    Parameters
    ----------
    **parameters : see `NetParameters`
    """

    _y_checks: ClassVar[dict[str, bool]] = {}
    loss_curve_: list[float]
    _optimizer: Optimizer

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a net.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)
            Features.
        y : array-like, shape (n_samples,) or (n_samples, n_outputs)
            Class labels, or numbers to predict.
        sample_weight : array-like, shape (n_samples,), optional
            Weights of the samples in the loss of each batch.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data is not finite, has other shapes than expected, or does not fit the net.
        DivergedError
            If the loss is no longer finite.
        """
        return self._train(X, y, sample_weight)

    def _train(self, X: Any, y: Any, sample_weight: Any, *, further: bool = False) -> Self:
        """Train, or with `further` train one epoch more."""
        if further and self.early_stopping:
            raise ValueError("partial_fit: expected early_stopping=False, because every call may bring other samples")
        (error,) = train_estimators([self], X, y, sample_weight, further=further)
        if error is not None:
            raise error
        return self

    @abstractmethod
    def _targets(self, X: Any, y: Any, *, known: bool) -> tuple[Any, int, bool]:
        """Return targets to train on, the number of the net's outputs, and True if targets are class numbers."""

    @abstractmethod
    def _loss(self) -> Loss:
        """Return the loss function."""

    @abstractmethod
    def _validation_score(self, y: NDArray[Any], outputs: NDArray[Any], sample_weight: NDArray[Any] | None) -> float:
        """Return the score of a net's outputs; larger ones are better."""

    def _course(self, X: Any, y: Any, sample_weight: Any, *, further: bool, reset: bool) -> Course:
        """Validate the data, note what it is like, and move it to the device."""
        refuse_images(X)
        xp, _ = get_namespace(X)
        dtypes = [xp.float64, xp.float32] if self.dtype is None else [getattr(xp, self.dtype)]
        X, y = validate_data(self, X, y, reset=reset, dtype=dtypes, order="C", multi_output=True, **self._y_checks)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        y, n_outputs, classes = self._targets(X, y, known=further or not reset)
        backend, dtype = backend_for(X, self.backend), str(X.dtype).split(".")[-1]
        backend.dtype(dtype)
        x = backend.put(X, dtype)
        if reset:
            if self.__sklearn_is_fitted__():
                del self._carry  # a training that fails leaves no net of other data
            self._like = get_namespace(X)[0].asarray(X[:0, ...], copy=True)
            self.n_outputs_ = n_outputs
            self.net_ = self._new_net(X.shape[1], n_outputs)
            self._normalization = self._new_normalization(x, backend, dtype)
        if self._normalization is not None:
            x = self._normalization(x)
        weights = None if sample_weight is None else backend.put(sample_weight, dtype)
        return Course(
            samples=Samples(x, backend.put(y, "int64" if classes else dtype), weights),
            backend=backend,
            loss=self._loss(),
            epochs=1 if further else self.epochs,
            batch_size=min(self._largest_batch, X.shape[0]),
            clip_norm=self.clip_norm,
            verbose=bool(self.verbose),
        )

    def _new_normalization(self, x: Array, backend: Backend, dtype: str) -> Normalization | None:
        if self.normalize == "none":
            return None
        return Normalization(*(backend.put(part, dtype) for part in normalization(self.normalize, x, dtype)))

    def _net_fit(self, course: Course, *, further: bool, again: bool) -> NetFit:
        """Return the training to run."""
        optimizer = self._new_optimizer()
        if not again:
            self._seed, self._epochs_before = self._new_seed(), 0
        refuse_single_samples(self.net_, course.batch_size)
        if warning := last_sample_warning(self.net_, course.samples.x.shape[0], course.batch_size):
            warn(warning, TrainingWarning, stacklevel=2)
        member = Member(self.net_, optimizer, TrainSettings(seed=self._seed, l2=self.l2))
        rows, validate = np.arange(course.samples.x.shape[0]), None
        if self.early_stopping:
            rows, validate = hold_out(course, self.net_, self.val, self._seed, self._validation_score)
        carry = self._carry if again else None
        kind = replace(optimizer, lr=1.0)
        if carry is not None and not (further and kind == self._optimizer):
            carry = start(self.net_, optimizer, *carry.weights)
        self._optimizer = kind
        return NetFit(
            member=member,
            rows=rows,
            convergence=Convergence(float(self.tol), float(self.patience)),
            carry=carry,
            epoch=self._epochs_before if further else 0,
            validate=validate,
        )

    def _finish(self, fit: NetFit, course: Course, *, further: bool, again: bool) -> None:
        """Keep what a training has come to."""
        assert fit.carry is not None
        self._carry: Carry = fit.carry._replace(total=None)
        self._epochs_before = fit.epoch
        self.n_iter_, self.loss_ = len(fit.losses), fit.losses[-1] if fit.losses else float("nan")
        self.loss_curve_ = [*self.loss_curve_, *fit.losses] if again else fit.losses
        self.validation_scores_ = fit.scores if fit.validate is not None else None
        self.best_validation_score_ = fit.convergence.best if fit.validate is not None else None
        wanted = not further and self.tol > 0 and self.patience < self.epochs  # otherwise it is to take all epochs
        if wanted and len(fit.losses) == course.epochs and not fit.convergence.reached:
            warn(
                f"training ended after {course.epochs} epochs, before it converged; more epochs, a larger lr or a "
                "larger tol may help",
                ConvergenceWarning,
                stacklevel=2,
            )

    def _outputs(self, X: Any, method: str) -> tuple[Array, Any]:
        """Return the net's outputs, in the library of the training, and the validated input."""
        check_is_fitted(self)
        refuse_images(X)
        check_same_namespace(X, self, attribute="_like", method=method)
        xp, _ = get_namespace(X)
        dtype = str(self._like.dtype).split(".")[-1]
        X = validate_data(self, X, reset=False, dtype=getattr(xp, dtype), order="C")
        backend = backend_for(self._like, self.backend)
        x = backend.put(X, dtype)
        if self._normalization is not None:
            x = self._normalization(x)
        outputs: Array = backend.compile(self.net_)(*self._carry.weights, x)
        return outputs, X

    @property
    def params_(self) -> Array:
        """Parameters of the fitted net."""
        check_is_fitted(self)
        return self._carry.params

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_carry")


def train_estimators(
    nets: Sequence[NetEstimator], X: Any, y: Any, sample_weight: Any = None, *, further: bool = False, stacks: int = 1
) -> list[DivergedError | None]:
    """Fit estimators to the same data, as one stack.

    Parameters
    ----------
    nets : sequence of NetEstimator
        They may differ in `random_state`, `l2`, `lr`, ``PER_MEMBER`` settings of the optimizer, and initializers.
    X, y, sample_weight : array-like
        As for ``fit``.
    further : bool
        If True, train a single estimator that may be fitted already one epoch more.
    stacks : int
        As for `Course`.

    Returns
    -------
    list of DivergedError or None
        For each estimator, why its training failed.
    """
    first = nets[0]
    again = first.__sklearn_is_fitted__() and (further or first.warm_start)
    course = first._course(X, y, sample_weight, further=further, reset=not again)
    parameters = first.get_params(deep=False)
    learned = {name: value for name, value in vars(first).items() if name not in parameters}
    for estimator in nets[1:]:
        for name, value in learned.items():
            setattr(estimator, name, value)
        estimator.net_ = estimator._new_net(first.n_features_in_, first.n_outputs_)
    fits = [estimator._net_fit(course, further=further, again=again) for estimator in nets]
    train(fits, replace(course, stacks=stacks))
    for estimator, fit in zip(nets, fits, strict=True):
        if fit.error is None:
            estimator._finish(fit, course, further=further, again=again)
    return [fit.error for fit in fits]
