"""Everything that training needs, made ready and not yet run."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, Unpack

from anynet.backends import Backend
from anynet.core.checks import describe
from anynet.core.errors import TrainingWarning
from anynet.core.ranks import Ranks
from anynet.core.settings_text import in_lines
from anynet.core.typing import Array
from anynet.data import Dataset
from anynet.data.sample_pass import Pass
from anynet.nn import Sequential
from anynet.optim import Optimizer
from anynet.training.batch_loop import BatchLoop
from anynet.training.compatibility import check_compatible, check_data
from anynet.training.evaluate import Evaluator
from anynet.training.given_data import Data, as_images, dataset_of
from anynet.training.inputs import Inputs, load_inputs
from anynet.training.loop_cache import LoopCache
from anynet.training.members import CHECKPOINTS, MOST_MEMBERS, Member, check_nets, common_optimizer, members_of
from anynet.training.net_input import resolve_normalization
from anynet.training.rank_checks import check_ranks, check_sums
from anynet.training.run_html import net_text
from anynet.training.settings import ARGUMENTS, Settings, TrainSettings
from anynet.training.settings_signature import accepts_settings
from anynet.training.single_samples import last_sample_warning
from anynet.training.stack import Stack
from anynet.training.step import Carry, Fixed


@dataclass(frozen=True, repr=False)
class Setup:
    """A training that is ready to run.

    Parameters
    ----------
    inputs : Inputs
        Samples, backend and settings.
    members : sequence of Member
        The nets to train.
    stacked : bool
        True if arrays have an axis of members; one net alone has none.

    Examples
    --------
    Two epochs of steps, without evaluation:

    >>> import numpy as np
    >>> import anynet as an
    >>> split = an.data.Split(np.zeros((20, 3072), np.uint8), np.arange(20) % 10)
    >>> data = an.data.Dataset("zeros", tuple("0123456789"), split, split, split)
    >>> ready = an.setup(an.Sequential(an.Linear(3072, 10)), data, an.SGD(0.1), batch_size=5)
    >>> carry = ready.carry
    >>> for epoch in range(2):
    ...     carry = ready.loop(carry, ready.fixed, ready.batches(epoch), ready.rates(epoch))
    >>> int(carry.step)
    8
    """

    inputs: Inputs
    members: Sequence[Member]
    stacked: bool

    def __repr__(self) -> str:
        net, count = self.members[0].net, f"{len(self.members)} x " if self.stacked else ""
        return in_lines(f"Setup({count}{net_text(net)}, {self.inputs.data}, {self.backend})")

    @property
    def backend(self) -> Backend:
        """Array library and device."""
        return self.inputs.backend

    @property
    def settings(self) -> TrainSettings:
        """Settings of the training; members may have other values of ``TrainSettings.PER_MEMBER``."""
        return self.inputs.settings

    @cached_property
    def stack(self) -> Stack:
        """All members in one stack."""
        return Stack(LoopCache(self.inputs), self.members, stacked=self.stacked)

    @property
    def carry(self) -> Carry:
        """Initial parameters, running statistics and optimizer state: new arrays each time."""
        return self.stack.start()

    @property
    def fixed(self) -> Fixed:
        """Arrays that all steps share."""
        return self.stack.fixed

    @property
    def loop(self) -> BatchLoop:
        """Training steps on batch after batch: ``loop(carry, fixed, batches, rates)`` returns the next carry."""
        return self.stack.train_epoch

    @property
    def evaluate(self) -> Evaluator:
        """Evaluation on a set of samples: ``evaluate(params, state, loader)`` returns results on the device."""
        return self.stack.evaluate

    def batches(self, epoch: int) -> Pass:
        """Return the batches of an epoch.

        Parameters
        ----------
        epoch : int
            Counted from 0.

        Returns
        -------
        Pass
        """
        return self.inputs.batches(epoch)

    def rates(self, epoch: int) -> Array:
        """Return the learning rates of an epoch.

        Parameters
        ----------
        epoch : int
            Counted from 0.

        Returns
        -------
        array, shape (steps,) or (steps, members)
            On the device.
        """
        return self.stack.rows(epoch, self.stack.rates(epoch))


def _sized(member: Member, data: Dataset) -> Member:
    """Return a member whose net has the sizes that follow from the data's, where it has none of its own."""
    if not isinstance(member.net, Sequential):
        return member
    net = member.net.with_samples(data.train.shape)
    return member if net is member.net else member._replace(net=net)


@accepts_settings
def setup(
    net: Sequential,
    data: Data,
    optimizer: Optimizer,
    *,
    val: float = 0.0,
    members: Sequence[Mapping[str, Any]] | None = None,
    seeds: Iterable[int] | None = None,
    ranks: Ranks | None = None,
    **settings: Unpack[Settings],
) -> Setup:
    """Validate everything and move samples to the device, but train nothing.

    `fit` trains what this returns; profilers and benchmarks run its steps themselves.

    Parameters
    ----------
    net : Sequential
        The net to train.
    data : Dataset or tuple of arrays
        As for `fit`.
    optimizer : Optimizer
        Such as ``SGD(0.01)``.
    val : float, default 0
        As for `fit`.
    members : sequence of dict, optional
        The settings of each of several nets that are to be trained at the same time; see `fit`.
    seeds : iterable of int, optional
        Short for members that differ in the seed only.
    ranks : Ranks, optional
        As for `fit`.
    **settings : see `TrainSettings`

    Returns
    -------
    Setup

    Raises
    ------
    TypeError, ValueError
        If settings are out of range or do not fit each other.
    BackendError
        If the backend or the precision is not available.
    OutOfMemoryError
        If the samples do not fit the device's memory.
    """
    for name in ("callbacks", "on_epoch", "progress", *CHECKPOINTS):
        if name in settings:
            raise TypeError(f"{name} is an argument of fit, not of setup, which trains nothing; leave it out")
    base = TrainSettings.of(settings, ARGUMENTS)
    data = as_images(dataset_of(data, val, net), net)
    if "batch_size" not in settings and len(data.train):
        base = replace(base, batch_size=min(base.batch_size, len(data.train)))
    if isinstance(net, Sequential):
        base = replace(base, normalize=resolve_normalization(base.normalize, net))
    alone = Member(net, optimizer, base)
    if seeds is not None:
        if members is not None:
            raise ValueError('members and seeds: expected one of them; a member\'s seed is its setting "seed"')
        if not isinstance(seeds, Iterable):
            raise TypeError(f"seeds: expected one for each net, such as range(3), got {describe(seeds)}")
        members = [{"seed": each} for each in islice(seeds, MOST_MEMBERS + 1)]
    if members is not None and not isinstance(members, Sequence):
        raise TypeError(
            f'members: expected a list of settings by name, such as [{{"lr": 0.1}}, {{"lr": 0.2}}], got '
            f"{describe(members)}"
        )
    nets = [alone] if members is None else members_of(alone, members)
    check_data(data, base, stacked=members is not None)
    nets = [_sized(member, data) for member in nets]
    for k, member in enumerate(nets):
        try:
            check_compatible(member.net, data, member.optimizer, member.settings)
        except (TypeError, ValueError) as error:
            raise (error if members is None else type(error)(f"member {k}: {error}")) from None
    check_nets(nets)
    common_optimizer(nets)
    warning = last_sample_warning(nets[0].net, len(data.train), base.batch_size)
    if warning and not base.drop_last:
        warnings.warn(warning, TrainingWarning, stacklevel=2)
    if ranks is not None:
        check_ranks(ranks, nets, data)
    inputs = load_inputs(data, base, nets[0].net.image_shape, ranks)
    if ranks is not None and members is None:
        check_sums(ranks, inputs.backend)
    return Setup(inputs, nets, stacked=members is not None)
