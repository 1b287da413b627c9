"""Memory plan: the array that each operation of a recorded step writes its result to."""

import math
from typing import Any, Protocol

from anynet.compiler import concat as vectors
from anynet.compiler.graph import Args, Graph, Kwargs, Node, elements
from anynet.compiler.splice import part_read, vector_within
from anynet.core.tree import flatten
from anynet.core.typing import ConcreteArray as Array

LARGE = 1 << 18
"""Number of elements of the smallest results whose memory is used again."""


class _Storage(Protocol):
    """The methods of a target that a memory plan needs; see `Target`."""

    def asarray(self, value: Any) -> Array: ...
    def empty(self, node: Node) -> Array: ...
    def in_place(self, node: Node) -> bool: ...
    def overlap(self, one: Array, other: Array) -> bool: ...
    def same(self, one: Array, other: Array) -> bool: ...
    def can_write(self, array: Array) -> bool: ...


class MemoryPlan:
    """Arrays of a graph's nodes.

    An operation writes its result over an argument that nothing else needs any more, to its place in a vector, to the
    memory of a result that is not needed any more, or to a new array.

    Parameters
    ----------
    graph : Graph
    groups : list of list of Node
        Operations in the order in which they run, as from `schedule`. The operations of a group run together for one
        element after another. An operation in several groups is done in each.
    updates : dict of Node to Node
        Operations whose results replace inputs of the graph, with the inputs.
    target : Target
    reuse : bool
        If True, memory is used again; see `Target.reuses`.

    Attributes
    ----------
    users : dict of Node to list of Node
        Operations that take each node.
    """

    def __init__(
        self,
        graph: Graph,
        groups: list[list[Node]],
        updates: dict[Node, Node],
        target: _Storage,
        *,
        reuse: bool = False,
    ) -> None:
        self._target, self._reuse = target, reuse
        self._place = {node: i for i, node in enumerate(node for group in groups for node in group)}
        self._group = {node: group for group in groups for node in group}
        self._within: dict[Node, set[int]] = {}  # numbers of groups
        for i, group in enumerate(groups):
            for node in group:
                self._within.setdefault(node, set()).add(i)
        self._updates = dict(updates)
        self._outputs, self.users = set(graph.outputs), graph.users()
        spliced = {vector for group in groups if (vector := vector_within(group)) is not None}
        self._parts = vectors.parts(graph, spliced)
        self._changed = vectors.changed(graph, spliced, target.in_place)
        self._arrays: dict[Node, Array] = {}
        self._owner: dict[Node, Node] = {}  # the node whose array holds a node's array
        self._needed: dict[Node, float] = {}  # by owner: the position of the last operation that needs the array
        self._free_to_use: set[Node] = set()
        self._blocks: dict[Node, Array] = {}  # memory that large results own, by owner

    def __getitem__(self, node: Node) -> Array:
        if node.op == "constant" and node not in self._arrays:
            self.hold(node, self._target.asarray(node.value))
        return self._arrays[node]

    def arguments(self, node: Node) -> tuple[Args, Kwargs]:
        """Return the arguments of an operation, with arrays in place of nodes."""
        leaves, rebuild = flatten((node.args, node.kwargs))
        args, kwargs = rebuild([self[leaf] if isinstance(leaf, Node) else leaf for leaf in leaves])
        return args, kwargs

    def hold(self, node: Node, array: Array, owner: Node | None = None) -> Array:
        """Set the array of a node, and return it.

        Parameters
        ----------
        node : Node
        array : array
            The owner's array, or a view of part of it.
        owner : Node, optional
            By default the node itself.
        """
        owner = node if owner is None else self._owner[owner]
        self._arrays[node], self._owner[node] = array, owner
        self._needed[owner] = max(self._needed.get(owner, -1), self.last(node))
        return array

    def last(self, node: Node) -> float:
        """Return the position of the last operation that takes a node: infinity for outputs, -1 if there is none."""
        if node in self._outputs:
            return math.inf
        return max((self._place[user] for user in self.users.get(node, ())), default=-1)

    def is_placed(self, node: Node) -> bool:
        """Return True if a result belongs in a certain place: the outputs, and parts of vectors."""
        return node in self._outputs or node in self._parts

    def needed_outside(self, group: list[Node]) -> list[Node]:
        """Return the operations of a group whose results are needed outside it; the others need no whole arrays."""
        within = self._within
        return [
            node
            for node in group
            if self.is_placed(node) or any(within[user] - within[node] for user in self.users.get(node, ()))
        ]

    def allocate(self, node: Node) -> Array:
        """Choose the array for an operation's result, and return it."""
        if (old := self._updates.pop(node, None)) is not None and self._may_write(node, old):
            return self.hold(node, self._arrays[old], old)
        if node in self._parts:
            part = self._parts[node]
            where = self.vector(part.vector, node)[part.key]
            array = where if tuple(where.shape) == node.shape else where.reshape(node.shape)
            if self._target.overlap(array, where):
                return self.hold(node, array, part.vector)
        for used in node.inputs if self._target.in_place(node) else ():
            if self._owner.get(used) in self._free_to_use and self._may_write(node, used):
                return self.hold(node, self._arrays[used], used)
        if self._reuse and elements(node) >= LARGE:
            return self._allocate_large(node)
        self._free_to_use.add(node)
        return self.hold(node, self._target.empty(node))

    def _allocate_large(self, node: Node) -> Array:
        """Return memory for a result: that of one which is not needed any more, or new memory."""
        group = self._group[node]
        places = [self._place[member] for member in group if self._group[member] is group]
        read = (used for member in group for used in member.inputs) if len(group) > 1 else ()
        for used in dict.fromkeys(read):
            ends = self._needed.get(self._owner.get(used, used), math.inf) <= max(places)
            if ends and self._owner.get(used) in self._free_to_use and self._fits(node, used):
                return self.hold(node, self._arrays[used], used)
        free = [
            (block.shape[0], -self._place[owner], owner)
            for owner, block in self._blocks.items()
            if self._needed[owner] < min(places) and block.dtype == node.dtype and block.shape[0] >= elements(node)
        ]
        block = self._blocks.pop(min(free)[-1]) if free else self._target.empty(node).reshape(-1)
        self._free_to_use.add(node)
        self._blocks[node] = block
        return self.hold(node, block[: elements(node)].reshape(node.shape))

    def vector(self, node: Node, first: Node) -> Array:
        """Return the array of a concatenation; `first` is the first of its parts to be computed."""
        if node in self._arrays:
            return self._arrays[node]
        if (old := self._changed.get(node)) in self._arrays and self._may_change(old, self._place[first]):
            return self.hold(node, self._arrays[old], old)
        return self.hold(node, self._target.empty(node))

    def stays(self, part: vectors.Part, constant: Node) -> bool:
        """Return True if a constant part of a vector is never written over by anything else."""
        return vectors.stays(part, constant, self._changed)

    def _may_change(self, old: Node, start: int) -> bool:
        """Return True if a vector is complete, and nothing else in its memory is needed any more."""
        others = [node for node in self._sharing(old) if node is not old and old not in node.inputs]
        return self._place[old] < start and all(self.last(node) <= self._place[old] for node in others)

    def _may_write(self, node: Node, used: Node) -> bool:
        end = self._needed[self._owner[used]]
        if end > self._place[node] or (
            end == self._place[node] and not (used in node.inputs and self._target.in_place(node))
        ):
            return False
        return self._fits(node, used)

    def _fits(self, node: Node, used: Node) -> bool:
        """Return True if a result has the form of an array that its group reads element by element."""
        if (node.shape, node.dtype) != (used.shape, used.dtype) or not self._target.can_write(self._arrays[used]):
            return False
        return all(self._in_step(member, used) for member in self._group[node])

    def _in_step(self, member: Node, used: Node) -> bool:
        """Return True if an operation of a group reads no elements of an array but the one that is written over."""
        same = set(self._sharing(used)).intersection(member.inputs)
        if not same or member.op == "take":
            return not same
        array, group = self._arrays[used], self._group[member]
        places = [(n, array if part is None else array[part.key]) for n in same for part in part_read(group, member, n)]
        return all(self._target.same(self._arrays[n], place) for n, place in places)

    def _sharing(self, node: Node) -> list[Node]:
        """Return all nodes in the memory of one."""
        return [other for other, owner in self._owner.items() if owner is self._owner[node]]
