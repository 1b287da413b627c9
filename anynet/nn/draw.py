"""Where a net starts: numbers drawn on the host, then moved."""

from collections.abc import Mapping, Sequence

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from anynet.core.seeding import Purpose, generator
from anynet.core.typing import A, Array
from anynet.nn.layer import Parameter

Host = NDArray[np.float64]


def draw(parameters: Mapping[str, Parameter], seeds: Sequence[int]) -> dict[str, Host]:
    """Each parameter from a stream of its own, so that one added at the end changes none before it.

    Returns arrays of shape (K, *shape) by name, for K seeds.
    """
    return {
        name: np.stack([p.init(generator(seed, Purpose.INIT, i), p.shape) for seed in seeds])
        for i, (name, p) in enumerate(parameters.items())
    }


def place(host: Host, like: A) -> A:
    """The numbers as an array of the library, dtype and device of ``like``."""
    # NumPy casts: some libraries' devices hold no float64.
    return array_namespace(like).asarray(host.astype(dtype_name(like)), device=device(like))


def dtype_name(like: Array) -> str:
    """The name of an array's dtype, as NumPy has it.

    Raises TypeError for another than float32 and float64.
    """
    name = str(like.dtype).split(".")[-1]
    if name not in ("float32", "float64"):
        raise TypeError(f"like: expected an array of float32 or float64, which the parameters take, got {name}")
    return name
