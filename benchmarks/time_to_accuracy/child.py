"""Process that trains one recipe: ``python -m benchmarks.time_to_accuracy.child JSON``.

Writes a line ``[epochs, accuracy]`` to stdout after each evaluation. It imports no more than the library needs.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.time_to_accuracy.recipes import Recipe

ANYNET = "anynet-"
"""Prefix of anynet's peers, followed by a backend."""


def main(order: dict[str, Any]) -> None:
    """Train as the parsed JSON says: "peer", "recipe", "seed" and "source", the values of `Source`."""
    out, sys.stdout = sys.stdout, sys.stderr  # libraries may print
    for measured in training(**order):
        print(json.dumps(measured), file=out, flush=True)


def training(peer: str, recipe: dict[str, Any], seed: int, source: list[Any]) -> Iterator[tuple[float, float]]:
    """Return the training: the number of epochs and the accuracy after each part of an epoch."""
    from benchmarks.time_to_accuracy.source import Source  # imports NumPy

    arguments = Recipe.of(recipe).for_peer(peer), Source(*source), seed
    if peer.startswith(ANYNET):
        from benchmarks.time_to_accuracy import train_anynet

        return train_anynet.train(*arguments, backend=peer.removeprefix(ANYNET))
    if peer in ("torch", "torch-compile"):
        from benchmarks.time_to_accuracy import train_torch

        return train_torch.train(*arguments, compiled=peer == "torch-compile")
    if peer == "keras":
        from benchmarks.time_to_accuracy import train_keras

        return train_keras.train(*arguments)
    from benchmarks.time_to_accuracy import train_sklearn

    return train_sklearn.train(*arguments)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
