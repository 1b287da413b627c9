"""The compiler: record a step once, run it fast.

A training step is a pure function of arrays, ``step(carry, shared, row)``, that returns the next carry. A *target*
(NumPy, PyTorch, CUDA) runs many of them faster than a loop over the step itself does:

1. **Record.** `trace` calls the step once with tracers, arrays which write down each array API operation that is done
   with them. Layers, losses and optimizers know nothing of it.
2. **Graph.** The record is a `Graph` of `Node` objects: operations with their arguments, shapes and dtypes. Operations
   without use are removed.
3. **Schedule.** Elementwise operations that follow one another are put in groups, where the target fuses them: into
   blocks that stay in cache, a compiled loop, or a CUDA kernel.
4. **Memory plan.** Each result gets an array, allocated once: that of an argument which nothing needs any more, its
   part of a longer vector, or a new one.
5. **Program.** What is left is a list of calls that write into these arrays. It runs once per row, without Python code
   of layers in between; on a GPU it is captured as a CUDA graph.

`compile_loop` does all of this. JAX, which compiles by itself, uses `split_step` alone: the same step with its vectors
in parts, so that slices are no copies.

A step which cannot be recorded (it reads numbers from its arrays, uses others than it is given, or is not a pure
function: it is recorded twice) runs step by step, more slowly; one `CompileWarning` says why. So it does if its record
cannot be compiled or run: a target may have a slower one, `Target.slower`, and the plain step is the last.

Each target is exported by its own package, because it imports its array library: `anynet.compiler.numpy`,
`anynet.compiler.torch` and `anynet.compiler.cuda`.
"""

from anynet.compiler.generators import generator_states
from anynet.compiler.graph import Graph, Node
from anynet.compiler.interpreter import Interpreter
from anynet.compiler.loop import compile_graph, compile_loop, execution, launches
from anynet.compiler.recording import PLAIN, CompileError, CompileWarning, Fallback, explain, warn
from anynet.compiler.split import SplitStep, split_step
from anynet.compiler.tape import trace
from anynet.compiler.target import Call, CompiledStep, Loop, Step, Target, Tick
from anynet.compiler.tracer import UntraceableError, label_operations

__all__ = [
    "PLAIN",
    "Call",
    "CompileError",
    "CompileWarning",
    "CompiledStep",
    "Fallback",
    "Graph",
    "Interpreter",
    "Loop",
    "Node",
    "SplitStep",
    "Step",
    "Target",
    "Tick",
    "UntraceableError",
    "compile_graph",
    "compile_loop",
    "execution",
    "explain",
    "generator_states",
    "label_operations",
    "launches",
    "split_step",
    "trace",
    "warn",
]
