"""Names for what is passed around."""

from typing import Any

Array = Any
"""An array of any library that follows the array API standard: https://data-apis.org/array-api/latest/"""

Arrays = dict[str, Array]
"""Arrays by name: a layer's parameters ("W", "b"), its gradients, its running statistics."""
