"""Muon, momentum that is made orthogonal, for matrices and the kernels of convolutions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from array_api_compat import array_namespace

from anynet.core.checks import nearest, store, true_or_false, whole_number
from anynet.core.typing import Array, Arrays
from anynet.optim.adam import Adam
from anynet.optim.base import Optimizer, convert_positive, convert_settings, factor
from anynet.optim.decay import Places, check_layout, descend, mask
from anynet.optim.orthogonal import orthogonal
from anynet.optim.schedules import Schedule

ADAM = Adam(beta1=0.9, beta2=0.95, eps=1e-10)
"""Update of all other parameters, with Jordan's settings."""

MATRICES = ("hidden", "all")
"""Choices of the weights that are made orthogonal."""


@dataclass(frozen=True)
class Muon(Optimizer):
    r"""Momentum made orthogonal by Newton-Schulz iterations, for hidden matrices; AdamW for everything else.

    .. math:: m_t = \rho m_{t-1} + (1 - \rho) g_t, \quad
              O_t = \mathrm{orthogonal}((1 - \rho) g_t + \rho m_t), \quad
              W_t = (1 - \eta \lambda) W_{t-1} - \eta \sqrt{\max(1, n_{out} / n_{in})} \, O_t

    Hidden matrices are the weights with two axes, and the kernels of convolutions with four, of all layers between the
    first and the last one with weights. A net without hidden layers, or with a single one, has none, and is trained by
    AdamW alone. A kernel (rows, columns, C, D) is a matrix with :math:`n_{in}` = rows · columns · C and
    :math:`n_{out}` = D.

    Parameters
    ----------
    lr : float or callable
        Learning rate η of hidden matrices, positive, or a schedule; see ``anynet.schedules``.
    momentum : float or tuple of float
        Momentum ρ in [0, 1), shared or one per member.
    weight_decay : float or tuple of float
        Decay λ of the weights, 0 or more, shared or one per member.
    adam_lr : float
        Learning rate of AdamW (β₁ = 0.9, β₂ = 0.95, ε = 1e-10) as a multiple of η, positive.
    steps : int
        Number of Newton-Schulz iterations, 1 or more.
    keep_norm : bool
        True to scale each matrix to the norm :math:`\sqrt{n_{out}}` ahead of every step; zeros stay.
    matrices : {"hidden", "all"}
        "all": all weights with two or four axes are matrices, those of the first and the last layer too, such as in a
        group of `Groups`.

    Raises
    ------
    ValueError
        If a setting is out of range.

    Notes
    -----
    Jordan's code computes the iterations in bfloat16, this in the dtype of the parameters. His defaults are rates of
    0.02 and of 0.0003, which is 0.015 times 0.02. ``update`` must be given the net's layout.

    References
    ----------
    Jordan et al. (2024), Muon: an optimizer for hidden layers in neural networks.
    https://kellerjordan.github.io/posts/muon/ and https://github.com/KellerJordan/Muon

    Examples
    --------
    >>> import numpy as np
    >>> import anynet as an
    >>> hidden = an.Linear(3, 4), an.Tanh(), an.Linear(4, 4), an.Tanh()
    >>> net, muon = an.Sequential(*hidden, an.Linear(4, 2)), Muon(0.1)
    >>> params, _ = net.init(0, like=np.zeros(1))
    >>> grads, state = np.ones(net.layout.size), muon.init(params)
    >>> after, state = muon.update(params, grads, state, layout=net.layout)
    >>> steps = net.layout.split(params - after)
    >>> # all steps of a matrix of ones are equal
    >>> steps["0.W"].max().round(6), steps["2.W"].max().round(2)
    (np.float64(0.0015), np.float64(0.02))
    """

    PER_MEMBER: ClassVar[tuple[str, ...]] = ("momentum", "weight_decay")
    lr: float | Schedule = 0.02
    momentum: float | tuple[float, ...] = 0.95
    weight_decay: float | tuple[float, ...] = 0.0
    adam_lr: float = 0.015
    steps: int = 5
    keep_norm: bool = False
    matrices: str = "hidden"

    def __post_init__(self) -> None:
        super().__post_init__()
        convert_settings(self, "momentum", below=1)
        convert_settings(self, "weight_decay", below=math.inf)
        convert_positive(self, "adam_lr")
        store(self, "steps", whole_number("steps", self.steps))
        store(self, "keep_norm", true_or_false("keep_norm", self.keep_norm))
        if self.steps < 1:
            raise ValueError(f"{self}: expected steps of 1 or more")
        if self.matrices not in MATRICES:
            raise ValueError(f'matrices: there is no "{self.matrices}"{nearest(self.matrices, MATRICES)}')

    def init(self, params: Array) -> Arrays:
        """Return Adam's state; the first moment "m" of a hidden matrix is its momentum, the second one is not used."""
        return ADAM.init(params)

    def update(
        self,
        params: Array,
        grads: Array,
        state: Arrays,
        lr: Array | float | None = None,
        *,
        layout: Places | None = None,
    ) -> tuple[Array, Arrays]:
        """Return the parameters after a step, and the new moments."""
        lr, xp, t = self.rate(params, grads, lr), array_namespace(params), state["t"] + 1
        if layout is None:
            raise ValueError("layout: expected the places of the net's matrices; pass layout=net.layout")
        check_layout(layout, params)
        matrices, rho = self._matrices(layout), factor(self.momentum, params)
        lengths, at, steps = [0], 0, list[Array]()
        for start, stop, _ in matrices:
            lengths, at = [*lengths, start - at, stop - start], stop
        hidden = mask(params, *lengths, layout.size - at)
        beta = ADAM.beta1 + (rho - ADAM.beta1) * hidden
        m = beta * state["m"] + (1 - beta) * grads
        v = ADAM.beta2 * state["v"] + (1 - ADAM.beta2) * grads * grads
        at, momenta = 0, [(1 - rho) * grads[..., start:stop] + rho * m[..., start:stop] for start, stop, _ in matrices]
        turned = iter(_all_orthogonal(momenta, [shape for *_, shape in matrices], self.steps))
        for start, stop, shape in [*matrices, (layout.size, layout.size, ())]:
            if at < start:
                steps.append(ADAM.scaled(m[..., at:start], v[..., at:start], t, self.adam_lr * lr))
            if shape:
                steps.append(math.sqrt(max(1, shape[1] / shape[0])) * lr[..., None] * next(turned))
            at = stop
        if self.keep_norm:
            params = _with_norms(params, matrices)
        rate = lr[..., None] * (self.adam_lr + (1 - self.adam_lr) * hidden)
        params = descend(params, xp.concat(steps, axis=-1), rate, self.weight_decay, layout)
        return params, {"m": m, "v": v, "t": t}

    def _matrices(self, layout: Places) -> list[tuple[int, int, tuple[int, ...]]]:
        """Return first element, end and shape of each matrix, a kernel's as a matrix."""
        weights = [name for name, (start, *_) in layout.slots.items() if start < layout.n_weights]
        ends = {_layer(name) for name in (*weights[:1], *weights[-1:])} if self.matrices == "hidden" else set()
        places = (layout.slots[name] for name in weights if _layer(name) not in ends)
        return [
            (start, stop, (math.prod(shape[:-1]), shape[-1])) for start, stop, shape in places if len(shape) in (2, 4)
        ]


def _all_orthogonal(vectors: Sequence[Array], shapes: Sequence[tuple[int, ...]], steps: int) -> list[Array]:
    """Return matrices made orthogonal; those of equal shapes by the same, stacked products."""
    found = list(vectors)
    for shape in dict.fromkeys(shapes):
        places = [i for i, other in enumerate(shapes) if other == shape]
        if len(places) == 1:
            found[places[0]] = orthogonal(vectors[places[0]], shape, steps)
            continue
        stack = array_namespace(*vectors).stack([vectors[i] for i in places], axis=-2)
        turned = orthogonal(stack, shape, steps)
        for k, i in enumerate(places):
            found[i] = turned[..., k, :]
    return found


def _with_norms(params: Array, matrices: Sequence[tuple[int, int, tuple[int, ...]]]) -> Array:
    """Return parameters whose matrices are scaled to the norm sqrt(n_out)."""
    xp, pieces, at = array_namespace(params), list[Array](), 0
    for start, stop, shape in matrices:
        w = params[..., start:stop]
        squares = xp.sum(w * w, axis=-1, keepdims=True)
        norm = xp.sqrt(xp.where(squares == 0, 1.0, squares))  # within the root: XLA divides by roots in its own way
        pieces += [params[..., at:start]] if at < start else []
        pieces.append(w * (math.sqrt(shape[1]) / norm))
        at = stop
    return xp.concat([*pieces, params[..., at:]], axis=-1)


def _layer(name: str) -> str:
    """Return the layer's part of a parameter's name, such as "2.0" of "2.0.W"."""
    return name.rpartition(".")[0]
