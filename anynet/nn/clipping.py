"""Gradient clipping by the norm."""

from array_api_compat import array_namespace

from anynet.core.typing import Array


def clip_by_norm(grads: Array, clip_norm: float) -> Array:
    r"""Scale gradients down to a maximum norm.

    .. math:: g \leftarrow g \, \min\left(1, \frac{c}{\lVert g \rVert_2 + 10^{-6}}\right)

    Parameters
    ----------
    grads : array, shape (..., P)
        Gradient of each member with respect to all of its parameters.
    clip_norm : float
        Largest norm c, above 0.

    Returns
    -------
    array, shape (..., P)
        As PyTorch's ``clip_grad_norm_`` computes it.

    References
    ----------
    Pascanu, Mikolov, Bengio (2013), On the difficulty of training recurrent neural networks, section 3.2, algorithm 1.
    https://arxiv.org/abs/1211.5063

    Examples
    --------
    >>> import numpy as np
    >>> np.round(clip_by_norm(np.asarray([[3.0, 4.0], [0.3, 0.4]]), 1.0), 5).tolist()
    [[0.6, 0.8], [0.3, 0.4]]
    """
    xp = array_namespace(grads)
    norm = xp.sqrt(xp.sum(grads * grads, axis=-1, keepdims=True))
    return grads * xp.minimum(clip_norm / (norm + 1e-6), 1.0)
