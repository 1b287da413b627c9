"""Programs: recorded steps as lists of calls, which run many times in arrays that are allocated once."""

from functools import partial

from anynet.compiler import concat as vectors
from anynet.compiler.graph import Args, Graph, Kwargs, Node
from anynet.compiler.memory import MemoryPlan
from anynet.compiler.schedule import VIEWS, schedule
from anynet.compiler.target import Call, Target, Tick
from anynet.core.typing import ConcreteArray as Array


class Program:
    """A recorded step with its arrays, ready to run: a `CompiledStep`.

    `run` runs a whole loop: `start` copies the first carry, `step` runs the step for one row, `result` returns copies
    of the carry.

    Parameters
    ----------
    graph : Graph
        ``step(carry, shared, row)``, which returns the next carry; its inputs are the leaves of all three.
    n_carry : int
        Number of the carry's leaves.
    shared : list of array
        Arrays that stay the same during a loop.
    target : Target
    hot : bool
        If True, the step runs often enough that compiling parts of it pays.

    Attributes
    ----------
    carry : list of array
        Arrays of the carry.
    calls : list of Call
        Calls of one step, in order.
    made : list of list of Node
        Operations that each call computes.
    """

    def __init__(self, graph: Graph, n_carry: int, shared: list[Array], target: Target, *, hot: bool = False) -> None:
        self._target = target
        carry, fixed = graph.inputs[:n_carry], graph.inputs[n_carry : n_carry + len(shared)]
        self._carry_nodes, row = carry, graph.inputs[n_carry + len(shared) :]
        fuse = partial(target.fuses, hot=hot)
        groups = target.arrange(schedule(graph, fuse), graph, hot=hot)
        updates = {new: old for old, new in zip(carry, graph.outputs, strict=True) if new is not old}
        self._memory = MemoryPlan(graph, groups, updates, target, reuse=target.reuses(hot=hot))
        self.carry, self._row = ([self._own(node) for node in nodes] for nodes in (carry, row))
        self._shared = [
            self._memory.hold(n, a) if target.stays(a, table=n in graph.tables) else self._own(n)
            for n, a in zip(fixed, shared, strict=True)
        ]
        self._fixed = set(fixed)
        self._once: list[Call] = []
        self.calls: list[Call] = []
        self.made: list[list[Node]] = []
        for group in groups:
            if target.fuses(group[0], hot=hot):
                self._add(group, target.group_calls(group, self._memory, hot=hot))
            else:
                self._bind(group[0])
        self._hand_over([self._memory[new] for new in graph.outputs])

    @property
    def launches(self) -> int:
        """Number of functions that a step calls; on a GPU, of kernels."""
        return len(self.calls)

    def start(self, carry: list[Array], shared: list[Array]) -> None:
        """Begin a loop with the values of these arrays."""
        for mine, array in zip((*self.carry, *self._shared), (*carry, *shared), strict=True):
            if mine is not array:
                _run([self._target.copy(mine, array)])
        _run(self._once)

    def run(self, carry: list[Array], shared: list[Array], columns: list[Array], tick: Tick) -> list[Array]:
        """Run a whole loop, and return copies of the last carry's arrays."""
        self.start(carry, shared)
        self.steps(columns, tick)
        return self.result()

    def steps(self, columns: list[Array], tick: Tick) -> None:
        """Run a step for each row of the columns, and call ``tick(1)`` after each."""
        for row in zip(*columns, strict=True):
            self.step(row)
            tick(1)

    def step(self, row: tuple[Array, ...]) -> None:
        """Run one step."""
        self.take(row)
        for function, args in self.calls:
            function(*args)

    def take(self, row: tuple[Array, ...]) -> None:
        """Copy a step's row to where its calls read it."""
        for mine, array in zip(self._row, row, strict=True):
            mine[...] = array

    def result(self) -> list[Array]:
        """Return copies of the carry's arrays, which later steps do not change."""
        copies = [self._target.empty(node) for node in self._carry_nodes]
        _run([self._target.copy(copy, mine) for copy, mine in zip(copies, self.carry, strict=True)])
        return copies

    def _calls(self, node: Node, args: Args, kwargs: Kwargs, out: Array) -> list[Call]:
        """Return the calls of a step that run an operation."""
        return self._target.calls(node, args, kwargs, out)

    def _copy(self, into: Array, array: Array) -> Call:
        """Return the call of a step that copies an array."""
        return self._target.copy(into, array)

    def _add(self, nodes: list[Node], calls: list[Call]) -> None:
        self.calls += calls
        self.made += [nodes] * len(calls)

    def _own(self, node: Node) -> Array:
        return self._memory.hold(node, self._target.empty(node))

    def _bind(self, node: Node) -> None:
        args, kwargs = self._memory.arguments(node)
        is_vector = vectors.is_vector(node)
        fixed = not is_vector and all(needed in self._fixed or needed.op == "constant" for needed in node.inputs)
        if fixed:
            self._fixed.add(node)
        if node.op in VIEWS:
            view, base = self._target.evaluate(node, args, kwargs), node.inputs[0]
            if self._target.overlap(view, self._memory[base]):
                self._memory.hold(node, view, base)
                return
        if is_vector:
            self._fill(node)
        elif fixed:
            self._once += self._target.calls(node, args, kwargs, self._own(node))
        else:
            self._add([node], self._calls(node, args, kwargs, self._memory.allocate(node)))

    def _fill(self, node: Node) -> None:
        """Copy the parts of a vector that are not in their places yet."""
        vector = self._memory.vector(node, node)
        for part, piece in vectors.pieces(node):
            array, where = self._memory[piece], vector[part.key]
            if piece.op == "constant" and self._memory.stays(part, piece):
                _run([self._target.copy(where, array)])
            elif not self._target.same(array, where):
                self._add([node], [self._copy(where, array)])

    def _hand_over(self, results: list[Array]) -> None:
        """Copy results into the carry's arrays; in two steps where one result may be another's last value."""
        moves = [pair for pair in zip(self._carry_nodes, self.carry, results, strict=True) if pair[1] is not pair[2]]
        tied = [any(self._target.overlap(mine, new) for _, _, new in moves) for _, mine, _ in moves]
        self._add_copies([(node, new, mine) for (node, mine, new), waits in zip(moves, tied, strict=True) if not waits])
        waiting = [(*move, self._target.empty(move[0])) for move, waits in zip(moves, tied, strict=True) if waits]
        self._add_copies([(node, new, between) for node, _, new, between in waiting])
        self._add_copies([(node, between, mine) for node, mine, _, between in waiting])

    def _add_copies(self, moves: list[tuple[Node, Array, Array]]) -> None:
        for node, array, into in moves:
            self._add([node], [self._copy(into, array)])


def _run(calls: list[Call]) -> None:
    for function, args in calls:
        function(*args)
