"""Groups of elementwise operations run block by block, so that what they share stays in cache."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.compiler.graph import Node
from anynet.compiler.memory import MemoryPlan
from anynet.compiler.numpy.ufuncs import calls, check_index, in_place, take
from anynet.compiler.ops import OPERATIONS
from anynet.compiler.target import Call
from anynet.core.tree import flatten

Host = NDArray[Any]
Block = tuple[slice, ...]

SIZE = 1 << 15
"""Number of elements of a block: few enough for the second-level cache, enough to make the cost of calls small."""

LARGE = 1 << 14
"""Least number of elements of an array whose operations run in blocks: 64 KB of float32."""


def in_blocks(node: Node) -> bool:
    """Return True if an operation can run in blocks: elementwise on a large array, or whole rows of a table."""
    if node.op not in OPERATIONS or math.prod(node.shape) < LARGE:
        return False
    if node.op != "take":
        return True
    rows = len(node.inputs) == 2 and len(node.inputs[1].shape) == 1 and node.kwargs == {"axis": 0}
    return rows and math.prod(node.shape[1:]) <= SIZE


def block_calls(group: list[Node], memory: MemoryPlan) -> list[Call]:
    """Return the calls that run all operations of a group on one block after another.

    Parameters
    ----------
    group : list of Node
        Operations with results of the same shape, each after those it needs.
    memory : MemoryPlan
        Allocates the results that are needed outside the group; the others have arrays of a block's size.
    """
    shape = group[0].shape
    whole = {node: memory.allocate(node) for node in memory.needed_outside(group)}
    small = _small_arrays(group, set(group) - whole.keys())
    found: list[Call] = [
        (check_index, (memory[node.args[0]], memory[node.args[1]], 0)) for node in group if node.op == "take"
    ]
    for block in blocks(shape):
        extent = tuple(part.stop - part.start for part in block)
        here = {node: array[: math.prod(extent)].reshape(extent) for node, array in small.items()}
        here |= {node: cut(array, shape, block) for node, array in whole.items()}

        def local(leaf: Any, block: Block = block, here: dict[Node, Host] = here) -> Any:
            if not isinstance(leaf, Node):
                return leaf
            return here[leaf] if leaf in here else cut(memory[leaf], shape, block)

        for node in group:
            if node.op == "take":  # its rows are anywhere in the table
                table, index = (memory[used] for used in node.args)
                found.append(take(table, index[block[0]], 0, here[node]))
                continue
            leaves, rebuild = flatten((node.args, node.kwargs))
            args, kwargs = rebuild([local(leaf) for leaf in leaves])
            found += calls(node, args, kwargs, here[node])
    return found


def blocks(shape: tuple[int, ...]) -> list[Block]:
    """Return the indices of pieces of at most `SIZE` elements that are contiguous in memory.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array that is cut into pieces.

    Examples
    --------
    >>> blocks((2, 40_000))
    [(slice(0, 1, None), slice(0, 32768, None)), (slice(0, 1, None), slice(32768, 40000, None)), \
(slice(1, 2, None), slice(0, 32768, None)), (slice(1, 2, None), slice(32768, 40000, None))]
    """
    row = math.prod(shape[1:])
    if row > SIZE:
        return [(slice(i, i + 1), *rest) for i in range(shape[0]) for rest in blocks(shape[1:])]
    n = SIZE // row
    rest = [slice(0, length) for length in shape[1:]]
    return [(slice(start, min(start + n, shape[0])), *rest) for start in range(0, shape[0], n)]


def cut(array: Host, shape: tuple[int, ...], block: Block) -> Host:
    """Return the part of an argument that is broadcast to a block of the result.

    Parameters
    ----------
    array : ndarray
    shape : tuple of int
        Shape of the whole result.
    block : tuple of slice
        As from `blocks`.
    """
    aligned = block[len(shape) - array.ndim :]
    parts: list[Any] = [slice(None) if n == 1 else part for n, part in zip(array.shape, aligned, strict=True)]
    return array[..., *parts]  # with ..., for array[()] of a single number is no array


def _small_arrays(group: list[Node], inner: set[Node]) -> dict[Node, Host]:
    """Allocate arrays of a block's size for results that only the group needs; they are reused after their last use."""
    found: dict[Node, Host] = {}
    free: list[Host] = []
    last = {used: i for i, node in enumerate(group) for used in node.inputs}
    for i, node in enumerate(group):
        done = [found[used] for used in dict.fromkeys(node.inputs) if used in found and last[used] == i]
        if in_place(node):
            free += done
        if node in inner:
            k = next((k for k, array in enumerate(free) if array.dtype == node.dtype), None)
            found[node] = np.empty(min(SIZE, math.prod(node.shape)), node.dtype) if k is None else free.pop(k)
        if not in_place(node):  # its result may not be written over an argument
            free += done
    return found
