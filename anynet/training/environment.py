"""The backend, the versions and the machine that a training runs with."""

import platform
import sys
from typing import Any

from anynet.backends import Backend


def environment(backend: Backend) -> dict[str, Any]:
    """Return backend, device, precision, versions and machine.

    Parameters
    ----------
    backend : Backend

    Returns
    -------
    dict
        Texts, and "versions" as a dict of texts; llvmlite's if it can compile NumPy's steps.
    """
    libraries = ["anynet", "numpy", backend.name]
    if backend.name == "numpy" and "anynet.compiler.numpy.native" in sys.modules:  # to compile steps
        libraries.append("llvmlite")
    return {
        "backend": backend.name,
        "device": backend.device_name,
        "precision": backend.precision,
        "versions": {
            "python": platform.python_version(),
            **{name: sys.modules[name].__version__ for name in libraries},
        },
        "machine": platform.platform(),
    }
