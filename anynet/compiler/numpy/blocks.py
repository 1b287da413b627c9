"""Groups of elementwise operations run block by block, so that what they share stays in cache."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.compiler.concat import pieces
from anynet.compiler.graph import Node, elements
from anynet.compiler.memory import MemoryPlan
from anynet.compiler.numpy.ufuncs import calls, check_index, empty, in_place, take
from anynet.compiler.ops import OPERATIONS
from anynet.compiler.splice import vector_within
from anynet.compiler.target import Call
from anynet.core.tree import flatten

Host = NDArray[Any]
Block = tuple[slice, ...]
Inputs = dict[Node, list[Node]]
"""Operations of a group with the nodes that they take."""

SIZE = 3 << 18
"""Bytes of all arrays of a block together: few enough for the second-level cache, enough that calls cost little."""

STEP = 16
"""Elements that the length of a block is a multiple of, so that all begin with a cache line."""

LARGE = 1 << 14
"""Least number of elements of an array whose operations run in blocks: 64 KB of float32."""


def in_blocks(node: Node) -> bool:
    """Return True if an operation can run in blocks: elementwise on a large array, or whole rows of a table."""
    if node.op not in OPERATIONS or math.prod(node.shape) < LARGE:
        return False
    if node.op != "take":
        return True
    rows = len(node.inputs) == 2 and len(node.inputs[1].shape) == 1 and node.kwargs == {"axis": 0}
    return rows and node.dtype.itemsize * math.prod(node.shape[1:]) <= SIZE


def block_calls(group: list[Node], memory: MemoryPlan) -> list[Call]:
    """Return the calls that run all operations of a group on one block after another.

    Parameters
    ----------
    group : list of Node
        Operations with results of the same shape, each after those it needs, or a joined group, as from `splice`.
    memory : MemoryPlan
        Allocates the results that are needed outside the group; the others have arrays of a block's size.
    """
    vector = vector_within(group)
    k = 0 if vector is None else group.index(vector)
    before, group = group[:k], group[k:]
    shape, whole = group[-1].shape, {node: memory.allocate(node) for node in memory.needed_outside(group)}
    inputs = {node: node.inputs for node in (*before[:-1], *group)}
    if vector is not None:
        inputs[vector] = before[-1].inputs  # whose result is written to its place in the vector
    lent = _lent(inputs, memory, whole)
    turns = _turns(inputs, inputs.keys() - whole.keys() - lent.keys())
    size = max(1, SIZE // _bytes_per_element(inputs, memory, whole, turns))
    if any(node.op == "take" for node in group):  # whole rows
        size = max(size, math.prod(shape[1:]))
    parts = blocks(shape, size)
    most = max(math.prod(part.stop - part.start for part in block) for block in parts)
    small = [empty((most,), dtype) for dtype in {i: node.dtype for node, i in turns.items()}.values()]
    found: list[Call] = [
        (check_index, (memory[node.args[0]], memory[node.args[1]], 0)) for node in group if node.op == "take"
    ]
    for block in parts:
        here = {node: _begin(small[i], block) for node, i in turns.items()}
        here |= {node: cut(array, shape, block) for node, array in (whole | lent).items()}
        for node in group:
            if node is vector:
                found += _vector_calls(node, before, block, memory, here, list(whole.values()))
            else:
                found += _node_calls(node, block, memory, here)
    return found


def _node_calls(node: Node, block: Block, memory: MemoryPlan, here: dict[Node, Host]) -> list[Call]:
    """Return the calls that run an operation on a block; `here` has the blocks of the group's results."""
    if node.op == "take":  # its rows are anywhere in the table
        table, index = (memory[used] for used in node.args)
        return [take(table, index[block[0]], 0, here[node])]

    def local(leaf: Any) -> Any:
        if not isinstance(leaf, Node):
            return leaf
        return here[leaf] if leaf in here else cut(memory[leaf], node.shape, block)

    leaves, rebuild = flatten((node.args, node.kwargs))
    args, kwargs = rebuild([local(leaf) for leaf in leaves])
    return calls(node, args, kwargs, here[node])


def _vector_calls(
    vector: Node, before: list[Node], block: Block, memory: MemoryPlan, here: dict[Node, Host], written: list[Host]
) -> list[Call]:
    """Return the calls that fill a block of a vector: the operations `before` it compute one part.

    A block of another part is read where it is, unless the group writes there before the block's last use.
    """
    found: list[Call] = []
    *outer, last = block
    for part, piece in pieces(vector):
        start, stop = max(part.start, last.start), min(part.stop, last.stop)
        if start >= stop:
            continue
        place = here[vector][..., start - last.start : stop - last.start]
        own = (*outer, slice(start - part.start, stop - part.start))
        if piece is before[-1]:
            there = {node: _begin(array.reshape(-1), own) for node, array in here.items() if node in before}
            for node in before:
                found += _node_calls(node, own, memory, {**there, piece: place})
        elif place.shape == here[vector].shape and not any(np.may_share_memory(memory[piece], a) for a in written):
            here[vector] = cut(memory[piece], piece.shape, own)
        else:
            found.append((np.copyto, (place, cut(memory[piece], piece.shape, own))))
    return found


def _begin(array: Host, block: Block) -> Host:
    """Return the first elements of an array in the shape of a block."""
    extent = tuple(part.stop - part.start for part in block)
    return array[: math.prod(extent)].reshape(extent)


def blocks(shape: tuple[int, ...], size: int) -> list[Block]:
    """Return the indices of pieces that are contiguous in memory, of about equal lengths.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array that is cut into pieces.
    size : int
        Number of elements that a piece has at most.

    Examples
    --------
    >>> blocks((2, 40_000), 32_768)
    [(slice(0, 1, None), slice(0, 20000, None)), (slice(0, 1, None), slice(20000, 40000, None)), \
(slice(1, 2, None), slice(0, 20000, None)), (slice(1, 2, None), slice(20000, 40000, None))]
    """
    row = math.prod(shape[1:])
    if row > size:
        return [(slice(i, i + 1), *rest) for i in range(shape[0]) for rest in blocks(shape[1:], size)]
    n = _even(shape[0], max(1, size // row))
    rest = [slice(0, length) for length in shape[1:]]
    return [(slice(start, min(start + n, shape[0])), *rest) for start in range(0, shape[0], n)]


def _even(length: int, most: int) -> int:
    """Return the length of pieces, at most `most` each, that are as equal as multiples of `STEP` allow."""
    n = math.ceil(length / math.ceil(length / most))
    aligned = math.ceil(n / STEP) * STEP
    return aligned if n > STEP and aligned <= most else n


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


def _lent(inputs: Inputs, memory: MemoryPlan, whole: dict[Node, Host]) -> dict[Node, Host]:
    """Return the results that only the group needs, but whose place is that of a later one, with that one's array."""
    found: dict[Node, Host] = {}
    last = {used: node for node in inputs for used in inputs[node]}
    read = [memory[used] for used in last if used not in inputs]
    for node in reversed(inputs):
        array = found.get(node, whole.get(node))
        if array is None or not in_place(node):
            continue
        others = [*read, *(other for other in whole.values() if other is not array)]
        if any(np.may_share_memory(array, other) for other in others):
            continue
        fits = (n for n in inputs[node] if n in inputs and n not in whole and last[n] is node)
        used = next((n for n in fits if (n.shape, n.dtype) == (node.shape, node.dtype)), None)
        if used is not None:
            found[used] = array
    return found


def _turns(inputs: Inputs, inner: set[Node]) -> dict[Node, int]:
    """Return the number of the array of a block's size that holds each result that only the group needs.

    An array takes the next result of its dtype after the last use of the one before.
    """
    found: dict[Node, int] = {}
    free: list[tuple[int, Node]] = []
    last = {used: i for i, node in enumerate(inputs) for used in inputs[node]}
    for i, node in enumerate(inputs):
        done = [(found[used], used) for used in dict.fromkeys(inputs[node]) if used in found and last[used] == i]
        if in_place(node):
            free += done
        if node in inner:
            k = next((k for k, (_, old) in enumerate(free) if old.dtype == node.dtype), None)
            found[node] = len(set(found.values())) if k is None else free.pop(k)[0]
        if not in_place(node):  # its result may not be written over an argument
            free += done
    return found


def _bytes_per_element(inputs: Inputs, memory: MemoryPlan, whole: dict[Node, Host], turns: dict[Node, int]) -> int:
    """Return how many bytes of different arrays the group reads and writes for an element of its result."""
    outer = {used for node in inputs if node.op != "take" for used in inputs[node] if used not in inputs}
    half = elements(next(reversed(inputs))) / 2  # smaller ones are broadcast
    arrays = [*whole, *(used for used in outer if elements(used) > half)]
    places = {memory[node].ctypes.data: node for node in arrays}
    small = {i: node for node, i in turns.items()}
    return sum(node.dtype.itemsize for node in (*places.values(), *small.values()))
