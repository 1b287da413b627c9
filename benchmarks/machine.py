"""Description of the machine and its software."""

import os
import platform
import re
import subprocess
from datetime import datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import anynet
from benchmarks.environment import cores

LIBRARIES = re.compile(
    r"cupy.*|jax|jaxlib|jax-cuda\d+-pjrt|keras|llvmlite|numpy|nvidia-(cublas|cuda-runtime).*|scikit-learn|scipy|thinc|torch"
    "|triton"
)

SETTINGS = re.compile("(CUPY|JAX|KMP|MKL|NVIDIA_TF32|OMP|OPENBLAS|TORCH[A-Z]*|XLA)_")
"""Environment variables that affect speed."""


def describe() -> dict[str, Any]:
    """Return processor, cores, GPU, system, date, environment variables and library versions."""
    found = {dist.name.lower(): dist.version for dist in distributions() if LIBRARIES.fullmatch(dist.name.lower())}
    return {
        "cpu": cpu(),
        "cores": cores(),
        "gpu": gpu(),
        "system": platform.platform(),
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "environment": {name: os.environ[name] for name in sorted(os.environ) if SETTINGS.match(name)},
        "versions": {"anynet": anynet.__version__, "python": platform.python_version()} | dict(sorted(found.items())),
    }


def cpu() -> str:
    """Return the processor's model name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), platform.processor() or platform.machine())


def gpu() -> str | None:
    """Return name, memory and driver of the first GPU according to nvidia-smi; None without a GPU."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        lines = subprocess.run(query, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return None
    return ", driver ".join(lines[0].rsplit(", ", 1)) if lines else None


def file_name(machine: dict[str, Any], *, on_gpu: bool = False) -> str:
    """Return a base name from machine and time: "amd-epyc-2-cores-20261121-172000"; with `on_gpu`, the GPU's name."""
    cpu = f"{machine['cpu']} {machine['cores']} cores"
    kind = machine["gpu"].partition(",")[0] if on_gpu and machine["gpu"] else cpu
    kind = re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-")
    return f"{kind}-{datetime.fromisoformat(machine['date']):%Y%m%d-%H%M%S}"
