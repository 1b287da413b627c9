"""Interface between the compiler and its targets: the array libraries that run recorded steps."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Protocol

from anynet.compiler.graph import Args, Graph, Kwargs, Node, elements, evaluate
from anynet.compiler.memory import MemoryPlan
from anynet.core.formatting import first_line
from anynet.core.typing import ConcreteArray as Array

Call = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function and the arguments to call it with."""

Tick = Callable[[int], object]
"""``tick(n)`` is called after `n` more steps are done."""


Step = Callable[[Any, Any, Any], Any]
"""``step(carry, shared, row)`` returns the next carry: a pure function of arrays in any containers."""


class Loop(Protocol):
    """Function that runs a step row by row."""

    def __call__(self, carry: Any, shared: Any, rows: Any, tick: Tick, *, before: int | None = None) -> Any:
        """Run ``carry = step(carry, shared, row)`` for each row and return the last carry.

        Parameters
        ----------
        carry, shared, rows : containers of arrays
            The first axis of all arrays in `rows` counts the steps.
        tick : callable
            ``tick(n)`` is called after `n` more steps are done.
        before : int, optional
            Number of steps of the same kind that the training has run before, in this process or in an earlier one.
            A step is compiled further once it has run often, which may change the rounding: with this number, a
            training that is resumed rounds as if it had not stopped. Default: the steps that this loop has run.
        """


class CompiledStep(Protocol):
    """Recorded step with its arrays, ready to run.

    Attributes
    ----------
    calls : list of Call
        The calls of one step, in order.
    made : list of list of Node
        Operations that each call computes.
    """

    calls: list[Call]
    made: list[list[Node]]

    @property
    def launches(self) -> int:
        """Number of functions that a step calls; on a GPU, of kernels."""

    def start(self, carry: list[Array], shared: list[Array]) -> None:
        """Begin a loop with the values of these arrays."""

    def take(self, row: tuple[Array, ...]) -> None:
        """Copy the row of the next step to where the calls read it."""

    def steps(self, columns: list[Array], tick: Tick) -> None:
        """Run a step for each row of the columns."""

    def run(self, carry: list[Array], shared: list[Array], columns: list[Array], tick: Tick) -> list[Array]:
        """Run a whole loop, and return copies of the last carry's arrays."""


class Target(ABC):
    """Array library that runs recorded steps."""

    patience: float = math.inf
    """Number of elements that the groups of a step compute, over all its runs, before compiling them pays."""

    compiles_in_background: bool = False
    """True if programs can be compiled in a thread while others run."""

    execution: str = "recorded steps"
    """Name of how steps run, as results show it."""

    def waits(self, graph: Graph) -> float:
        """Return the number of steps after which compiling the groups of a step pays."""
        work = sum(elements(node) for node in graph.nodes if self.fuses(node, hot=True))
        return self.patience / work if work else math.inf

    @property
    def slower(self) -> "Target | None":
        """Target to run a recorded step with if this one fails; None if only the plain step is left."""
        return None

    def explain(self, error: Exception) -> str:
        """Return in one line why the target could not run a step, and what to do about it."""
        return first_line(error)

    def release_memory(self) -> bool:
        """Release memory that the library keeps for later arrays; return False if it keeps none."""
        return False

    @property
    @abstractmethod
    def xp(self) -> ModuleType:
        """Namespace of the library, compatible with the array API standard."""

    @abstractmethod
    def is_array(self, value: Any) -> bool:
        """Return True for arrays of the library."""

    @contextmanager
    def recording(self, arrays: Sequence[Array]) -> Iterator[tuple[ModuleType, list[Array]]]:
        """Context manager for recording a step; it returns the namespace and the arrays to record the step with.

        By default these are the library's own. They may be others that have the same shapes and dtypes, if the library
        takes long for the first call of each function: only the values of constants matter, see `asarray`.

        Parameters
        ----------
        arrays : sequence of array
            Leaves of the step's arguments.
        """
        yield self.xp, list(arrays)

    def asarray(self, value: Any) -> Array:
        """Return an array of the library, given an array or a scalar of the namespace that steps are recorded with."""
        array: Array = value
        return array

    @abstractmethod
    def empty(self, node: Node) -> Array:
        """Return an uninitialized array for an operation's result."""

    @abstractmethod
    def copy(self, into: Array, array: Array) -> Call:
        """Return the call that copies the values of `array` into `into`."""

    @abstractmethod
    def calls(self, node: Node, args: Args, kwargs: Kwargs, out: Array) -> list[Call]:
        """Return the calls that write the result of an operation to `out`.

        Parameters
        ----------
        node : Node
        args, kwargs : tuple, dict
            Arguments of the operation, with arrays in place of nodes.
        out : array
        """

    @abstractmethod
    def in_place(self, node: Node) -> bool:
        """Return True if an operation's result may be written over an argument of the same shape and dtype."""

    @abstractmethod
    def overlap(self, one: Array, other: Array) -> bool:
        """Return True if two arrays may share memory."""

    @abstractmethod
    def same(self, one: Array, other: Array) -> bool:
        """Return True if two arrays are the same elements of memory."""

    @abstractmethod
    def can_write(self, array: Array) -> bool:
        """Return True if the array's values may be changed."""

    @abstractmethod
    def stays(self, array: Array, *, table: bool = False) -> bool:
        """Return True if a shared array is used where it is, such as images and labels; others are copied.

        `table` says that it is one of ``Graph.tables``.
        """

    def evaluate(self, node: Node, args: Args, kwargs: Kwargs) -> Array:
        """Return the result of an operation, a new array or a view."""
        return evaluate(self.xp, node, args, kwargs)

    def fuses(self, node: Node, *, hot: bool) -> bool:
        """Return True if an operation can run in a group with others.

        Parameters
        ----------
        node : Node
        hot : bool
            If True, the step runs often enough that compiling its groups pays.
        """
        return False

    def arrange(self, groups: list[list[Node]], graph: Graph, *, hot: bool) -> list[list[Node]]:
        """Return the groups of `schedule` as `group_calls` takes them: joined, or with operations done again.

        An operation may be in several groups; its result is in memory only if a group without it needs it.
        """
        return groups

    def reuses(self, *, hot: bool) -> bool:
        """Return True if memory is used again by later operations.

        Calls run one after another then, and groups read what they need of an element before they write results.
        """
        return False

    def group_calls(self, group: list[Node], memory: MemoryPlan, *, hot: bool) -> list[Call]:
        """Return the calls that run a group.

        Parameters
        ----------
        group : list of Node
            Operations with results of the same shape, as from `schedule`.
        memory : MemoryPlan
            Allocates the arrays of results.
        hot : bool
            If True, compiling the group pays.
        """
        raise NotImplementedError

    @abstractmethod
    def program(self, graph: Graph, n_carry: int, shared: list[Array], *, hot: bool = False) -> CompiledStep:
        """Return a recorded step that is ready to run.

        Parameters
        ----------
        graph : Graph
            ``step(carry, shared, row)``, which returns the next carry; its inputs are the leaves of all three.
        n_carry : int
            Number of the carry's leaves.
        shared : list of array
            Arrays that stay the same during a loop.
        hot : bool
            If True, the step runs often enough that compiling parts of it pays.
        """


def layout(shape: tuple[int, ...], strides: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return the length of each axis with its stride, which does not matter (0) for axes of length 1."""
    return [(n, stride if n > 1 else 0) for n, stride in zip(shape, strides, strict=True)]
