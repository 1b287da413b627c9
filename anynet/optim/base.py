"""What an optimizer is: settings, a state to start from, and one update of a net's one vector of parameters."""

from dataclasses import dataclass
from typing import ClassVar

from array_api_compat import array_namespace, device

from anynet.core.checks import check_same_dtype
from anynet.core.typing import Array, Arrays
from anynet.optim.schedules import Constant, Schedule


@dataclass(frozen=True)
class Optimizer:
    """The base of all optimizers.

    lr: the learning rate η, a positive number, or a schedule of it over the epochs.

    PER_MEMBER: the settings that may be tuples, with one value for each member.
    """

    PER_MEMBER: ClassVar[tuple[str, ...]] = ()
    lr: float | Schedule = 0.01

    def __post_init__(self) -> None:
        if not callable(self.lr) and not self.lr > 0:
            raise ValueError(f"{self}: the learning rate must be positive")

    @property
    def schedule(self) -> Schedule:
        """The learning rate over the epochs."""
        return self.lr if callable(self.lr) else Constant(self.lr)

    def init(self, params: Array) -> Arrays:
        """The state to start from.

        params: shape (..., P), all parameters of a net, or of each of K nets.
        """
        raise NotImplementedError

    def update(self, params: Array, grads: Array, state: Arrays, lr: Array) -> tuple[Array, Arrays]:
        """One step downhill.

        params, grads: shape (..., P).
        lr: this step's learning rate, an array of shape () or, with one for each member, (...).

        Returns the new parameters, shape (..., P), and the new state.
        Raises TypeError or ValueError where the three do not fit each other.
        """
        raise NotImplementedError


def check(params: Array, grads: Array, lr: Array) -> None:
    """Raises TypeError or ValueError, naming both sides, where they do not fit each other."""
    check_same_dtype(params=params, grads=grads, lr=lr)
    if grads.shape != params.shape:
        raise ValueError(f"grads: expected the shape of params, {tuple(params.shape)}, got {tuple(grads.shape)}")
    if lr.shape not in ((), params.shape[:-1]):
        raise ValueError(
            f"lr: expected shape () or {tuple(params.shape[:-1])}, one for each member, got {tuple(lr.shape)}"
        )


def factor(setting: float | tuple[float, ...], params: Array) -> float | Array:
    """A setting to multiply arrays like ``params`` by: the number, or, of one for each of K members, shape (K, 1).

    Raises ValueError where there are not as many as members.
    """
    if not isinstance(setting, tuple):
        return setting
    if params.shape[:-1] != (len(setting),):
        raise ValueError(f"{setting}: expected one for each member of params, of shape {tuple(params.shape)}")
    xp = array_namespace(params)
    return xp.asarray(setting, dtype=params.dtype, device=device(params))[:, None]
