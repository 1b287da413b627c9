"""PyTorch's functions for recorded operations."""

import torch

from anynet.compiler.graph import Node
from anynet.compiler.ops import OPERATIONS, is_mask, keeps_integers
from anynet.compiler.target import layout

FUNCTIONS = {operation.name: getattr(torch, operation.torch) for operation in OPERATIONS.values() if operation.torch}
"""Elementwise functions that take ``out``, by the operation's name."""

REDUCTIONS = {"max": torch.amax, "mean": torch.mean, "min": torch.amin, "sum": torch.sum}

BITS = {torch.float32: torch.int32, torch.float64: torch.int64}


def has_out(node: Node) -> bool:
    """Return True if PyTorch's function can write an operation's result to a tensor.

    Python numbers are converted to tensors of the other arguments' dtype first, which must not change the result.
    """
    if node.op not in FUNCTIONS or node.kwargs:
        return False
    is_float = bool(node.inputs) and node.inputs[-1].dtype.is_floating_point
    return is_float or all(isinstance(arg, Node) for arg in node.args) or keeps_integers(node)


def is_mask_of_bits(node: Node) -> bool:
    """Return True if a choice can be computed as a product of integers."""
    return node.dtype in BITS and is_mask(node)


def overlap(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Return True if two tensors share memory."""
    return bool(one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr())


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Return True if two tensors are the same elements of memory."""
    laid = layout(one.shape, one.stride()) == layout(other.shape, other.stride())
    return laid and one.data_ptr() == other.data_ptr()
