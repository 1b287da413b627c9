"""PyTorch, on the CPU or a CUDA GPU."""

from types import ModuleType
from typing import Any

import array_api_compat.torch as xp
import numpy as np
import torch
from numpy.typing import NDArray

from anynet.backends.base import (
    Backend,
    BackendError,
    Function,
    Memory,
    PinnedStaging,
    Staging,
    first_line,
)
from anynet.backends.numpy import host_memory
from anynet.backends.torch_library import TorchLibrary
from anynet.tracing.library import Library
from anynet.typing import Array


def connect(device: str | None) -> "Torch":
    """The device named, or the first GPU, or else the CPU.

    Raises BackendError for a device that PyTorch does not know or that is not here.
    """
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
    except RuntimeError:
        raise BackendError(f'torch knows no device "{device}"; choose torch:cpu, torch:cuda or torch:cuda:1') from None
    try:
        probe = torch.zeros(1, device=chosen)
        probe.cpu()  # "meta" makes arrays too, without values
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        raise BackendError(f'torch cannot use the device "{device}": {first_line(error)}; choose torch:cpu') from None
    return Torch("torch", probe.device)  # which has a number: "cuda" has become "cuda:0"


class Torch(Backend):
    """PyTorch tensors without autograd: anynet's layers bring their own derivatives."""

    device: torch.device

    @property
    def xp(self) -> ModuleType:
        return xp

    def asarray(self, host: NDArray[Any]) -> Array:
        return torch.from_numpy(np.require(host, host.dtype.newbyteorder("="), ["C", "W"])).to(self.device)

    def to_host(self, array: Array) -> NDArray[Any]:
        return array.cpu().numpy().copy()

    def wait(self, result: Any) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def memory(self) -> Memory | None:
        return Memory(*torch.cuda.mem_get_info(self.device)) if self.device.type == "cuda" else host_memory()

    def devices(self) -> dict[str, Memory | None]:
        gpus = range(torch.cuda.device_count())
        found = {f"cuda:{i} ({torch.cuda.get_device_name(i)})": Memory(*torch.cuda.mem_get_info(i)) for i in gpus}
        return {"cpu": host_memory()} | found

    def compile(self, function: Function) -> Function:
        return torch.no_grad()(function)

    @property
    def library(self) -> Library:
        return TorchLibrary(self.device)

    def staging(self, shape: tuple[int, ...]) -> Staging:
        if self.device.type != "cuda":
            return super().staging(shape)
        buffers = [torch.empty(shape, dtype=torch.uint8, pin_memory=True).numpy() for _ in range(2)]
        return PinnedStaging(buffers, self._copy)

    def _copy(self, host: NDArray[np.uint8]) -> tuple[Array, torch.cuda.Event]:
        array, done = torch.from_numpy(host).to(self.device, non_blocking=True), torch.cuda.Event()
        done.record(torch.cuda.current_stream(self.device))
        return array, done
