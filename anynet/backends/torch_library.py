"""PyTorch, for running recorded steps."""

from functools import partial
from types import ModuleType
from typing import Any

import array_api_compat.torch as xp
import torch

from anynet.tracing.graph import Node
from anynet.tracing.library import Call, Library, layout

OPERATIONS = {
    "abs": torch.abs,
    "add": torch.add,
    "bitwise_and": torch.bitwise_and,
    "bitwise_or": torch.bitwise_or,
    "divide": torch.div,
    "equal": torch.eq,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "greater": torch.gt,
    "greater_equal": torch.ge,
    "less": torch.lt,
    "less_equal": torch.le,
    "log": torch.log,
    "log1p": torch.log1p,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "multiply": torch.mul,
    "negative": torch.neg,
    "not_equal": torch.ne,
    "sqrt": torch.sqrt,
    "subtract": torch.sub,
    "tanh": torch.tanh,
    "where": torch.where,
}
"""Operations of each element on its own, which take ``out``."""

REDUCTIONS = {"max": torch.amax, "mean": torch.mean, "min": torch.amin, "sum": torch.sum}

NARROW, LONG = 64, 1024
"""Products of at most so many columns, and of one side at least so long, are faster the other way round on the CPU."""


class TorchLibrary(Library):
    """PyTorch's tensors on a device, without autograd."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    @property
    def xp(self) -> ModuleType:
        return xp

    def is_array(self, value: Any) -> bool:
        return isinstance(value, torch.Tensor)

    def empty(self, node: Node) -> torch.Tensor:
        return torch.empty(node.shape, dtype=node.dtype, device=self._device)

    def copy(self, into: torch.Tensor, array: torch.Tensor) -> Call:
        return into.copy_, (array,)

    def in_place(self, node: Node) -> bool:
        return node.op in OPERATIONS and node.op != "where"

    def overlap(self, one: torch.Tensor, other: torch.Tensor) -> bool:
        return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()

    def same(self, one: torch.Tensor, other: torch.Tensor) -> bool:
        laid = layout(one.shape, one.stride()) == layout(other.shape, other.stride())
        return laid and one.data_ptr() == other.data_ptr()

    def can_write(self, array: torch.Tensor) -> bool:
        return not any(step == 0 and n > 1 for step, n in zip(array.stride(), array.shape, strict=True))

    def stays(self, array: torch.Tensor) -> bool:
        return not array.dtype.is_floating_point and array.ndim > 0

    def calls(self, node: Node, args: tuple, kwargs: dict[str, Any], out: torch.Tensor) -> list[Call]:
        match node.op, args:
            case op, _ if op in OPERATIONS and not kwargs:
                dtype = next(a.dtype for a in reversed(args) if isinstance(a, torch.Tensor))
                if dtype.is_floating_point or all(isinstance(a, torch.Tensor) for a in args):
                    return [(partial(OPERATIONS[op], out=out), tuple(self._tensor(a, dtype) for a in args))]
            case "matmul", (a, b) if a.ndim == b.ndim == 2:
                return self._product(a, b, out)
            case "astype", (x, *_):
                return [(out.copy_, (x,))]
            case "take", (x, index) if isinstance(axis := kwargs.get("axis"), int):
                return [(partial(xp.take, axis=axis, out=out), (x, index))]
            case op, (x,) if op in REDUCTIONS and isinstance(axis := kwargs.get("axis"), int) and x.dtype == out.dtype:
                return [(partial(REDUCTIONS[op], out=out), (x, axis, kwargs.get("keepdims", False)))]

        def plain() -> None:
            out.copy_(self.evaluate(node, args, kwargs))

        return [(plain, ())]

    def _tensor(self, value: Any, dtype: torch.dtype) -> torch.Tensor:
        return value if isinstance(value, torch.Tensor) else torch.tensor(value, dtype=dtype, device=self._device)

    def _product(self, a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> list[Call]:
        n, columns = out.shape
        if self._device.type != "cpu" or columns > NARROW or max(n, a.shape[1]) < LONG:
            return [(partial(torch.mm, out=out), (a, b))]
        turned = torch.empty((columns, n), dtype=out.dtype)
        return [(partial(torch.mm, out=turned), (b.mT, a.mT)), (out.copy_, (turned.mT,))]
