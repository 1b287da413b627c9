"""What running a recorded step asks of an array library."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import ModuleType
from typing import Any, Protocol

from anynet.compiler.graph import Graph, Node
from anynet.compiler.memory import MemoryPlan
from anynet.core.typing import ConcreteArray as Array

Call = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function and the arguments to call it with."""

Tick = Callable[[int], object]
"""Called with a number of steps that were done since it was called last."""


Step = Callable[[Any, Any, Any], Any]
"""``step(carry, shared, row)`` returns the next carry: a pure function of arrays in any containers."""

Loop = Callable[[Any, Any, Any, Tick], Any]
"""``run(carry, shared, rows, tick)``: ``carry = step(carry, shared, row)`` for row after row; returns the last carry.

rows: arrays whose first axis counts the steps.
"""


class CompiledStep(Protocol):
    """A step with arrays of its own, ready to run.

    Attributes
    ----------
    calls : list of Call
        The calls of one step, in order.
    made : list of list of Node
        The recorded operations that each call computes.
    """

    calls: list[Call]
    made: list[list[Node]]

    @property
    def launches(self) -> int:
        """Number of functions that a step calls; on a GPU, of kernels."""

    def start(self, carry: list[Array], shared: list[Array]) -> None:
        """Begin a loop with the values of these arrays."""

    def take(self, row: tuple[Array, ...]) -> None:
        """Copy a step's row to where its calls read it."""

    def steps(self, columns: list[Array], tick: Tick) -> None:
        """Run a step for each row of the columns."""

    def run(self, carry: list[Array], shared: list[Array], columns: list[Array], tick: Tick) -> list[Array]:
        """Run a whole loop, and return copies of the last carry's arrays."""


class Target(ABC):
    """An array library whose arrays can be written to, and how."""

    patience: float = math.inf
    """How many elements a step's groups have to make, over all its runs, before compiling them pays."""

    @property
    @abstractmethod
    def xp(self) -> ModuleType:
        """The library's namespace, after the array API standard."""

    @abstractmethod
    def is_array(self, value: Any) -> bool:
        """Whether a value is an array of the library."""

    def asarray(self, value: Any) -> Array:
        """An array of what may be one of the library's single numbers."""
        return value

    @abstractmethod
    def empty(self, node: Node) -> Array:
        """An array for what the node gives, its values not set."""

    @abstractmethod
    def copy(self, into: Array, array: Array) -> Call:
        """The call that copies values."""

    @abstractmethod
    def calls(self, node: Node, args: tuple, kwargs: dict[str, Any], out: Array) -> list[Call]:
        """What to call so that ``out`` holds the operation's result."""

    @abstractmethod
    def in_place(self, node: Node) -> bool:
        """Whether the result may be written over an argument of the same shape."""

    @abstractmethod
    def overlap(self, one: Array, other: Array) -> bool:
        """Whether two arrays share memory."""

    @abstractmethod
    def same(self, one: Array, other: Array) -> bool:
        """Whether two arrays are the same elements of memory."""

    @abstractmethod
    def can_write(self, array: Array) -> bool:
        """Whether the array's values may be changed."""

    @abstractmethod
    def stays(self, array: Array) -> bool:
        """Whether a shared array is used where it lies: images and labels are; numbers to compute with are copied."""

    def evaluate(self, node: Node, args: tuple, kwargs: dict[str, Any]) -> Array:
        """The operation as the array API has it: a new array, or a view."""
        return evaluate(self.xp, node, args, kwargs)

    def fuses(self, node: Node, *, hot: bool) -> bool:
        """Whether an operation runs together with its neighbours, in a group. hot: whether it runs often."""
        return False

    def group_calls(self, group: list[Node], memory: MemoryPlan, *, hot: bool) -> list[Call]:
        """The calls that run a group, to whose results the memory is to give arrays."""
        raise NotImplementedError

    @abstractmethod
    def program(self, graph: Graph, n_carry: int, shared: list[Array], *, hot: bool = False) -> CompiledStep:
        """Return a recorded step, ready to run.

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


def evaluate(xp: ModuleType, node: Node, args: tuple, kwargs: dict[str, Any]) -> Array:
    """A recorded operation done with the functions of a namespace."""
    if node.op == "getitem":
        array, key = args
        return array[key]
    return getattr(xp, node.op)(*args, **kwargs)


def layout(shape: tuple[int, ...], strides: tuple[int, ...]) -> list[tuple[int, int]]:
    """How an array lies in memory: each axis's length, with its stride where it is gone along."""
    return [(n, stride if n > 1 else 0) for n, stride in zip(shape, strides, strict=True)]
