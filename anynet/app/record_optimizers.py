"""Optimizers of record trainings, as functions of the learning rate schedule, for ``--optimizer``."""

from dataclasses import dataclass, is_dataclass, replace

from anynet.optim import SGD, Groups, Muon
from anynet.optim.schedules import Schedule, Warmup

BATCH = 2000
"""Images per step of airbench94, whose losses are sums over them."""
MUON, BIASES, LAST = 0.24, 0.053, 0.67
"""Learning rates of airbench94: of kernels, of biases and shifts, and of the last layer."""


def airbench94(schedule: Schedule) -> Groups:
    """Return the optimizer of airbench94, in batches of 2,000 images.

    Kernels are trained by Muon, which keeps their norms, at the rate of the schedule, 0.24 there; the shifts of
    `BatchNorm` and the last layer by SGD at the rates of airbench94 if this rate is 0.24, and in proportion otherwise;
    the biases of the first layer in the first three epochs only. All others stay as they are.

    Parameters
    ----------
    schedule : callable
        Learning rate of the kernels. Others are in proportion to its `rate`, or that of the schedule after a warm-up.

    Returns
    -------
    Groups

    References
    ----------
    airbench94_muon.py of https://github.com/KellerJordan/cifar10-airbench.
    """

    def sgd(rate: float, lr: float | Schedule) -> SGD:
        return SGD(lr, momentum=0.85, nesterov=True, weight_decay=2e-6 / rate, decoupled=False)

    biases, last = (rate * BATCH / MUON for rate in (BIASES, LAST))
    shape, base = _of_base_1(schedule)
    muon = Muon(1.0, momentum=0.6, steps=3, keep_norm=True, matrices="all")
    first = sgd(BIASES, Until(biases * base, 3.0, shape))
    shifts, head = sgd(BIASES, biases), sgd(LAST, last)
    groups = {"0.b": first, "*.beta": shifts, "25.W": head, "*.W": muon, "*": None}  # 25: the layer of the classes
    return Groups(schedule, groups)


def _of_base_1(schedule: Schedule) -> tuple[Schedule, float]:
    """Return a schedule with the rate 1, and 1; one that has no rate as it is, with its rate at the start."""
    if isinstance(schedule, Warmup):
        then, base = _of_base_1(schedule.then)
        return replace(schedule, then=then), base
    if is_dataclass(schedule) and hasattr(schedule, "rate"):
        return replace(schedule, rate=1.0), 1.0
    return schedule, schedule(0.0)


@dataclass(frozen=True)
class Until:
    """Factor that makes another schedule a line to 0, which ends after some epochs.

    Parameters
    ----------
    rate : float
        Product of the factor and the schedule at the start.
    epochs : float
        When the line ends.
    schedule : callable
        The schedule that is multiplied.
    """

    rate: float
    epochs: float
    schedule: Schedule

    def __call__(self, epoch: float) -> float:
        """Return the factor; 0 after the epochs, or where the schedule is 0."""
        now = self.schedule(epoch)
        return self.rate / now * max(0.0, 1 - epoch / self.epochs) if now else 0.0
