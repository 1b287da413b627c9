"""Processes that mpiexec starts, where mpi4py and an MPI are installed."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "PRTE_ALLOW_RUN_AS_ROOT": "1",
    "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PYTHONPATH": str(ROOT),
}


@pytest.fixture(scope="session")
def mpiexec():
    """Return a function that starts a command on so many ranks."""
    pytest.importorskip("mpi4py", exc_type=ImportError)
    if MPIEXEC is None:
        pytest.skip("mpiexec is not installed")

    def start(ranks, *arguments, **options):
        return subprocess.Popen(
            [MPIEXEC, "-n", str(ranks), sys.executable, *map(str, arguments)],
            env=os.environ | ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    return start


@pytest.fixture(scope="session")
def others_go_on(mpiexec):
    """Skip a test with MPICH's mpiexec, which kills all processes as soon as one has failed."""
    version = subprocess.run([MPIEXEC, "--version"], capture_output=True, text=True, check=True).stdout
    if "HYDRA" in version:
        pytest.skip("MPICH's mpiexec kills the others")


@pytest.fixture(scope="session")
def on_mpi(mpiexec):
    """Return a function that runs a command on so many ranks, and returns its exit code, stdout and stderr."""

    def run(ranks, *arguments):
        process = mpiexec(ranks, *arguments)
        try:
            out, err = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
            pytest.fail(f"no end after 120 s: {out}{err}")
        return process.returncode, out, err

    return run


def process_of(rank, command):
    """Return the number of the process of a rank whose command line has this text."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                line, environment = ((folder / name).read_bytes().decode() for name in ("cmdline", "environ"))
            except OSError:
                continue
            if command in line and re.search(rf"(OMPI_COMM_WORLD|PMI)_RANK={rank}\0", environment):
                return int(folder.name)
        time.sleep(0.1)
    raise AssertionError(f"no process of rank {rank}")
