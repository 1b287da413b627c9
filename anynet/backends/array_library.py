"""An array library on one device: what moves arrays to it and back."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from anynet.backends.exchange import converted, exported, library_of, to_numpy
from anynet.core.typing import Array, ConcreteArray, Device


class DeviceMemory(NamedTuple):
    """Memory of a device, in bytes.

    Parameters
    ----------
    free, total : int
        Bytes that no process has taken, and all bytes.
    """

    free: int
    total: int


@dataclass(frozen=True)
class ArrayLibrary(ABC):
    """Array library on one device.

    Parameters
    ----------
    name : str
        "numpy", "cupy", "torch" or "jax".
    device : object
        The library's own device object or name.
    """

    name: str
    device: Device

    @property
    @abstractmethod
    def xp(self) -> ModuleType:
        """Namespace of the library, compatible with the array API standard."""

    @abstractmethod
    def asarray(self, host: NDArray[Any]) -> Array:
        """Return an array on the device with the values and dtype of a NumPy array.

        The two may share memory: write to neither afterwards.
        """

    def holds(self, array: Any) -> bool:
        """Return True if something is an array of this library on this device."""
        return library_of(array) == self.name and array_api_compat.device(array) == self.device

    def put(self, array: ConcreteArray, dtype: str | None = None) -> Array:
        """Return an array on the device with the values of an array of any library.

        An array of this library on this device is returned itself, a PyTorch tensor without its autograd history. An
        array of another library on this device is shared by DLPack, without a copy if its dtype and strides allow one.
        Everything else is copied by way of the host. The two may share memory: write to neither afterwards.

        Parameters
        ----------
        array : array
            Array of numbers of any library, on any device.
        dtype : str, optional
            Name of a real dtype to convert to, such as "float32"; on the device that has less to move. Default: that
            of the array, or float32 for floats that the library lacks, such as bfloat16.

        Returns
        -------
        array

        Raises
        ------
        TypeError
            If it is no array, or has no values, a mask, or another dtype than numbers.
        """
        array = exported(array)
        if dtype is not None and array.dtype.itemsize > np.dtype(dtype).itemsize:
            array = converted(array, dtype)
        placed = self._place(array)
        if dtype is None:
            return placed
        wanted = self.asarray(np.empty(0, dtype)).dtype  # on JAX, int64 may be called int32
        return placed if placed.dtype == wanted else self.xp.astype(placed, wanted)

    def current(self) -> AbstractContextManager[Any]:
        """Context manager within which new arrays are made on this device, where the library makes them elsewhere."""
        return nullcontext()

    def answer(self, array: ConcreteArray) -> Array:
        """Return a result as `put` does, in the nearest dtype that the library has now."""
        return self.put(array)

    def _place(self, array: ConcreteArray) -> Array:
        """Return what `exported` returned on the device, in the same dtype."""
        library = library_of(array)
        if library == "numpy":
            return self.asarray(array)
        if library == self.name:
            return array if self.holds(array) else self._move(array)
        shared = self._share(array)
        return self._by_host(array) if shared is None else shared

    def _by_host(self, array: ConcreteArray) -> Array:
        """Copy an array of another library; floats that NumPy lacks go as float32."""
        host, name = to_numpy(array), str(array.dtype).rpartition(".")[2]
        placed, own = self.asarray(host), getattr(self.xp, name, None)
        return placed if own is None or host.dtype.name == name else self.xp.astype(placed, own)

    def _move(self, array: ConcreteArray) -> Array:
        """Copy an array of this library from another device."""
        return self.asarray(to_numpy(array))

    def _share(self, array: ConcreteArray) -> Array | None:
        """Return an array of another library by DLPack, or None if it is elsewhere or DLPack cannot.

        A copy is tried where the library does not take the strides. Negative ones of CuPy are not tried before:
        ``torch.from_dlpack`` ends the process at them.
        """
        errors = (AttributeError, BufferError, RuntimeError, TypeError, ValueError)
        with suppress(*errors):
            here = self.asarray(np.empty(0, np.uint8)).__dlpack_device__()  # type: ignore[attr-defined]
            if tuple(map(int, array.__dlpack_device__())) != tuple(map(int, here)):
                return None
            if all(stride >= 0 for stride in getattr(array, "strides", ())):
                with suppress(*errors):
                    return self._from_dlpack(array)
            return self._from_dlpack(array_api_compat.array_namespace(array).asarray(array, copy=True))
        return None

    def _from_dlpack(self, array: ConcreteArray) -> Array:
        """Return an array of another library on this device, in its memory."""
        shared: Array = self.xp.from_dlpack(array)
        return shared

    @abstractmethod
    def to_host(self, array: Array) -> NDArray[Any]:
        """Return a NumPy array with the values of an array; it is a copy. Waits for the device."""

    @abstractmethod
    def wait(self, result: Any) -> None:
        """Wait until a result, arrays in any containers, is computed: libraries may run asynchronously."""

    @abstractmethod
    def memory(self) -> DeviceMemory | None:
        """Return the memory of the device, or None if the library does not tell."""

    @abstractmethod
    def devices(self) -> dict[str, tuple[int | None, int | None]]:
        """Return free and total memory of each device that can be chosen, in bytes; None if unknown.

        Keys are the device as written after the colon of "name:device", followed by what it is, in parentheses. GPUs
        other than the backend's are not asked how much is free: that takes memory on them, for a CUDA context.
        """

    def out_of_memory(self, error: BaseException) -> bool:
        """Return True for the errors that the library raises when memory runs out."""
        return isinstance(error, MemoryError)

    @property
    def asynchronous(self) -> bool:
        """True if the host goes on while the device computes, also behind a loop of steps."""
        return False

    @property
    def shares_memory(self) -> bool:
        """True if `asarray` copies nothing, so that arrays of the host take no more memory on the device."""
        return False

    @property
    def choice(self) -> str:
        """Name by which `anynet.backend` returns this library on this device, such as "cupy:1"."""
        return f"{self.name}:{self.device}"

    @property
    def device_name(self) -> str:
        """Name of the device, as results show it."""
        return str(self.device)
