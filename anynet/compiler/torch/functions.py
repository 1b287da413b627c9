"""PyTorch's functions for the array API's operations."""

import torch

from anynet.compiler.graph import Node
from anynet.compiler.ops import OPERATIONS, is_mask, keeps_integers
from anynet.compiler.target import layout

FUNCTIONS = {operation.name: getattr(torch, operation.torch) for operation in OPERATIONS.values() if operation.torch}
"""Operations of each element on its own, which take ``out``."""

REDUCTIONS = {"max": torch.amax, "mean": torch.mean, "min": torch.amin, "sum": torch.sum}

BITS = {torch.float32: torch.int32, torch.float64: torch.int64}


def has_out(node: Node) -> bool:
    """Whether it is an operation on elements that can write to a tensor, and numbers in it change no dtype."""
    if node.op not in FUNCTIONS or node.kwargs:
        return False
    is_float = bool(node.inputs) and node.inputs[-1].dtype.is_floating_point
    return is_float or all(isinstance(arg, Node) for arg in node.args) or keeps_integers(node)


def is_mask_of_bits(node: Node) -> bool:
    """Whether a choice is a product of bits."""
    return is_mask(node) and node.dtype in BITS


def overlap(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Return True if two tensors share memory."""
    return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Return True if two tensors are the same elements of memory."""
    laid = layout(one.shape, one.stride()) == layout(other.shape, other.stride())
    return laid and one.data_ptr() == other.data_ptr()
