r"""L2 penalty on the weights; biases, scales and shifts are not penalized.

There are two conventions, which differ by a factor of 2:

    cost = loss + λ Σ W²        gradient 2 λ W       here
    cost = loss + λ/2 Σ W²      gradient   λ W       many papers; PyTorch's ``weight_decay``

For a λ of the second kind pass ``l2 = λ / 2``.
"""

from array_api_compat import array_namespace

from anynet.core.typing import Array
from anynet.nn.layout import Layout


def l2_cost(layout: Layout, params: Array, l2: Array) -> Array:
    """Return the penalty, λ Σ W².

    Parameters
    ----------
    layout : Layout
        Places of the weights in the vector.
    params : array, shape (..., P)
        Parameter vector of each member.
    l2 : array, shape () or (...)
        Coefficient λ.

    Returns
    -------
    array, shape (...)

    References
    ----------
    Goodfellow, Bengio, Courville (2016), Deep learning, section 7.1.1.

    Examples
    --------
    >>> import numpy as np
    >>> from anynet import Linear, Sequential
    >>> l2_cost(Sequential(Linear(2, 1)).layout, np.ones(32), np.asarray(0.1))
    np.float64(1.6)
    """
    weights = params[..., : layout.n_weights]
    return l2 * array_namespace(params).sum(weights * weights, axis=-1)


def add_l2_gradient(layout: Layout, grads: Array, params: Array, l2: Array) -> Array:
    """Return the gradients with the gradient of the penalty, 2 λ W, added.

    Parameters
    ----------
    layout : Layout
        Places of the weights in the vector.
    grads, params : array, shape (..., P)
        Gradients of the loss with respect to the parameters, and the parameters, of each member.
    l2 : array, shape () or (...)
        Coefficient λ.

    Returns
    -------
    array, shape (..., P)
    """
    n = layout.n_weights
    decayed = grads[..., :n] + 2 * l2[..., None] * params[..., :n]
    return array_namespace(grads).concat([decayed, grads[..., n:]], axis=-1)
