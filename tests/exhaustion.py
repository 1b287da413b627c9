"""Memory that runs out, for certain and without using any."""

import sys

TOO_MUCH = 2**58
"""Float32 numbers, more than addresses reach."""


def exhaust(here):
    """What the library does when asked for more than there can be.

    Of PyTorch and JAX on a GPU, what it would raise: XLA cannot compile so large an array, and waits ten seconds for
    memory that a smaller one lacks.
    """
    if here.name == "torch" and here.device.type == "cuda":
        raise sys.modules["torch"].cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 TiB")
    if here.name == "jax" and here.device.platform == "gpu":
        message = "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9.00TiB with allocator GPU_0_bfc"
        raise sys.modules["jax"].errors.JaxRuntimeError(message)
    return here.xp.zeros(TOO_MUCH, dtype=here.xp.float32, device=None if here.name == "cupy" else here.device)
