"""Types of what anynet uses of array_api_extra, whose own annotations need libraries that are not installed."""

from anynet.core.typing import Array, DType, Namespace

def one_hot(
    x: Array, /, num_classes: int, *, dtype: DType = None, axis: int = -1, xp: Namespace[Array] | None = None
) -> Array: ...
