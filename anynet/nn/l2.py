r"""The L2 penalty, on weights alone: biases, scales and shifts go free.

Two conventions are in use, and the same λ means twice the pull in the first:

    cost = loss + λ Σ W²        gradient 2 λ W       here, and in the reports on one-layer nets
    cost = loss + λ/2 Σ W²      gradient   λ W       many papers; PyTorch's ``weight_decay``

For a λ of the second kind give ``l2 = λ / 2``.
"""

from array_api_compat import array_namespace

from anynet.core.typing import Array
from anynet.nn.layout import Layout


def l2_cost(layout: Layout, params: Array, l2: Array) -> Array:
    """λ Σ W².

    params: shape (..., P). l2: λ, an array of shape () or (...).

    Returns an array of shape (...).
    """
    weights = params[..., : layout.n_weights]
    return l2 * array_namespace(params).sum(weights * weights, axis=-1)


def add_l2_gradient(layout: Layout, grads: Array, params: Array, l2: Array) -> Array:
    """The gradients by the parameters, with 2 λ W added where they are weights.

    grads, params: shape (..., P). l2: λ, an array of shape () or (...).

    Returns an array of shape (..., P).
    """
    n = layout.n_weights
    decayed = grads[..., :n] + 2 * l2[..., None] * params[..., :n]
    return array_namespace(grads).concat([decayed, grads[..., n:]], axis=-1)
