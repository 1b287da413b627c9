"""Layers for a part of each batch: those whose output for a sample depends on the others, or on its place."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from array_api_compat import array_namespace

from anynet.core.collective import sum_over_ranks
from anynet.core.random import uniform
from anynet.core.share import Share
from anynet.core.typing import Array
from anynet.nn.batch_norm import BatchNorm
from anynet.nn.container import Container
from anynet.nn.dropout import Dropout
from anynet.nn.layer import Layer
from anynet.nn.sequential import Sequential

L = TypeVar("L", bound=Container)


@dataclass(frozen=True)
class SharedBatchNorm(BatchNorm):
    """Batch normalization with the statistics of the whole batch.

    A step has two sums over the ranks forward, as the variance is that around the mean of the batch, and one backward.

    Parameters
    ----------
    share : Share
        The samples of the batch that this rank has.
    """

    share: Share = field(kw_only=True)

    def _samples(self, n: int) -> int:
        return n // self.share.size * self.share.whole  # of images, a sample is many rows

    def _mean(self, mean: Array) -> Array:
        return sum_over_ranks(self.share.weight * mean, self.share.group)

    def _sums(self, beta: Array, gamma: Array, n: int) -> tuple[Array, Array, int]:
        both = sum_over_ranks(array_namespace(beta).stack([beta, gamma]), self.share.group)
        return both[0, ...], both[1, ...], n // self.share.size * self.share.total


@dataclass(frozen=True)
class SharedDropout(Dropout):
    """Dropout with the random numbers of these samples in the whole batch.

    Parameters
    ----------
    share : Share
        The samples of the batch that this rank has.
    """

    share: Share = field(kw_only=True)

    def _drawn(self, rng: Array, x: Array) -> Array:
        each = x.shape[-2] // self.share.size
        return uniform(rng, x.shape[-2:], x.dtype, (self.share.start * each, self.share.whole * each))


def shared_net(net: Sequential, share: Share, *, sync: bool) -> Sequential:
    """Return a net for a share of a batch that gives its samples the outputs that they have in the whole batch.

    Layers of other classes stay as they are, those of the user included.

    Parameters
    ----------
    net : Sequential
    share : Share
    sync : bool
        If False, batch normalization stays as it is, with the statistics of the share.

    Returns
    -------
    Sequential
        With the same parameters and state.
    """

    def dropout(layer: Dropout) -> Dropout:
        return SharedDropout(layer.p, share=share)

    def batch_norm(layer: BatchNorm) -> BatchNorm:
        return SharedBatchNorm(layer.n, layer.momentum, layer.eps, share=share)

    changes: dict[type[Layer], Callable[[Any], Layer]] = {Dropout: dropout, **({BatchNorm: batch_norm} if sync else {})}
    return _changed(net, changes)


def batch_statistics(net: Sequential) -> list[str]:
    """Return the names of the running statistics of batch normalization in the state of a net."""
    layers = net.named_layers().items()
    return [f"{name}.{kind}" for name, layer in layers if isinstance(layer, BatchNorm) for kind in layer.state()]


def _changed(net: L, changes: dict[type[Layer], Callable[[Any], Layer]]) -> L:
    """Return a container with those of its layers changed that are of one of these classes, at any depth."""

    def change(layer: Layer) -> Layer:
        if isinstance(layer, Container):
            return _changed(layer, changes)
        return changes[type(layer)](layer) if type(layer) in changes else layer

    return net.with_layers(tuple(map(change, net.layers)))
