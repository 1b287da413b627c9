"""Learning-rate finder: losses of steps whose learning rate grows, and the rate at which they fall fastest."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.core.checks import real_number, whole_number
from anynet.core.formatting import format_count
from anynet.core.html_table import html_block
from anynet.core.typing import Array
from anynet.data.batch import Batch
from anynet.nn import Sequential
from anynet.optim import Optimizer
from anynet.training.batch_loop import BatchLoop
from anynet.training.capacity import explain_out_of_memory
from anynet.training.given_data import Data
from anynet.training.run_html import html_plot
from anynet.training.settings import Settings, TrainSettings
from anynet.training.settings_signature import accepts_settings
from anynet.training.setup import Setup, setup
from anynet.training.step import loss_step

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIVERGED = 4.0
"""Multiple of the smallest loss from which on training counts as diverged."""

WINDOW = 10
"""Losses are smoothed over one of so many steps on each side."""

FEWEST_STEPS = 10


@dataclass(frozen=True, repr=False)
class RateCurve:
    """Losses over learning rates.

    Parameters
    ----------
    rates : ndarray of float64, shape (S,)
        Learning rates, each the same factor times the one before.
    losses : ndarray of float64, shape (S,)
        Mean loss of the batch on which the step with this rate was made, ahead of the step. Without the penalty.
    smoothed : ndarray of float64, shape (S,) or (S - 1,)
        Losses as means over neighbors, without that with which training diverged.
    diverged : bool
        True if training diverged in the last of these steps.
    dataset : str
        Name of the data set.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    diverged: bool
    dataset: str

    def __repr__(self) -> str:
        return f"RateCurve({self.rates[0]:.2g} to {self.rates[-1]:.2g}, suggestion {self.suggestion:.2g})"

    def _repr_html_(self) -> str:
        found = f"{format_count(len(self.rates), 'step')} with rates from {self.rates[0]:.2g} to {self.rates[-1]:.2g}"
        title = f"Learning rate on {self.dataset}: suggestion {self.suggestion:.2g}"
        return html_block(title, found, html_plot(self.plot, "Losses over learning rates"))

    @property
    def suggestion(self) -> float:
        """Learning rate at which the smoothed loss falls fastest over the logarithm of the rate, to a new low."""
        slopes = np.gradient(self.smoothed)  # the logarithms of the rates are evenly spaced
        slopes[self.smoothed > np.minimum.accumulate(self.smoothed)] = math.inf
        return float(self.rates[slopes.argmin()])

    def plot(self) -> "Figure":
        """Plot the losses over the learning rates, with the suggestion.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from anynet.plots import rate_curve  # here, so that training without plots does not import Matplotlib

        return rate_curve(self.rates, self.losses, self.smoothed, self.suggestion, self.dataset)


@accepts_settings
def find_rate(
    net: Sequential,
    data: Data,
    optimizer: Optimizer,
    *,
    val: float = 0.0,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    **settings: Unpack[Settings],
) -> RateCurve:
    """Find a learning rate by training some steps, each with a higher one, until the loss diverges.

    The rates grow exponentially from `low` to `high`. Training diverges when the loss exceeds four times its smallest
    smoothed value. What was trained is discarded.

    Parameters
    ----------
    net : Sequential
        The net to train.
    data : Dataset or tuple of arrays
        As for `fit`. Only training samples are used.
    optimizer : Optimizer
        Such as ``SGD(momentum=0.9)``; its own learning rate is not used.
    val : float, default 0
        Fraction of the samples in a tuple ``(x, y)`` to leave out, as in the training that is to follow.
    low, high : float, default 1e-6 and 10
        First and last learning rate, above 0.
    steps : int, default 100
        Number of steps, 10 or more, in as many epochs as it takes; without last batches that are shorter.
    **settings : see `TrainSettings`

    Returns
    -------
    RateCurve

    Raises
    ------
    TypeError, ValueError
        If settings are out of range or do not fit each other, or the loss does not fall at any of the rates.
    BackendError
        If the backend or the precision is not available.
    OutOfMemoryError
        If memory does not suffice.

    References
    ----------
    Smith (2017), Cyclical learning rates for training neural networks, section 3.3. https://arxiv.org/abs/1506.01186
    The suggestion is the rule "steep" of fastai, on means over neighbors instead of the past, which would delay it, and
    among losses below all before, since a loss that has risen can fall fast. https://docs.fast.ai/callback.schedule.html

    Examples
    --------
    >>> import numpy as np
    >>> import anynet as an
    >>> x = np.random.default_rng(0).standard_normal((200, 12))
    >>> net = an.Sequential(an.Linear(12, 12))
    >>> an.find_rate(net, (x, x.argmax(axis=1)), an.SGD(), batch_size=50)
    RateCurve(1e-06 to 10, suggestion 0.87)
    """
    low, high, steps = real_number("low", low), real_number("high", high), whole_number("steps", steps)
    if not 0 < low < high < math.inf:
        raise ValueError(f"low, high: expected 0 < low < high, finite, got {low:g} and {high:g}")
    if steps < FEWEST_STEPS:
        raise ValueError(f"steps: expected {FEWEST_STEPS} or more, got {steps}")
    TrainSettings.of(settings)  # other arguments of setup are refused here
    settings["drop_last"] = True
    ready = setup(net, data, optimizer, val=val, **settings)
    rates = np.geomspace(low, high, steps)
    with explain_out_of_memory(ready.members, ready.inputs), np.errstate(all="ignore"):  # it is to diverge
        losses = _losses(ready, rates)
        if not np.isfinite(losses[0]):
            raise ValueError(f"data: expected a finite loss before any update, got {losses[0]}; scale the samples")
        n, diverged = _until_divergence(losses)
        smoothed = smooth(losses[: n - diverged], steps // WINDOW)
    if n <= 2 or not smoothed.argmin():
        raise ValueError(f"low: expected a learning rate at which the loss falls, got {low:g}; choose a lower one")
    return RateCurve(rates[:n], losses[:n], smoothed, diverged, ready.inputs.data.name)


def _losses(ready: Setup, rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the loss of a batch ahead of the step with each rate; read from the device once."""
    settings, inputs, optimizer = ready.settings, ready.inputs, ready.members[0].optimizer
    own = loss_step(ready.members[0].net, inputs.loss, optimizer, settings.clip_norm, settings.averaging)

    def step(carry: Any, shared: Any, batch: Batch, rate: Array) -> Any:
        (trained, losses), (fixed, numbers) = carry, shared
        after, value = own(trained, fixed, batch, rate)
        return after, array_namespace(losses).where(numbers == trained.step, value, losses)

    loop, start, put = (
        BatchLoop(step, ready.backend, inputs.augmentation, settings.compile),
        ready.carry,
        ready.stack.put,
    )
    numbers = put(np.arange(len(rates))[:, None])
    shared = ready.fixed, array_namespace(numbers).astype(numbers, start.step.dtype)
    carry = start, put(np.zeros((len(rates), 1)))
    for epoch in range(math.ceil(len(rates) / inputs.steps)):
        first = epoch * inputs.steps
        n = min(inputs.steps, len(rates) - first)
        rows = ready.stack.rows(epoch, rates[first : first + n, None])
        carry = loop(carry, shared, ready.batches(epoch).part(0, n), rows)
    return ready.backend.to_host(carry[1]).astype(np.float64)


def _until_divergence(losses: NDArray[np.float64]) -> tuple[int, bool]:
    """Return the number of steps until training diverges, that one included, and whether it does."""
    finite = int(np.append(np.isfinite(losses), False).argmin())
    smoothed = smooth(losses[:finite], len(losses) // WINDOW)
    bound = DIVERGED * np.minimum.accumulate(smoothed)
    over = (losses[:finite] > bound) & (smoothed > bound)  # not a single batch that is harder than others
    if over.any():
        return int(over.argmax()) + 1, True
    return finite, False


def smooth(losses: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return weighted means over `width` neighbors on each side, fewer at the ends, by a Hann window.

    Examples
    --------
    >>> smooth(np.asarray([0.0, 0.0, 0.0, 1.0, 0.0, 0.0]), 1).tolist()
    [0.0, 0.0, 0.25, 0.5, 0.25, 0.0]
    """
    weights = np.hanning(2 * width + 3)[1:-1]
    sums = [np.convolve(np.pad(each, width), weights, "valid") for each in (losses, np.ones_like(losses))]
    return np.asarray(sums[0] / sums[1])
