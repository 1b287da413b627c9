"""PyTorch as a target."""

import math
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import Any

import array_api_compat.torch as xp
import torch

from anynet.compiler.graph import Args, Graph, Kwargs, Node, elements
from anynet.compiler.memory import MemoryPlan
from anynet.compiler.ops import OPERATIONS
from anynet.compiler.program import Program
from anynet.compiler.target import Call, Target
from anynet.compiler.torch import functions, inductor
from anynet.compiler.torch.functions import BITS, FUNCTIONS, REDUCTIONS, has_out, is_mask_of_bits
from anynet.compiler.torch.image_calls import image_calls
from anynet.core.typing import Array
from anynet.core.window import Window

LARGE, WORTH = 1 << 13, 3 << 19
"""Least numbers of elements, of an array and of all results of a group, for compiling to pay: a call takes 40 µs."""

VECTOR = 16
"""Number of float32 that the widest vectors of processors have."""

NARROW, LONG = 64, 1024
"""On the CPU, products with at most `NARROW` columns and a side of at least `LONG` are computed transposed: faster."""


class TorchTarget(Target):
    """PyTorch on a device, without autograd.

    Parameters
    ----------
    device : torch.device
    """

    patience = 100_000_000_000  # takes about ten seconds, as compiling does

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._places: dict[Node, torch.Tensor] = {}  # of the largest values in max-pooling, for its gradient

    @property
    def xp(self) -> ModuleType:
        namespace: ModuleType = xp
        return namespace

    def is_array(self, value: Any) -> bool:
        return isinstance(value, torch.Tensor)

    def empty(self, node: Node) -> torch.Tensor:
        return torch.empty(node.shape, dtype=node.dtype, device=self.device)

    def copy(self, into: torch.Tensor, array: torch.Tensor) -> Call:
        return into.copy_, (array,)

    def in_place(self, node: Node) -> bool:
        return node.op in FUNCTIONS and OPERATIONS[node.op].in_place

    def overlap(self, one: torch.Tensor, other: torch.Tensor) -> bool:
        return functions.overlap(one, other)

    def same(self, one: torch.Tensor, other: torch.Tensor) -> bool:
        return functions.same(one, other)

    def can_write(self, array: torch.Tensor) -> bool:
        return not any(step == 0 and n > 1 for step, n in zip(array.stride(), array.shape, strict=True))

    def stays(self, array: torch.Tensor, *, table: bool = False) -> bool:
        return array.ndim > 0 and (not array.dtype.is_floating_point or (table and array.is_contiguous()))

    def calls(self, node: Node, args: Args, kwargs: Kwargs, out: torch.Tensor) -> list[Call]:
        match node.op, args:
            case "where", (condition, x, _) if is_mask_of_bits(node):  # a product is many times faster
                bits = BITS[out.dtype]  # 0 times any integer is 0, but 0 times infinity is NaN
                return [(partial(torch.mul, out=out.view(bits)), (x.view(bits), condition))]
            case op, _ if has_out(node):
                return [(partial(FUNCTIONS[op], out=out), tuple(self._tensor(a, node.inputs[-1].dtype) for a in args))]
            case "matmul", (a, b) if a.ndim == b.ndim == 2:
                return self._product(a, b, out)
            case "astype", (x, *_):
                return [(out.copy_, (x,))]
            case "isfinite", (x,) if x.dtype.is_floating_point:  # torch.isfinite takes ten times as long
                size, infinity = torch.empty_like(x), torch.tensor(math.inf, dtype=x.dtype, device=self.device)
                return [(partial(torch.abs, out=size), (x,)), (partial(torch.lt, out=out), (size, infinity))]
            case "mean", (x,) if self.device.type == "cpu" and _is_mean_of_rows(x, kwargs, out):
                weights = torch.full((x.shape[1], 1), 1 / x.shape[1], dtype=x.dtype)
                return [(partial(torch.mm, out=out.view(-1, 1)), (x, weights))]  # takes half as long as torch.mean
            case "take", (x, index) if isinstance(axis := kwargs.get("axis"), int):
                return [(partial(xp.take, axis=axis, out=out), (x, index))]
            case op, (x,) if op in REDUCTIONS and isinstance(axis := kwargs.get("axis"), int) and x.dtype == out.dtype:
                return [(partial(REDUCTIONS[op], out=out), (x, axis, kwargs.get("keepdims", False)))]

            case "sum_over_ranks", (x, ranks):
                return [(ranks.sum_into, (x, out))]
            case "convolve" | "convolve_to_input" | "convolve_to_kernel", _:
                return image_calls(node.op, args, out)
            case "max_pool", (x, window):
                return self._max_pool(node, x, window, out)
            case "max_pool_to_input", (dy, x, y, window):
                forward = node.args[2]  # which keeps the places, if it is in the step
                ahead = [] if forward in self._places else self._max_pool(forward, x, window, torch.empty_like(y))
                kept = torch.empty_like(dy)
                return [*ahead, *image_calls(node.op, (dy, x, y, self._places[forward], kept, window), out)]

        def plain() -> None:
            out.copy_(self.evaluate(node, args, kwargs))

        return [(plain, ())]

    def fuses(self, node: Node, *, hot: bool) -> bool:
        large = hot and elements(node) >= LARGE and self.device.type == "cpu"
        return large and (node.op == "astype" or has_out(node)) and not _adds_odd_rows(node)

    def group_calls(self, group: list[Node], memory: MemoryPlan, *, hot: bool) -> list[Call]:
        if sum(map(elements, group)) >= WORTH:
            with suppress(inductor.CannotCompileError):
                return inductor.kernel_calls(group, memory, self.device)
        return [call for node in group for call in self.calls(node, *memory.arguments(node), memory.allocate(node))]

    def program(self, graph: Graph, n_carry: int, shared: list[Array], *, hot: bool = False) -> Program:
        return Program(graph, n_carry, shared, TorchTarget(self.device), hot=hot)

    def _tensor(self, value: Any, dtype: torch.dtype) -> torch.Tensor:
        return value if isinstance(value, torch.Tensor) else torch.tensor(value, dtype=dtype, device=self.device)

    def _max_pool(self, node: Node, x: torch.Tensor, window: Window, out: torch.Tensor) -> list[Call]:
        self._places[node] = places = torch.empty(out.shape, dtype=torch.int64, device=self.device)
        return image_calls("max_pool", (x, places, window), out)

    def _product(self, a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> list[Call]:
        n, columns = out.shape
        if self.device.type != "cpu" or columns > NARROW or max(n, a.shape[1]) < LONG:
            return [(partial(torch.mm, out=out), (a, b))]
        turned = torch.empty((columns, n), dtype=out.dtype, device=self.device)
        return [(partial(torch.mm, out=turned), (b.mT, a.mT)), (out.copy_, (turned.mT,))]


def _adds_odd_rows(node: Node) -> bool:
    """Return True if rows are added to others that are not whole vectors of the processor: loops would not be fast."""
    width = node.shape[-1] if node.shape else 0
    return bool(width % VECTOR) and any(
        used.shape[-1:] == (width,) and used.shape != node.shape for used in node.inputs
    )


def _is_mean_of_rows(x: torch.Tensor, kwargs: Kwargs, out: torch.Tensor) -> bool:
    """Return True if a mean over the last axis of a large matrix can be computed as a product with a vector."""
    is_large = x.ndim == 2 and x.numel() >= LARGE
    return (
        is_large and x.dtype in BITS and x.dtype == out.dtype and kwargs.get("axis") in (-1, 1) and out.is_contiguous()
    )
