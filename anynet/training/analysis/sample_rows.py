"""Results with a row for each of some samples, as sequences."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from anynet.core.text_table import Tabular

Row = TypeVar("Row")


class SampleRows(Tabular, Generic[Row]):
    """Base class of dataclasses with arrays that have a row for each of some samples.

    An index gives what is known of a sample, a slice the same results of fewer samples. It is no
    `collections.abc.Sequence`, whose method `index` would take the place of the samples' numbers.
    """

    index: NDArray[np.int64]
    _columns: ClassVar[tuple[str, ...]]
    """Names of the arrays."""

    def __len__(self) -> int:
        return len(self.index)

    def __iter__(self) -> Iterator[Row]:
        return map(self._row, range(len(self)))

    @overload
    def __getitem__(self, k: int) -> Row: ...
    @overload
    def __getitem__(self, k: slice) -> Self: ...
    def __getitem__(self, k: int | slice) -> Row | Self:
        if not isinstance(k, slice):
            return self._row(range(len(self))[k])
        rows: dict[str, Any] = {name: getattr(self, name)[k] for name in self._columns}
        return replace(self, **rows)  # type: ignore[type-var]

    @abstractmethod
    def _row(self, k: int) -> Row:
        """Return what is known of the sample number `k`."""
