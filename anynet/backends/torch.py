"""PyTorch, on the CPU or a CUDA GPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

import array_api_compat.torch as xp
import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray

from anynet.backends.array_library import DeviceMemory
from anynet.backends.base import Backend, BackendError, Function
from anynet.backends.numpy import host_memory
from anynet.backends.staging import PinnedStaging, Staging
from anynet.compiler import Target
from anynet.compiler.torch import TorchTarget
from anynet.core.formatting import first_line
from anynet.core.typing import Array, ConcreteArray


def connect(device: str | None) -> "Torch":
    """Return the backend on a device; by default the first GPU, or the CPU if there is none.

    Raises BackendError for devices that PyTorch does not know or cannot use here.
    """
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
    except RuntimeError:
        raise BackendError(f'torch knows no device "{device}"; choose torch:cpu, torch:cuda or torch:cuda:1') from None
    try:
        probe = torch.zeros(1, device=chosen)
        probe.cpu()  # fails for "meta", whose arrays have no values
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        raise BackendError(f'torch cannot use the device "{device}": {first_line(error)}; choose torch:cpu') from None
    return Torch("torch", probe.device)  # with its number: "cuda:0" for "cuda"


def holder(array: torch.Tensor) -> "Torch":
    """Return the backend on the device of a tensor."""
    return Torch("torch", array.device)


class Torch(Backend):
    """PyTorch without autograd: anynet's layers have their own derivatives."""

    device: torch.device

    @property
    def xp(self) -> ModuleType:
        namespace: ModuleType = xp
        return namespace

    def asarray(self, host: NDArray[Any]) -> Array:
        array: Array = torch.from_numpy(np.require(host, host.dtype.newbyteorder("="), ["C", "W"])).to(self.device)
        return array

    def _move(self, array: torch.Tensor) -> Array:
        moved: Array = array.to(self.device)
        return moved

    def to_host(self, array: ConcreteArray) -> NDArray[Any]:
        host: NDArray[Any] = array.cpu().numpy().copy()
        return host

    @property
    def asynchronous(self) -> bool:
        return bool(self.device.type == "cuda")

    def wait(self, result: Any) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def memory(self) -> DeviceMemory | None:
        return DeviceMemory(*torch.cuda.mem_get_info(self.device)) if self.device.type == "cuda" else host_memory()

    def devices(self) -> dict[str, tuple[int | None, int | None]]:
        found: dict[str, tuple[int | None, int | None]] = {"cpu": host_memory() or (None, None)}
        for i in range(torch.cuda.device_count()):
            gpu, is_own = torch.cuda.get_device_properties(i), torch.device("cuda", i) == self.device
            found[f"cuda:{i} ({gpu.name})"] = torch.cuda.mem_get_info(i) if is_own else (None, gpu.total_memory)
        return found

    def out_of_memory(self, error: BaseException) -> bool:
        """Errors of the CPU's allocator, page-locked memory and cuBLAS have no class; their messages tell."""
        words = ("can't allocate memory", "out of memory", "ALLOC_FAILED")
        told = isinstance(error, RuntimeError) and any(each in str(error) for each in words)
        return told or isinstance(error, torch.cuda.OutOfMemoryError) or super().out_of_memory(error)

    @property
    def shares_memory(self) -> bool:
        return bool(self.device.type == "cpu")

    @property
    def precisions(self) -> tuple[str, ...]:
        """Matmul precisions; TF32 needs an NVIDIA GPU of compute capability 8.0 (Ampere) or later."""
        if self.device.type != "cuda" or torch.version.cuda is None:  # None for AMD's GPUs, which are called cuda too
            return super().precisions
        ampere = torch.cuda.get_device_capability(self.device) >= (8, 0)
        return ("float32", "tf32") if ampere else super().precisions

    @contextmanager
    def matmul_precision(self) -> Iterator[None]:
        """Set PyTorch's setting, which is the whole process's, and restore it; it has another name since 2.9."""
        if self.device.type != "cuda":
            yield
            return
        matmul, rounded = torch.backends.cuda.matmul, self.precision == "tf32"
        new = hasattr(matmul, "fp32_precision")
        name, value = ("fp32_precision", "tf32" if rounded else "ieee") if new else ("allow_tf32", rounded)
        before = getattr(matmul, name)
        setattr(matmul, name, value)
        try:
            yield
        finally:
            setattr(matmul, name, before)

    def compile(self, function: Function) -> Function:
        compiled: Function = torch.no_grad()(self.matmul_precision()(function))
        return compiled

    @property
    def target(self) -> Target:
        return TorchTarget(self.device)

    def staging(self, shape: tuple[int, ...], dtype: DTypeLike) -> Staging:
        if self.device.type != "cuda":
            return super().staging(shape, dtype)
        own = getattr(torch, np.dtype(dtype).name)
        buffers = [torch.empty(shape, dtype=own, device="cpu", pin_memory=True).numpy() for _ in range(2)]
        return PinnedStaging(buffers, partial(self._copy, torch.cuda.Stream(self.device)), self._join)

    def _copy(self, copies: torch.cuda.Stream, host: NDArray[Any]) -> tuple[Array, torch.cuda.Event]:
        """Copy on a stream of its own, to memory of the current one, which may still use it for an array freed."""
        source = torch.from_numpy(host)
        array: torch.Tensor = torch.empty_like(source, device=self.device)
        copies.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(copies):
            array.copy_(source, non_blocking=True)
        return array, copies.record_event()

    def _join(self, event: torch.cuda.Event) -> None:
        torch.cuda.current_stream(self.device).wait_event(event)
