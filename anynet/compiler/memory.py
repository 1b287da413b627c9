"""In which array each operation of a recorded step leaves its result."""

import math
from typing import Any, Protocol

from anynet.compiler import concat as vectors
from anynet.compiler.graph import Graph, Node
from anynet.core.tree import flatten
from anynet.core.typing import ConcreteArray as Array


class Storage(Protocol):
    """The methods of a target that a memory plan needs; see `Target`."""

    def asarray(self, value: Any) -> Array: ...
    def empty(self, node: Node) -> Array: ...
    def in_place(self, node: Node) -> bool: ...
    def overlap(self, one: Array, other: Array) -> bool: ...
    def same(self, one: Array, other: Array) -> bool: ...
    def can_write(self, array: Array) -> bool: ...


class MemoryPlan:
    """Arrays by node: the argument's own where nothing else needs it any more, a new one otherwise.

    graph: what is to run. groups: its operations in the order in which they will, those of a group element by element.
    updates: the operations whose results replace inputs, with the inputs.
    """

    def __init__(self, graph: Graph, groups: list[list[Node]], updates: dict[Node, Node], target: Storage) -> None:
        self._target = target
        self._place = {node: i for i, node in enumerate(node for group in groups for node in group)}
        self._group = {node: group for group in groups for node in group}
        self._updates = dict(updates)
        self._outputs, self.users = set(graph.outputs), graph.users()
        self._parts, self._changed = vectors.parts(graph), vectors.changed(graph, target.in_place)
        self._arrays: dict[Node, Array] = {}
        self._owner: dict[Node, Node] = {}  # whose array a node's is, or is part of
        self._needed: dict[Node, float] = {}  # by owner: until which position
        self._free_to_use: set[Node] = set()

    def __getitem__(self, node: Node) -> Array:
        if node.op == "constant" and node not in self._arrays:
            self.hold(node, self._target.asarray(node.value))
        return self._arrays[node]

    def arguments(self, node: Node) -> tuple[tuple, dict[str, Any]]:
        """What to call the operation with."""
        leaves, rebuild = flatten((node.args, node.kwargs))
        args, kwargs = rebuild([self[leaf] if isinstance(leaf, Node) else leaf for leaf in leaves])
        return args, kwargs

    def hold(self, node: Node, array: Array, owner: Node | None = None) -> Array:
        """Let the node's array be this one, which is the owner's or part of it."""
        owner = node if owner is None else self._owner[owner]
        self._arrays[node], self._owner[node] = array, owner
        self._needed[owner] = max(self._needed.get(owner, -1), self.last(node))
        return array

    def last(self, node: Node) -> float:
        """The position of the last operation that takes the node; infinity for outputs."""
        if node in self._outputs:
            return math.inf
        return max((self._place[user] for user in self.users.get(node, ())), default=-1)

    def is_placed(self, node: Node) -> bool:
        """Whether the node's result is wanted in a certain place."""
        return node in self._outputs or node in self._parts

    def needed_outside(self, group: list[Node]) -> list[Node]:
        """Return the operations of a group whose results are needed outside it, or wanted in a certain place."""
        members = set(group)
        return [node for node in group if self.is_placed(node) or not members.issuperset(self.users.get(node, ()))]

    def allocate(self, node: Node) -> Array:
        """An array for what the operation gives."""
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
        self._free_to_use.add(node)
        return self.hold(node, self._target.empty(node))

    def vector(self, node: Node, first: Node) -> Array:
        """The array of a concatenation, which is there as soon as the first of its parts."""
        if node in self._arrays:
            return self._arrays[node]
        if (old := self._changed.get(node)) in self._arrays and self._may_change(old, self._place[first]):
            return self.hold(node, self._arrays[old], old)
        return self.hold(node, self._target.empty(node))

    def will_change(self, node: Node) -> bool:
        """Whether a later vector may be written over this one."""
        return node in self._changed.values()

    def _may_change(self, old: Node, start: int) -> bool:
        """Whether a vector is complete, and what else is in its memory needed no more."""
        others = [node for node in self._sharing(old) if node is not old and old not in node.inputs]
        return self._place[old] < start and all(self.last(node) <= self._place[old] for node in others)

    def _may_write(self, node: Node, used: Node) -> bool:
        array = self._arrays[used]
        if (node.shape, node.dtype) != (used.shape, used.dtype) or not self._target.can_write(array):
            return False
        end = self._needed[self._owner[used]]
        if end > self._place[node] or (
            end == self._place[node] and not (used in node.inputs and self._target.in_place(node))
        ):
            return False
        return all(self._in_step(member, used) for member in self._group[node])

    def _in_step(self, member: Node, used: Node) -> bool:
        """Whether an operation that runs beside others element by element reads no other elements of an array."""
        same = set(self._sharing(used)).intersection(member.inputs)
        return not same or (
            member.op != "take" and all(self._target.same(self._arrays[n], self._arrays[used]) for n in same)
        )

    def _sharing(self, node: Node) -> list[Node]:
        """All nodes that are in the array of one."""
        return [other for other, owner in self._owner.items() if owner is self._owner[node]]
