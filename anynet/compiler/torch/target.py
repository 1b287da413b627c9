"""PyTorch, for running recorded steps."""

from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import Any

import array_api_compat.torch as xp
import torch

from anynet.compiler.graph import Node, elements
from anynet.compiler.memory import MemoryPlan
from anynet.compiler.target import Call, Target, layout

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

LARGE, WORTH = 1 << 14, 1 << 21
"""Elements of an array, and of all that a group makes, from which on compiling pays: calling it takes 40 µs."""

REDUCTIONS = {"max": torch.amax, "mean": torch.mean, "min": torch.amin, "sum": torch.sum}

BITS = {torch.float32: torch.int32, torch.float64: torch.int64}

NARROW, LONG = 64, 1024
"""Products of at most so many columns, and of one side at least so long, are faster the other way round on the CPU."""


def has_out(node: Node) -> bool:
    """Whether it is an operation on elements that can write to a tensor, and numbers in it change no dtype."""
    is_float = bool(node.inputs) and node.inputs[-1].dtype.is_floating_point
    return node.op in OPERATIONS and not node.kwargs and (is_float or all(isinstance(a, Node) for a in node.args))


def _is_mask(node: Node) -> bool:
    """Whether a choice is between numbers and zeros."""
    condition, x, y = node.args
    return (
        all(isinstance(arg, Node) for arg in (condition, x))
        and (condition.dtype, x.dtype) == (torch.bool, node.dtype)
        and node.dtype in BITS
        and str(y) in ("0", "0.0")  # which -0.0 is not
    )


class TorchTarget(Target):
    """PyTorch's tensors on a device, without autograd."""

    patience = 100_000_000_000  # some ten seconds' work, and as much is what compiling takes

    def __init__(self, device: torch.device) -> None:
        self.device = device

    @property
    def xp(self) -> ModuleType:
        return xp

    def is_array(self, value: Any) -> bool:
        return isinstance(value, torch.Tensor)

    def empty(self, node: Node) -> torch.Tensor:
        return torch.empty(node.shape, dtype=node.dtype, device=self.device)

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
            case "where", (condition, x, _) if _is_mask(node):  # a product is many times faster than a choice
                bits = BITS[out.dtype]  # of which 0 times any is 0, where 0 times infinity is NaN
                return [(partial(torch.mul, out=out.view(bits)), (x.view(bits), condition))]
            case op, _ if has_out(node):
                return [(partial(OPERATIONS[op], out=out), tuple(self._tensor(a, node.inputs[-1].dtype) for a in args))]
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

    def fuses(self, node: Node, *, hot: bool) -> bool:
        large = hot and elements(node) >= LARGE and self.device.type == "cpu"
        return large and (node.op == "astype" or has_out(node))

    def group_calls(self, group: list[Node], memory: MemoryPlan, *, hot: bool) -> list[Call]:
        from anynet.compiler.torch import inductor as torch_kernels  # here, for it imports this

        if sum(map(elements, group)) >= WORTH:
            with suppress(torch_kernels.CannotCompileError):
                return torch_kernels.kernel_calls(group, memory, self)
        return [call for node in group for call in self.calls(node, *memory.arguments(node), memory.allocate(node))]

    def _tensor(self, value: Any, dtype: torch.dtype) -> torch.Tensor:
        return value if isinstance(value, torch.Tensor) else torch.tensor(value, dtype=dtype, device=self.device)

    def _product(self, a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> list[Call]:
        n, columns = out.shape
        if self.device.type != "cpu" or columns > NARROW or max(n, a.shape[1]) < LONG:
            return [(partial(torch.mm, out=out), (a, b))]
        turned = torch.empty((columns, n), dtype=out.dtype)
        return [(partial(torch.mm, out=turned), (b.mT, a.mT)), (out.copy_, (turned.mT,))]
