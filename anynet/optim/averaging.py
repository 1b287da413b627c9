"""Averages of parameters, and the exponential moving average."""

from array_api_compat import array_namespace

from anynet.core.typing import Array
from anynet.optim.adam import bias_correction
from anynet.optim.lookahead import Lookahead

Averaging = float | Lookahead
"""Decay of a moving average of the parameters, or Lookahead."""


def update_average(average: Array, params: Array, decay: float, t: Array) -> Array:
    r"""Return the moving average of parameters after one more step.

    .. math:: \bar\theta_t = \frac{1 - d}{1 - d^t} \sum_{i=1}^{t} d^{\,t-i} \, \theta_i
              = \bar\theta_{t-1} + \frac{1 - d}{1 - d^t} \, (\theta_t - \bar\theta_{t-1})

    Parameters
    ----------
    average, params : array, shape (..., P)
        Average after the previous step, and parameters θ after this one. The average before the first step is not used.
    decay : float
        Decay d, in (0, 1).
    t : array, shape (...)
        Number of this step, from 1.

    Returns
    -------
    array, shape (..., P)

    Notes
    -----
    The weights of the sum add up to 1 from the first step on, as with the bias correction of Adam, so that the average
    does not depend on the parameters before training.

    References
    ----------
    Polyak, Juditsky (1992), Acceleration of stochastic approximation by averaging. https://doi.org/10.1137/0330046
    Kingma, Ba (2015), Adam: a method for stochastic optimization, section 7.2. https://arxiv.org/abs/1412.6980

    Examples
    --------
    >>> import numpy as np
    >>> average = np.zeros(1)
    >>> for t, params in enumerate([4.0, 1.0], 1):
    ...     average = update_average(average, np.asarray([params]), 0.5, np.asarray(float(t)))
    >>> np.round(average, 6)  # a third of 4 and two thirds of 1
    array([2.])
    """
    xp = array_namespace(params)
    share = (1 - decay) * bias_correction(xp, decay, xp.astype(t, params.dtype))
    return average + share[..., None] * (params - average)
