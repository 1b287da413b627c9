"""Loops that train and evaluate nets, made once for all nets that take the same steps."""

from dataclasses import replace
from threading import Lock

from anynet.core.process_lock import ProcessLock
from anynet.core.ranks import Ranks
from anynet.core.share import Share
from anynet.data.views import Views
from anynet.nn import Sequential
from anynet.nn.shared_net import batch_statistics, shared_net
from anynet.optim import Optimizer
from anynet.training.batch_loop import BatchLoop
from anynet.training.evaluation_step import ONE_VIEW, evaluation_step
from anynet.training.inputs import Inputs
from anynet.training.rank_loop import RankLoop
from anynet.training.step import TrainStep, train_step


class LoopCache:
    """Training and evaluation loops of one thread. Equal nets share a loop, and with it the recorded step.

    Parameters
    ----------
    inputs : Inputs
    stacks : int, default 1
        Number of stacks that are trained on these inputs, by this or by other threads.
    """

    def __init__(self, inputs: Inputs, stacks: int = 1) -> None:
        self.inputs, self._stacks = inputs, stacks
        self._shared: LoopCache | None = None
        self._lock = ProcessLock(Lock)
        self._training: dict[tuple[Sequential, Optimizer], BatchLoop] = {}
        self._evaluation: dict[tuple[Sequential, Views], BatchLoop] = {}

    def for_thread(self) -> "LoopCache":
        """Return loops for another thread, over the same steps, so that these are recorded once."""
        other = LoopCache(self.inputs, self._stacks)
        other._shared = self
        return other

    def training(self, net: Sequential, optimizer: Optimizer) -> BatchLoop:
        """Return the loop over training steps; its rows are learning rates, whatever that of `optimizer`.

        Parameters
        ----------
        net : Sequential
        optimizer : Optimizer

        Returns
        -------
        BatchLoop
        """
        key = net, replace(optimizer, lr=1.0)
        with self._lock():
            if key not in self._training:
                shared = self._shared
                self._training[key] = shared.training(*key).for_thread() if shared else self._new_training(*key)
            return self._training[key]

    def evaluation(self, net: Sequential, views: Views = ONE_VIEW) -> BatchLoop:
        """Return the loop over evaluation steps.

        Parameters
        ----------
        net : Sequential
        views : Views
            Test-time augmentation. Default: none.

        Returns
        -------
        BatchLoop
        """
        with self._lock():
            key = net, views if views.kind != "none" else ONE_VIEW
            if key not in self._evaluation:
                shared = self._shared
                self._evaluation[key] = shared.evaluation(*key).for_thread() if shared else self._new_evaluation(*key)
            return self._evaluation[key]

    def _new_training(self, net: Sequential, optimizer: Optimizer) -> BatchLoop:
        inputs, settings = self.inputs, self.inputs.settings
        if inputs.ranks is not None:
            return self._new_rank_loop(net, optimizer, inputs.ranks)
        step = train_step(net, inputs.loss, optimizer, settings.clip_norm, settings.averaging)
        return BatchLoop(step, inputs.backend, inputs.augmentation, settings.compile, self._stacks)

    def _new_rank_loop(self, net: Sequential, optimizer: Optimizer, ranks: Ranks) -> BatchLoop:
        inputs, settings = self.inputs, self.inputs.settings

        def step_of(share: Share) -> TrainStep:
            own = shared_net(net, share, sync=settings.sync_batch_norm)
            return train_step(own, inputs.loss, optimizer, settings.clip_norm, settings.averaging, share)

        local = () if settings.sync_batch_norm else batch_statistics(net)
        own = settings.batch_size, inputs.backend, inputs.augmentation, settings.compile
        return RankLoop(step_of, ranks, *own, local)

    def _new_evaluation(self, net: Sequential, views: Views) -> BatchLoop:
        inputs = self.inputs
        step = evaluation_step(net, inputs.loss, classes=bool(inputs.data.classes), views=views)
        return BatchLoop(step, inputs.backend, compile=inputs.settings.compile, stacks=self._stacks)
