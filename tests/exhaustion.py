"""Memory that runs out, for certain and without using any."""

import sys

TOO_MUCH = 2**58
"""Float32 numbers, more than addresses reach."""


def exhaust(here):
    """What the library does when asked for more than there can be; CUDA's, which needs a GPU, with its own class."""
    if here.name == "torch" and here.device.type == "cuda":
        raise sys.modules["torch"].cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 TiB")
    return here.xp.zeros(TOO_MUCH, dtype=here.xp.float32, device=None if here.name == "cupy" else here.device)
