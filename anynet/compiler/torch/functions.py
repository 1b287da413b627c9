"""PyTorch's functions for the array API's operations."""

import torch

from anynet.compiler.graph import Node
from anynet.compiler.target import layout

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

BITS = {torch.float32: torch.int32, torch.float64: torch.int64}


def has_out(node: Node) -> bool:
    """Whether it is an operation on elements that can write to a tensor, and numbers in it change no dtype."""
    is_float = bool(node.inputs) and node.inputs[-1].dtype.is_floating_point
    return node.op in OPERATIONS and not node.kwargs and (is_float or all(isinstance(a, Node) for a in node.args))


def is_mask(node: Node) -> bool:
    """Whether a choice is between numbers and zeros."""
    condition, x, y = node.args
    return (
        all(isinstance(arg, Node) for arg in (condition, x))
        and (condition.dtype, x.dtype) == (torch.bool, node.dtype)
        and node.dtype in BITS
        and str(y) in ("0", "0.0")  # which -0.0 is not
    )


def overlap(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Return True if two tensors share memory."""
    return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Return True if two tensors are the same elements of memory."""
    laid = layout(one.shape, one.stride()) == layout(other.shape, other.stride())
    return laid and one.data_ptr() == other.data_ptr()
