"""Process that trains one recipe: ``python -m benchmarks.parity.child JSON`` prints the accuracy at last."""

import json
import sys
from typing import Any

from benchmarks.parity.recipes import Recipe

ANYNET = "anynet-"
"""Prefix of anynet's peers, followed by a backend."""


def accuracy(peer: str, recipe: list[Any], seed: int, folder: str, train: int) -> float:
    """Return the test accuracy of a training by one library."""
    chosen = Recipe(*recipe)
    if peer.startswith(ANYNET):
        from benchmarks.parity import train_anynet

        return train_anynet.train(chosen, folder, train, seed, peer.removeprefix(ANYNET))
    import torch

    from benchmarks.parity import torch_airbench94, torch_images, torch_resnet9

    torch.manual_seed(seed)
    by_name = {"airbench94": torch_airbench94.train, "resnet9": torch_resnet9.train}
    return by_name[chosen.name](*torch_images.read(folder, train), chosen.width, chosen.epochs)


if __name__ == "__main__":
    print(accuracy(**json.loads(sys.argv[1])))
