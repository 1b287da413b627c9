"""Base class of the estimators."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar, Self
from warnings import warn

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._array_api import check_same_namespace, get_namespace
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from anynet.backends import Backend
from anynet.core.typing import Array, Arrays
from anynet.data import Normalization, normalization
from anynet.nn import Sequential
from anynet.nn.losses import Loss
from anynet.nn.perceptron import ACTIVATIONS, NORMS, perceptron
from anynet.optim import OPTIMIZERS, Optimizer
from anynet.sklearn.convergence import Convergence
from anynet.sklearn.input_arrays import backend_for, to_host
from anynet.sklearn.net_fits import Course, NetFit, Samples, train
from anynet.training.errors import DivergedError
from anynet.training.members import Member
from anynet.training.settings import TrainSettings
from anynet.training.step import Carry, start

LARGEST_BATCH = 200
"""Largest batch that ``batch_size="auto"`` chooses, as in scikit-learn."""


class NetEstimator(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no types
    """Base class of `NetClassifier` and `NetRegressor`.

    Parameters
    ----------
    hidden : int or sequence of int, default (100,)
        Widths of the hidden layers.
    activation : str, default "relu"
        Activation of the hidden layers: "relu", "leaky-relu", "elu", "gelu", "silu", "hardswish", "softplus", "sigmoid"
        or "tanh".
    norm : {"none", "batch", "layer"}, default "none"
        Normalization ahead of each activation.
    dropout : float, default 0
        Probability of a zero after each activation, in [0, 1).
    net : Sequential or callable, optional
        The net, or ``net(n_in, n_out)``, which returns one for these numbers of features and outputs. `hidden`,
        `activation`, `norm` and `dropout` do not matter then.
    optimizer : str or Optimizer, default "adam"
        "sgd", "adam", "adamw", "rmsprop", "lion", "muon", or an optimizer such as ``anynet.SGD(0.1, momentum=0.9)``.
    lr : float or callable, optional
        Learning rate, or a schedule from ``anynet.schedules``. Default: that of the optimizer, 0.001 for Adam.
    l2 : float, default 0
        Factor λ of the penalty λ Σ W². scikit-learn's `alpha` is 2 λ times the number of samples in a batch.
    loss : callable or str, optional
        As in ``anynet.losses``, or the name of one. Default: softmax cross-entropy for classes, binary cross-entropy
        for several labels of each sample, mean squared error for numbers.
    epochs : int, default 200
        Largest number of passes over the samples.
    batch_size : int or "auto", default "auto"
        Samples per step, cut to their number; "auto" is 200.
    clip_norm : float, optional
        Largest norm of the gradient. Default: no limit.
    normalize : {"none", "center", "standardize"}, default "none"
        Subtraction of the mean of each feature in training, and division by its standard deviation.
    tol : float, default 1e-4
        Smallest improvement of the training loss, or with `early_stopping` of the validation score, that counts.
    patience : int or inf, default 10
        Number of successive epochs without improvement after which another one ends the training. A training that does
        not end so gives a ``ConvergenceWarning``, unless `tol` is 0 or `patience` is not less than `epochs`.
    early_stopping : bool, default False
        Set validation samples aside, end the training by their score, and keep the net of the best score.
    val : float, default 0.1
        Fraction of the samples that `early_stopping` sets aside: of each class alike.
    warm_start : bool, default False
        Start from the parameters of the last ``fit``.
    random_state : int, RandomState or None, default None
        Seed of initial parameters, batches, validation samples and dropout. An integer has the batches and the initial
        parameters of ``anynet.fit(..., seed=random_state)``.
    backend : Backend or str, optional
        Where to train, as for ``anynet.fit``. Default: the library and device of PyTorch's and CuPy's arrays, which
        scikit-learn takes with ``sklearn.set_config(array_api_dispatch=True)``, otherwise ``anynet.backend()``.
    dtype : {"float32", "float64"}, optional
        Data type of the net. Default: that of `X`, or float64 for integers.
    verbose : bool, default False
        If True, print the loss of every epoch.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "norm": [StrOptions(set(NORMS))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "net": [Sequential, callable, None],
        "optimizer": [StrOptions(set(OPTIMIZERS)), Optimizer],
        "lr": [Interval(Real, 0, None, closed="neither"), callable, None],
        "l2": [Interval(Real, 0, None, closed="left")],
        "loss": [str, callable, None],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
        "normalize": [StrOptions({"none", "center", "standardize"})],
        "tol": [Interval(Real, 0, None, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "early_stopping": ["boolean"],
        "val": [Interval(Real, 0, 1, closed="neither")],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "backend": [Backend, str, None],
        "dtype": [StrOptions({"float32", "float64"}), None],
        "verbose": ["verbose"],
    }
    _y_checks: ClassVar[dict[str, bool]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        """Put the parameters into the documentation of a class."""
        super().__init_subclass__(**options)
        described = (NetEstimator.__doc__ or "").partition("Parameters\n    ----------\n")[2].rstrip()
        cls.__doc__ = (cls.__doc__ or "").replace("    **parameters : see `NetEstimator`", described)

    def __init__(
        self,
        hidden: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        norm: str = "none",
        dropout: float = 0.0,
        net: Sequential | Callable[[int, int], Sequential] | None = None,
        optimizer: str | Optimizer = "adam",
        lr: float | Callable[[float], float] | None = None,
        l2: float = 0.0,
        loss: str | Loss | None = None,
        epochs: int = 200,
        batch_size: int | str = "auto",
        clip_norm: float | None = None,
        normalize: str = "none",
        tol: float = 1e-4,
        patience: float = 10,
        early_stopping: bool = False,
        val: float = 0.1,
        warm_start: bool = False,
        random_state: Any = None,
        backend: Backend | str | None = None,
        dtype: str | None = None,
        verbose: bool = False,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.norm = norm
        self.dropout = dropout
        self.net = net
        self.optimizer = optimizer
        self.lr = lr
        self.l2 = l2
        self.loss = loss
        self.epochs = epochs
        self.batch_size = batch_size
        self.clip_norm = clip_norm
        self.normalize = normalize
        self.tol = tol
        self.patience = patience
        self.early_stopping = early_stopping
        self.val = val
        self.warm_start = warm_start
        self.random_state = random_state
        self.backend = backend
        self.dtype = dtype
        self.verbose = verbose

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
        _raise_first(train_estimators([self], X, y, sample_weight))
        return self

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        """Train one epoch more."""
        if self.early_stopping:
            raise ValueError("partial_fit: expected early_stopping=False, because every call may bring other samples")
        _raise_first(train_estimators([self], X, y, sample_weight, further=True))
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
            self._like = get_namespace(X)[0].asarray(X[:0, ...], copy=True)
            self.n_outputs_ = n_outputs
            self.net_ = self._new_net(X.shape[1], n_outputs)
            self._normalization = self._new_normalization(x, backend, dtype)
        if self._normalization is not None:
            x = self._normalization(x)
        weights = None if sample_weight is None else backend.put(sample_weight, dtype)
        n, batch_size = X.shape[0], LARGEST_BATCH if self.batch_size == "auto" else self.batch_size
        return Course(
            samples=Samples(x, backend.put(y, "int64" if classes else dtype), weights),
            backend=backend,
            loss=self._loss(),
            epochs=1 if further else self.epochs,
            batch_size=min(batch_size, n),
            clip_norm=self.clip_norm,
            verbose=bool(self.verbose),
        )

    def _new_normalization(self, x: Array, backend: Backend, dtype: str) -> Normalization | None:
        if self.normalize == "none":
            return None
        return Normalization(*(backend.put(part, dtype) for part in normalization(self.normalize, x)))

    def _new_net(self, n_in: int, n_out: int) -> Sequential:
        if self.net is None:
            widths = (self.hidden,) if isinstance(self.hidden, Integral) else self.hidden
            return perceptron(
                n_in, widths, n_out, activation=self.activation, norm=self.norm, dropout=float(self.dropout)
            )
        net = self.net if isinstance(self.net, Sequential) else self.net(n_in, n_out)
        if not isinstance(net, Sequential):
            raise TypeError(f"net: expected a Sequential, or a function that returns one, got {type(net).__name__}")
        if net.n_in not in (None, n_in) or net.n_out not in (None, n_out):
            raise ValueError(
                f"net: expected {n_in} input and {n_out} output features, as the data has, got {net.n_in} and "
                f"{net.n_out}; a function of both makes a net that fits"
            )
        return net

    def _net_fit(self, course: Course, *, further: bool, again: bool) -> NetFit:
        """Return the training to run."""
        optimizer = OPTIMIZERS[self.optimizer]() if isinstance(self.optimizer, str) else self.optimizer
        if self.lr is not None:
            optimizer = replace(optimizer, lr=self.lr)
        if not again or not hasattr(self, "_seed"):
            self._seed, self._epochs_before = _seed(self.random_state), 0
        member = Member(self.net_, optimizer, TrainSettings(seed=self._seed, l2=self.l2))
        rows, validate = np.arange(course.samples.x.shape[0]), None
        if self.early_stopping:
            rows, validate = self._split(course)
        carry = self._carry if again else None
        if carry is not None and not further:
            carry = start(self.net_, optimizer, *carry.weights)
        return NetFit(
            member=member,
            rows=rows,
            convergence=Convergence(float(self.tol), float(self.patience)),
            carry=carry,
            epoch=self._epochs_before if further else 0,
            validate=validate,
        )

    def _split(self, course: Course) -> tuple[NDArray[np.int64], Callable[[Array, Arrays], float]]:
        """Return the rows to train on, and the score on the others."""
        samples, numbers = course.samples, np.arange(course.samples.x.shape[0])
        y = to_host(samples.y)
        stratify = y if y.ndim == 1 else None
        rows, others = train_test_split(numbers, test_size=self.val, random_state=self._seed % 2**32, stratify=stratify)
        if len(others) < 2:
            raise ValueError(f"val: expected 2 validation samples or more, got {len(others)}; increase val or the data")
        x = samples.x[course.backend.asarray(others), ...]
        weights = None if samples.weights is None else to_host(samples.weights)[others]
        forward = course.backend.compile(self.net_)

        def validate(params: Array, state: Arrays) -> float:
            return self._validation_score(y[others], course.backend.to_host(forward(params, state, x)), weights)

        return rows, validate

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
        check_same_namespace(X, self, attribute="_like", method=method)
        xp, _ = get_namespace(X)
        dtype = str(self._like.dtype).split(".")[-1]
        X = validate_data(self, X, reset=False, dtype=getattr(xp, dtype), order="C")
        backend = backend_for(X, self.backend)
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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.array_api_support = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_carry")


def train_estimators(
    estimators: Sequence[NetEstimator], X: Any, y: Any, sample_weight: Any = None, *, further: bool = False
) -> list[DivergedError | None]:
    """Fit estimators to the same data, as one stack.

    Parameters
    ----------
    estimators : sequence of NetEstimator
        They may differ in what members may: `random_state`, `l2`, `lr`, settings of an optimizer of the same kind that
        are ``PER_MEMBER``, and initializers of `net`.
    X, y, sample_weight : array-like
        As for ``fit``.
    further : bool
        If True, train a single estimator that may be fitted already one epoch more.

    Returns
    -------
    list of DivergedError or None
        For each estimator, why its training failed.
    """
    first = estimators[0]
    again = first.__sklearn_is_fitted__() and (further or first.warm_start)
    course = first._course(X, y, sample_weight, further=further, reset=not again)
    parameters = first.get_params(deep=False)
    learned = {name: value for name, value in vars(first).items() if name not in parameters}
    for estimator in estimators[1:]:
        vars(estimator).update(learned)
        estimator.net_ = estimator._new_net(first.n_features_in_, first.n_outputs_)
    fits = [estimator._net_fit(course, further=further, again=again) for estimator in estimators]
    train(fits, course)
    for estimator, fit in zip(estimators, fits, strict=True):
        if fit.error is None:
            estimator._finish(fit, course, further=further, again=again)
    return [fit.error for fit in fits]


def _raise_first(errors: Sequence[Exception | None]) -> None:
    for error in errors:
        if error is not None:
            raise error


def _seed(random_state: Any) -> int:
    """Return the seed of a training: an integer itself, otherwise one drawn from a generator."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))
