"""An optimizer of its own for each group of parameters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from anynet.core.checks import describe, store
from anynet.core.settings_text import text_of
from anynet.core.typing import Array, Arrays
from anynet.optim.base import Optimizer
from anynet.optim.decay import Places, check_layout
from anynet.optim.schedules import Constant, Schedule

Named = tuple[tuple[str, Optimizer | None], ...]
"""Patterns of names, and the optimizers of these parameters."""


@dataclass(frozen=True)
class Groups(Optimizer):
    """An optimizer of its own for each group of parameters, as with the parameter groups of PyTorch.

    Parameters
    ----------
    lr : float or callable
        Factor of the learning rates of all groups, positive, or a schedule; see ``anynet.schedules``.
    groups : mapping of str to Optimizer or None
        By a pattern of names of parameters, such as ``"0.b"`` or ``"*.gamma"``; ``*`` stands for anything, as in file
        names. A parameter belongs to the first pattern that matches. Each optimizer has its own rate or schedule; None
        leaves the parameters as they are.

    Raises
    ------
    TypeError, ValueError
        If there are no groups, or one is no optimizer, has groups itself or settings of several members.

    Notes
    -----
    Decay is of all parameters of a group, so biases that are not to decay need a group of their own. ``update`` and
    ``init`` must be given the net's layout. As one learning rate, `update` takes that of `lr`, if the groups' own are
    constant; otherwise an array of shape (1 + G,) or (1 + G, K) with it and then those of the G groups that are not
    None.

    Examples
    --------
    >>> import numpy as np
    >>> import anynet as an
    >>> net = an.Sequential(an.Linear(2, 2), an.BatchNorm(2), an.Linear(2, 1))
    >>> groups = Groups(groups={"*.gamma": None, "*.W": an.SGD(0.5), "*": an.Adam(0.1)})
    >>> params, grads = np.zeros(net.layout.size), np.ones(net.layout.size)
    >>> state = groups.init(params, layout=net.layout)
    >>> params, _ = groups.update(params, grads, state, layout=net.layout)
    >>> parts = net.layout.split(params)
    >>> {name: part.reshape(-1)[0].round(6).item() for name, part in parts.items()}
    {'0.W': -0.5, '2.W': -0.5, '0.b': -0.1, '1.gamma': 0.0, '1.beta': -0.1, '2.b': -0.1}
    """

    lr: float | Schedule = 1.0
    groups: Mapping[str, Optimizer | None] | Named = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.groups, Mapping | tuple):
            raise TypeError(
                f'groups: expected optimizers by name, such as {{"*": SGD(0.1)}}, got {describe(self.groups)}'
            )
        given = self.groups.items() if isinstance(self.groups, Mapping) else self.groups
        if not given:
            raise ValueError('groups: expected one at least, such as {"*": SGD(0.1)}, got none')
        for pattern, optimizer in given:
            if not isinstance(pattern, str):
                raise TypeError(f'groups: expected patterns of names, such as "*.W", got {describe(pattern)}')
            if optimizer is not None and (not isinstance(optimizer, Optimizer) or isinstance(optimizer, Groups)):
                raise TypeError(f"groups: expected an optimizer or None for {pattern}, got {describe(optimizer)}")
            for name in optimizer.PER_MEMBER if optimizer is not None else ():
                if isinstance(getattr(optimizer, name), tuple):
                    raise ValueError(f"groups: expected one {name} for {pattern}, got one for each member")
        store(self, "groups", tuple(given))

    def _text(self) -> str:
        groups = (f"{pattern!r}: {text_of(optimizer)}" for pattern, optimizer in self.named)
        return f"Groups(lr={text_of(self.lr)}, groups={{{', '.join(groups)}}})"

    @property
    def parts(self) -> tuple[Optimizer, ...]:
        """The optimizers of the groups that are not None."""
        return tuple(optimizer for _, optimizer in self.named if optimizer is not None)

    @property
    def named(self) -> Named:
        """The groups in order, as pairs of a pattern and an optimizer or None."""
        return self.groups  # type: ignore[return-value]  # __post_init__ has made it a tuple

    def check(self, layout: Places) -> None:
        """Raise ValueError unless each parameter matches a pattern, and each pattern is that of a parameter."""
        _runs(self.named, layout)

    def init(self, params: Array, *, layout: Places | None = None) -> Arrays:
        """Return the states of the groups' optimizers, each of the parameters of its group."""
        state: Arrays = {}
        for number, (optimizer, part) in enumerate(self._parts(_checked(layout, params))):
            own = optimizer.initial_state(part.take(params), part)
            state |= {f"{number}.{name}": array for name, array in own.items()}
        return state

    def update(
        self,
        params: Array,
        grads: Array,
        state: Arrays,
        lr: Array | float | None = None,
        *,
        layout: Places | None = None,
    ) -> tuple[Array, Arrays]:
        """Return the parameters after a step of each group, and the new states."""
        layout, new, pieces = _checked(layout, params), dict[str, Array](), dict[tuple[int, int], Array]()
        rates = self._rates(params, grads, lr)
        for number, (optimizer, part) in enumerate(self._parts(layout)):
            prefix = f"{number}."
            own = {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}
            given: dict[str, Any] = {"layout": part} if optimizer.uses_layout else {}
            moved, own = optimizer.update(part.take(params), part.take(grads), own, rates[number], **given)
            new |= {f"{prefix}{name}": array for name, array in own.items()}
            pieces |= part.put(moved)
        at, ordered = 0, list[Array]()
        for start, stop in sorted(pieces):
            ordered += [params[..., at:start]] if at < start else []
            ordered.append(pieces[start, stop])
            at = stop
        ordered += [params[..., at:]] if at < layout.size else []
        return array_namespace(params).concat(ordered, axis=-1), new

    def _parts(self, layout: Places) -> Iterator[tuple[Optimizer, "Part"]]:
        """Yield the groups that are trained, and what each one has of the vector."""
        runs = _runs(self.named, layout)
        for i, (_, optimizer) in enumerate(self.named):
            if optimizer is not None:
                yield optimizer, Part.of([run[1:] for run in runs if run[0] == i], layout)

    def _rates(self, params: Array, grads: Array, lr: Array | float | None) -> list[Array]:
        """Return the rate of each group that is trained, of shape () or (K,)."""
        n = len(self.parts)
        if lr is not None and getattr(lr, "ndim", 0) == params.ndim:
            if lr.shape != (1 + n, *params.shape[:-1]):  # type: ignore[union-attr]
                expected = (1 + n, *params.shape[:-1])
                raise ValueError(f"lr: expected shape {expected}, got {tuple(lr.shape)}")  # type: ignore[union-attr]
            return [lr[1 + i, ...] for i in range(n)]  # type: ignore[index]
        shared, rates = self.rate(params, grads, lr), []
        for part in self.parts:
            if not isinstance(part.schedule, Constant):
                raise ValueError(
                    f"lr: expected the rates of all groups, of shape {(1 + n, *params.shape[:-1])}, because that of "
                    f"{part} is a function of the epoch"
                )
            rates.append(shared * part.schedule.rate)
        return rates


class Part(NamedTuple):
    """Part of a vector: some of its ranges, one after the other, and the places of their parameters in it.

    Attributes
    ----------
    ranges : tuple of (int, int)
        First element and end of each range in the whole vector.
    slots : mapping of str to tuple
        First element, end and shape of each parameter in the part.
    size : int
        Length of the part.
    """

    ranges: tuple[tuple[int, int], ...]
    slots: Mapping[str, tuple[int, int, tuple[int, ...]]]
    size: int

    @property
    def n_weights(self) -> int:
        """All elements: whatever is in a group decays."""
        return self.size

    @classmethod
    def of(cls, ranges: list[tuple[int, int]], layout: Places) -> "Part":
        """Return the part of a vector in some ranges, one or more."""
        slots, done = {}, 0
        for first, end in ranges:
            for name, (start, stop, shape) in layout.slots.items():
                if first <= start < end:
                    slots[name] = (start - first + done, stop - first + done, shape)
            done += end - first
        return cls(tuple(ranges), slots, done)

    def take(self, vector: Array) -> Array:
        """Return the part of a vector of shape (..., P)."""
        pieces = [vector[..., start:stop] for start, stop in self.ranges]
        return pieces[0] if len(pieces) == 1 else array_namespace(vector).concat(pieces, axis=-1)

    def put(self, vector: Array) -> dict[tuple[int, int], Array]:
        """Return the pieces of a part, by their ranges in the whole vector."""
        pieces, done = {}, 0
        for start, stop in self.ranges:
            pieces[start, stop] = vector[..., done : done + stop - start]
            done += stop - start
        return pieces


def _checked(layout: Places | None, params: Array) -> Places:
    if layout is None:
        raise ValueError("layout: expected the places of the net's parameters; pass layout=net.layout")
    check_layout(layout, params)
    return layout


def _runs(groups: Named, layout: Places) -> list[tuple[int, int, int]]:
    """Return the number of the group, first element and end of neighboring parameters of a group."""
    runs: list[tuple[int, int, int]] = []
    for name, (start, *_) in layout.slots.items():
        found = next((i for i, (pattern, _) in enumerate(groups) if fnmatchcase(name, pattern)), None)
        if found is None:
            raise ValueError(f'groups: expected a pattern for {name}, got none; add "*" at the end')
        if not runs or runs[-1][0] != found:
            runs = [*runs[:-1], (*runs[-1][:2], start)] if runs else []  # with the gap behind it
            runs.append((found, start, layout.size))
    for i, (pattern, _) in enumerate(groups):
        if not any(run[0] == i for run in runs):
            raise ValueError(f'groups: expected parameters that match "{pattern}", got none; leave it out')
    return runs
