"""Parameters that all estimators have."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options, StrOptions

from anynet.backends import Backend
from anynet.nn import Sequential
from anynet.nn.losses import Loss
from anynet.nn.perceptron import ACTIVATIONS, NORMS, perceptron
from anynet.optim import OPTIMIZERS, Optimizer


class NetParameters(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Parameters of `NetClassifier` and `NetRegressor`.

    Parameters
    ----------
    hidden : int or sequence of int, default (100,)
        Widths of the hidden layers.
    activation : str, default "relu"
        Activation of the hidden layers: "relu", "leaky-relu", "elu", "gelu", "silu", "hardswish", "softplus",
        "softsign", "sigmoid" or "tanh".
    norm : {"none", "batch", "layer"}, default "none"
        Normalization ahead of each activation.
    dropout : float, default 0
        Probability of a zero after each activation, in [0, 1).
    net : Sequential or callable, optional
        The net, or ``net(n_in, n_out)``, which returns one for these numbers of features and outputs. `hidden`,
        `activation`, `norm` and `dropout` do not matter then. Images are rows of their values, and a net of images says
        their shape, ``Sequential(..., input_shape=(3, 32, 32))``: features have none.
    optimizer : str or Optimizer, default "adam"
        "sgd", "adam", "adamw", "rmsprop", "lion", "muon", or an optimizer such as ``anynet.SGD(0.1, momentum=0.9)``.
    lr : float or callable, optional
        Learning rate, or a schedule from ``anynet.schedules``; it takes the place of that of an `optimizer` object.
        Default: that of the optimizer, 0.001 for Adam.
    l2 : float, default 0
        Factor λ of the penalty λ Σ W². scikit-learn's `alpha` is 2 λ times the number of samples in a batch for
        classes, and λ times that number for numbers.
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
        Fraction of the samples that `early_stopping` sets aside: of each class alike. Without it nothing is.
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

    def __init_subclass__(cls, **options: Any) -> None:
        """Put the parameters into the documentation of a class."""
        super().__init_subclass__(**options)
        described = (NetParameters.__doc__ or "").partition("Parameters\n    ----------\n")[2].rstrip()
        cls.__doc__ = (cls.__doc__ or "").replace("    **parameters : see `NetParameters`", described)

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

    def _new_net(self, n_in: int, n_out: int) -> Sequential:
        """Return the net for these numbers of features and outputs."""
        if self.net is None:
            widths = np.atleast_1d(np.asarray(self.hidden)).tolist()
            return perceptron(
                n_in, widths, n_out, activation=self.activation, norm=self.norm, dropout=float(self.dropout)
            )
        net = self.net if isinstance(self.net, Sequential) else self.net(n_in, n_out)
        if not isinstance(net, Sequential):
            raise TypeError(f"net: expected a Sequential, or a function that returns one, got {type(net).__name__}")
        net = net.with_samples((n_in,))  # layers may leave out sizes that follow from the features
        if net.n_in not in (None, n_in) or net.n_out not in (None, n_out):
            raise ValueError(
                f"net: expected {n_in} input and {n_out} output features, as the data has, got {net.n_in} and "
                f"{net.n_out}; a function of both makes a net that fits"
            )
        return net

    def _new_optimizer(self) -> Optimizer:
        """Return the optimizer with its learning rate."""
        optimizer = OPTIMIZERS[self.optimizer]() if isinstance(self.optimizer, str) else self.optimizer
        return optimizer if self.lr is None else replace(optimizer, lr=self.lr)

    def _new_seed(self) -> int:
        """Return the seed of a training: an integer itself, otherwise one drawn from a generator."""
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    @property
    def _largest_batch(self) -> int:
        """Number of samples in a batch, if there are as many; "auto" is that of scikit-learn."""
        return 200 if isinstance(self.batch_size, str) else self.batch_size

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.array_api_support = True
        return tags
