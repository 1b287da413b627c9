"""Base class of optimizers."""

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

from array_api_compat import array_namespace, device

from anynet.core.array_checks import check_same_dtype
from anynet.core.checks import real_number, store, takes_keyword
from anynet.core.settings_text import ShownSettings
from anynet.core.typing import Array, Arrays
from anynet.optim.schedules import Constant, Schedule


@dataclass(frozen=True)
class Optimizer(ShownSettings):
    """Base class of all optimizers.

    An optimizer is a frozen dataclass of settings. A new one overrides ``init`` and ``update``. If its ``update`` has a
    keyword ``layout``, training passes ``net.layout``, which tells where in the vector each parameter is.

    Parameters
    ----------
    lr : float or callable
        Learning rate η, positive, or a schedule; see ``anynet.schedules``.

    Attributes
    ----------
    PER_MEMBER : tuple of str
        Names of the settings that may be tuples, with one value per member.

    Raises
    ------
    TypeError, ValueError
        If the learning rate is not positive and finite.
    """

    PER_MEMBER: ClassVar[tuple[str, ...]] = ()
    lr: float | Schedule = 0.01

    def __post_init__(self) -> None:
        if not callable(self.lr):
            lr = real_number("lr", self.lr)
            if not 0 < lr < math.inf:
                raise ValueError(f"{self}: expected a positive learning rate")
            store(self, "lr", lr)

    @property
    def schedule(self) -> Schedule:
        """Learning rate as a function of the epoch."""
        return self.lr if callable(self.lr) else Constant(self.lr)

    @property
    def uses_layout(self) -> bool:
        """True if ``update`` has a parameter ``layout``."""
        return takes_keyword(type(self).update, "layout")

    @property
    def parts(self) -> tuple["Optimizer", ...]:
        """Optimizers of groups of parameters, whose rates follow this one's in the rates of a step; none by default."""
        return ()

    def check(self, layout: Any) -> None:
        """Raise ValueError unless the optimizer can train a net of this layout."""

    def initial_state(self, params: Array, layout: Any) -> Arrays:
        """Return what ``init`` does, which is given the layout if it has such a keyword."""
        return self.init(params, **({"layout": layout} if takes_keyword(type(self).init, "layout") else {}))

    def init(self, params: Array) -> Arrays:
        """Return the initial state.

        Parameters
        ----------
        params : array, shape (..., P)
            Parameter vector of each member.

        Returns
        -------
        dict of arrays
            By name; shapes are (..., P), or () for arrays that members share.
        """
        raise NotImplementedError(f"{type(self).__name__}: expected a method init, got none")

    def update(
        self, params: Array, grads: Array, state: Arrays, lr: Array | float | None = None
    ) -> tuple[Array, Arrays]:
        """Return the parameters and the state after one step.

        Parameters
        ----------
        params, grads : array, shape (..., P)
            Parameter vector of each member, and its gradient.
        state : dict of arrays
            State from ``init`` or the previous step.
        lr : array, shape () or (...), or float, optional
            Learning rate of this step, shared or one per member. Default: the optimizer's own, which must be constant,
            because no step knows its epoch; pass ``optimizer.schedule(epoch)`` where it is a schedule.

        Returns
        -------
        params : array, shape (..., P)
            New parameters.
        state : dict of arrays
            New state.

        Raises
        ------
        TypeError, ValueError
            If dtypes, libraries, devices or shapes do not match.
        """
        raise NotImplementedError(f"{type(self).__name__}: expected a method update, got none")

    def rate(self, params: Array, grads: Array, lr: Array | float | None) -> Array:
        """Check arguments of ``update``, and return the learning rate as an array.

        Parameters
        ----------
        params, grads : array, shape (..., P)
            As for ``update``.
        lr : array or float, optional
            Likewise.

        Returns
        -------
        array, shape () or (...)

        Raises
        ------
        TypeError
            If libraries or dtypes differ.
        ValueError
            If devices differ or shapes do not match, a number is negative or not finite, or there is no rate.
        """
        if lr is None:
            if not isinstance(self.schedule, Constant):
                raise ValueError(
                    f"lr: expected the rate of this step, because {self.lr} is a function of the epoch; "
                    f"pass optimizer.schedule(epoch)"
                )
            lr = self.schedule.rate
        if isinstance(lr, Real | float):  # float for type checkers
            if not 0 <= real_number("lr", lr) < math.inf:
                raise ValueError(f"lr: expected a rate of 0 or more, finite, got {lr}")
            lr = array_namespace(params).asarray(float(lr), dtype=params.dtype, device=device(params))
        check_same_dtype(params=params, grads=grads, lr=lr)
        if grads.shape != params.shape:
            raise ValueError(f"grads: expected the shape of params, {tuple(params.shape)}, got {tuple(grads.shape)}")
        if lr.shape not in ((), params.shape[:-1]):
            raise ValueError(
                f"lr: expected shape () or {tuple(params.shape[:-1])}, one for each member, got {tuple(lr.shape)}"
            )
        return lr


def convert_settings(optimizer: Optimizer, *names: str, below: float) -> None:
    """Convert settings, or the values for each member of those in ``PER_MEMBER``, to float.

    NumPy's scalars would change dtypes.

    Parameters
    ----------
    optimizer : Optimizer
        Its settings are replaced.
    *names : str
        Names of settings.
    below : float
        Upper bound, which is excluded.

    Raises
    ------
    TypeError
        If one is not a number.
    ValueError
        If one is negative or not below the bound, or there are values of no member.
    """
    for name in names:
        setting = getattr(optimizer, name)
        several = isinstance(setting, tuple) and name in optimizer.PER_MEMBER
        each = tuple(real_number(name, value) for value in (setting if several else (setting,)))
        if not each:
            raise ValueError(f"{name}: expected a number, or a tuple with one for each member, got ()")
        if not all(0 <= value < below for value in each):
            raise ValueError(f"{optimizer}: expected {name} in [0, {below:g})")
        store(optimizer, name, each if several else each[0])


def convert_positive(optimizer: Optimizer, name: str) -> None:
    """Convert a setting to float. Raises ValueError unless it is positive and finite, TypeError if it is no number."""
    value = real_number(name, getattr(optimizer, name))
    if not 0 < value < math.inf:
        raise ValueError(f"{optimizer}: expected a positive, finite {name}")
    store(optimizer, name, value)


def factor(setting: float | tuple[float, ...], params: Array) -> float | Array:
    """Return a setting as a factor of arrays shaped like the parameters.

    Parameters
    ----------
    setting : float or tuple of float
        One number, or one per member.
    params : array, shape (P,) or (K, P)
        Parameters.

    Returns
    -------
    float or array, shape (K, 1)

    Raises
    ------
    ValueError
        If the number of values is not the number of members.
    """
    if not isinstance(setting, tuple):
        return setting
    if params.shape[:-1] != (len(setting),):
        raise ValueError(f"{setting}: expected one value for each member of params, of shape {tuple(params.shape)}")
    xp = array_namespace(params)
    return xp.asarray(setting, dtype=params.dtype, device=device(params))[:, None]
