"""Connect to a device, and run a recorded step there: ``python -m benchmarks.card.device BACKEND``."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

import anynet as an
from anynet.compiler import execution
from benchmarks import common

SIDE, STEPS = 64, 20
"""Side of the matrices that the step multiplies, large enough for cuBLAS, and steps, enough for a CUDA graph."""


def main(backend: str, *, out: Path | None = None) -> int:
    """Print the device and its software, and how it runs recorded steps. The exit code is 1 if results are wrong.

    Parameters
    ----------
    backend:
        Backend as for train.py.
    out:
        JSON file. Default: stdout.
    """
    chosen = an.backend(backend)
    found: dict[str, Any] = {"device": f"{chosen}"} | (cuda() if chosen.name == "cupy" else {})
    found |= dict(zip(("steps run as", "relative error of a step"), run_steps(chosen), strict=True))
    table = Table("of the device", "value", show_header=False)
    for name, value in found.items():
        table.add_row(name, f"{value}")
    common.write_results(table, found, out)
    return 0 if found["relative error of a step"] < 1e-4 else 1


def run_steps(chosen: an.Backend) -> tuple[str, float]:
    """Run a recorded step of a product and a sum; return how it ran, and its largest relative error."""

    def step(carry: Any, shared: Any, row: Any) -> Any:
        return carry @ shared + row

    rng = np.random.default_rng(0)
    shapes = (SIDE, SIDE), (SIDE, SIDE), (STEPS, SIDE, SIDE)
    carry, shared, rows = (rng.uniform(0, 1 / SIDE, shape).astype(np.float32) for shape in shapes)
    loop = chosen.loop(step)
    after = chosen.to_host(loop(chosen.asarray(carry), chosen.asarray(shared), chosen.asarray(rows), int))
    expected, shared = carry.astype(np.float64), shared.astype(np.float64)
    for row in rows:
        expected = step(expected, shared, row)
    return execution(loop), float(np.max(np.abs(after / expected - 1)))


def cuda() -> dict[str, str]:
    """Return name and compute capability of CuPy's current GPU, and versions of CUDA's parts."""
    import cupy

    cuda, runtime = cupy.cuda, cupy.cuda.runtime
    properties = runtime.getDeviceProperties(cuda.Device().id)
    blas = cuda.cublas.getVersion(cuda.device.get_cublas_handle())
    return {
        "GPU": properties["name"].decode(),
        "compute capability": f"{properties['major']}.{properties['minor']}",
        "CUDA of the driver": _version(runtime.driverGetVersion()),
        "CUDA of CuPy": _version(runtime.runtimeGetVersion()),
        "cuBLAS": f"{blas // 10000}.{blas % 10000 // 100}.{blas % 100}",
        "NVRTC": ".".join(map(str, cuda.nvrtc.getVersion())),
        "CuPy": cupy.__version__,
    }


def _version(number: int) -> str:
    """Return "12.8" for 12080."""
    return f"{number // 1000}.{number % 1000 // 10}"


if __name__ == "__main__":
    common.run(main)
