"""Lookahead: slow weights that follow those of an optimizer, and take their place now and then."""

import re
from typing import NamedTuple

from array_api_compat import array_namespace

from anynet.core.typing import Array


class Lookahead(NamedTuple):
    r"""Slow weights φ, which go a part of the way of every k steps of an optimizer with the weights θ.

    .. math:: \phi \leftarrow \phi + \alpha \, (\theta - \phi), \quad \theta \leftarrow \phi
              \quad \text{after the steps } k, 2k, 3k, \dots

    Parameters
    ----------
    steps : int
        Number k, 1 or more.
    rate : float
        Rate α of the slow weights, above 0, at most 1.

    Notes
    -----
    The slow weights begin as the initial parameters. The state of the optimizer stays as it is.

    References
    ----------
    Zhang, Lucas, Hinton, Ba (2019), Lookahead Optimizer: k steps forward, 1 step back. https://arxiv.org/abs/1907.08610
    """

    steps: int
    rate: float

    @classmethod
    def of(cls, text: str) -> "Lookahead":
        """Return what "STEPS:RATE" says, such as "5:0.5". Raises ValueError for another text.

        Examples
        --------
        >>> Lookahead.of("5:0.5")
        Lookahead(steps=5, rate=0.5)
        """
        found = re.fullmatch(r"0*([1-9][0-9]{0,6}):([0-9]+\.?[0-9]*|\.[0-9]+)", text)  # float32 holds such a number
        if not found or not 0 < (rate := float(found[2])) <= 1:
            expected = '"STEPS:RATE", such as "5:0.5", with 1 to 9,999,999 steps and a rate above 0, at most 1'
            raise ValueError(f"lookahead: expected {expected}, got {text!r:.50}")
        return cls(int(found[1]), rate)

    def update(self, slow: Array, params: Array, since: Array) -> tuple[Array, Array, Array]:
        """Return slow weights, parameters and the count of steps after one more step of the optimizer.

        Parameters
        ----------
        slow, params : array, shape (..., P)
            Slow weights after the previous step, and parameters after this one.
        since : array, shape ()
            Number of steps since parameters were slow weights, before this one: a count, because a remainder of the
            number of all steps is in no compiled loop, and no longer exact beyond 2^24 steps in float32.

        Returns
        -------
        slow, params, since : array

        Examples
        --------
        >>> import numpy as np
        >>> slow, params, since = np.zeros(1), np.zeros(1), np.zeros(())
        >>> for _ in range(4):
        ...     slow, params, since = Lookahead(2, 0.5).update(slow, params + 1, since)
        ...     print(params, slow)
        [1.] [0.]
        [1.] [1.]
        [2.] [1.]
        [2.] [2.]
        """
        xp, due = array_namespace(params), since + 1 == self.steps
        # 0 in other steps, which is faster than to choose between arrays, and shows NaN at once.
        share = self.rate * xp.astype(due, params.dtype)
        slow = slow + share * (params - slow)
        return slow, xp.where(due, slow, params), xp.where(due, 0.0, since + 1)
