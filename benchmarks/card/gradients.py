"""Gradients on a device and by NumPy, in float64: ``python -m benchmarks.card.gradients BACKEND``.

Every layer, loss and optimizer runs `STEPS` steps, recorded and step by step; NumPy runs them step by step.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.table import Table

import anynet as an
from anynet.backends import Backend
from anynet.compiler import execution
from anynet.core.tree import flatten
from anynet.core.typing import Arrays
from anynet.nn import Layer
from anynet.nn.layer_text import short
from anynet.nn.losses import Loss
from benchmarks import common

STEPS, BATCH, FEATURES, CLASSES = 20, 48, 64, 10
"""Steps, enough for a CUDA graph of 16, and sizes, large enough that cuBLAS multiplies."""

TOLERANCE = 1e-10
"""Largest deviation, relative to the largest number of an array."""

LAYERS = (
    *(an.Linear(FEATURES, 96), an.BatchNorm(FEATURES), an.ReLU(), an.LeakyReLU(), an.Sigmoid(), an.Tanh()),
    *(an.ELU(), an.GELU(), an.GELU("none"), an.SiLU(), an.Hardswish(), an.Softplus(), an.Softsign()),
    *(an.LayerNorm(FEATURES), an.GroupNorm(4, FEATURES), an.Scale(FEATURES), an.Dropout(), an.Flatten((4, 16))),
    an.Residual(an.Linear(FEATURES, FEATURES), an.Tanh()),
)
LOSSES = (
    *(an.losses.softmax_cross_entropy, an.losses.hinge),
    an.losses.CrossEntropy(label_smoothing=0.1, class_weights=tuple(range(1, CLASSES + 1))),
)
TARGET_LOSSES = (an.losses.mean_squared_error, an.losses.Huber(), an.losses.binary_cross_entropy)
OPTIMIZERS = {
    "SGD": an.SGD(),
    "SGD, momentum": an.SGD(momentum=0.9),
    "SGD, Nesterov momentum": an.SGD(momentum=0.9, nesterov=True),
    "SGD, weight decay": an.SGD(weight_decay=0.1),
    "Adam": an.Adam(),
    "AdamW": an.AdamW(),
    "RMSprop": an.RMSprop(momentum=0.9, centered=True),
    "Lion": an.Lion(weight_decay=0.1),
    "Muon": an.Muon(weight_decay=0.1),
}
HIDDEN = an.Sequential(an.Linear(10, 24), an.Linear(24, 32), an.Linear(32, CLASSES))
"""Net whose parameters optimizers update; its second layer is a hidden matrix."""


LOOPS = "recorded", "step by step"


class Subject(NamedTuple):
    """A step with its arguments, NumPy arrays."""

    step: Callable[[Any, Any, Any], Any]
    carry: Any
    shared: Any
    rows: Any

    def run(self, backend: Backend, loop: Callable[..., Any]) -> list[Any]:
        """Return the arrays of the last carry."""
        arguments = (map_leaves(lambda x: backend.asarray(np.array(x)), tree) for tree in self[1:])
        return [backend.to_host(array) for array in flatten(loop(*arguments, int))[0]]


def main(backend: str, *, out: Path | None = None) -> int:
    """Compare gradients on a device with NumPy's, in float64. The exit code is 1 if one deviates by more than 1e-10.

    Parameters
    ----------
    backend:
        Backend as for train.py.
    out:
        JSON file. Default: stdout.
    """
    common.check_new(out)
    chosen, found = an.backend(backend), dict[str, dict[str, Any]]()
    chosen.dtype("float64")
    content = {"backend": f"{chosen}", "tolerance": TOLERANCE, "deviations": found}
    table = Table("gradients of", *LOOPS, "recorded steps run as", title=f"{chosen} minus NumPy, in float64")
    for name, subject in subjects():
        found[name] = row = compare(subject, chosen)
        shown = (f"{cell:.1e}" if isinstance(cell, float) else cell for cell in row.values())
        table.add_row(name, *shown)
        common.save(content, out)
    common.write_results(table, content, out)
    cells = [row[loop] for row in found.values() for loop in LOOPS]
    return 0 if all(isinstance(cell, float) and cell <= TOLERANCE for cell in cells) else 1


def compare(subject: Subject, chosen: Backend) -> dict[str, Any]:
    """Return the largest deviation of each kind of loop, or its error, and how the recorded steps ran."""
    numpy = an.backend("numpy")
    expected = subject.run(numpy, numpy.plain_loop(subject.step))
    found: dict[str, Any] = {}
    recorded, plain = chosen.loop(subject.step), chosen.plain_loop(subject.step)
    for name, loop in zip(LOOPS, (recorded, plain), strict=True):
        try:
            actual = subject.run(chosen, loop)
        except Exception as error:  # the other subjects are compared nevertheless
            found[name] = f"{type(error).__name__}: {error}".splitlines()[0]
        else:
            found[name] = max(map(deviation, actual, expected))
    return found | {"steps run as": execution(recorded)}


def deviation(actual: Any, expected: Any) -> float:
    """Return the largest difference of two arrays, relative to the largest number of the second."""
    largest = float(np.max(np.abs(expected))) or 1.0
    return float(np.max(np.abs(actual - expected))) / largest


def subjects() -> Iterator[tuple[str, Subject]]:
    """Yield every layer, loss and optimizer, by name."""
    rng = np.random.default_rng(0)
    for layer in LAYERS:
        yield short(layer), of_layer(layer, rng)
    for loss in (*LOSSES, *TARGET_LOSSES):
        yield getattr(loss, "__name__", str(loss)), of_loss(loss, rng)
    for name, optimizer in OPTIMIZERS.items():
        yield name, of_optimizer(optimizer, rng)


def of_layer(layer: Layer, rng: np.random.Generator) -> Subject:
    """Sum of outputs, new state and gradients of a layer in training mode, over random inputs and output gradients."""

    def compute(shared: Any, row: Any) -> Any:
        params, state, key = shared
        x, dy = 2 * row[0], 2 * row[1]  # a product that reads a row itself cannot be captured
        y, cache, new_state = layer.forward(params, state, x, train=True, **({"rng": key} if layer.uses_rng else {}))
        return y, new_state, *layer.backward(params, cache, dy)

    params: Arrays = {name: rng.standard_normal(p.shape) for name, p in layer.parameters().items()}
    state: Arrays = {name: rng.uniform(0.5, 2, p.shape) for name, p in layer.state().items()}
    x = rng.standard_normal((STEPS, BATCH, FEATURES))
    dy = rng.standard_normal((STEPS, BATCH, layer.features()[1] or FEATURES))
    return _summed(compute, (params, state, an.random.key(0)), (x, dy))


def of_loss(loss: Loss, rng: np.random.Generator) -> Subject:
    """Sum of a loss and of its gradients over random logits and labels, or targets."""
    logits = rng.standard_normal((STEPS, BATCH, CLASSES))
    labels: Any = rng.integers(0, CLASSES, (STEPS, BATCH)) if loss in LOSSES else rng.random(logits.shape)
    return _summed(lambda shared, row: loss(*row), (), (logits, labels))


def of_optimizer(optimizer: an.Optimizer, rng: np.random.Generator) -> Subject:
    """Parameters and state of an optimizer, updated with random gradients and learning rates."""
    layout = HIDDEN.layout
    places = {"layout": layout} if optimizer.uses_layout else {}

    def step(carry: Any, shared: Any, row: Any) -> Any:
        (params, state), (grads, lr) = carry, row
        return optimizer.update(params, grads, state, lr, **places)

    params, grads = rng.standard_normal(layout.size), rng.standard_normal((STEPS, layout.size))
    return Subject(step, (params, optimizer.init(params)), (), (grads, rng.uniform(1e-3, 1e-2, STEPS)))


def _summed(compute: Callable[[Any, Any], Any], shared: Any, rows: Any) -> Subject:
    def step(carry: Any, shared: Any, row: Any) -> Any:
        sums, rebuild = flatten(carry)
        return rebuild([total + each for total, each in zip(sums, flatten(compute(shared, row))[0], strict=True)])

    zeros = map_leaves(lambda x: np.zeros_like(x), compute(shared, map_leaves(lambda column: column[0], rows)))
    return Subject(step, zeros, shared, rows)


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return a tree of the function's results."""
    leaves, rebuild = flatten(tree)
    return rebuild([function(leaf) for leaf in leaves])


if __name__ == "__main__":
    common.run(main)
