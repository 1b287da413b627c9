"""Parts of the GPU run: tests and benchmarks, each a command."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.peers import ANYNET, on_gpu

CHECK, MEASURE = "check", "measure"
NETS = ("W1", "W2", "W3", "W4", "W5")
SMALL_NETS = NETS[:4]
"""Nets whose time on a GPU is mostly that of launching kernels."""

JOINING = ANYNET + "cupy", ANYNET + "cupy+separate"
"""Peers that join phases into few kernels, and that do not."""

PROCESSES = "4"
"""Number of processes that run tests, where pytest-xdist is installed: one for each large library, and one."""

DEPRECATIONS = "DeprecationWarning", "PendingDeprecationWarning", "FutureWarning"
"""Warnings that are no failures: versions of the libraries differ from machine to machine."""

ON_CPU = "anynet-numpy+llvm"
"""Peer that a GPU is compared with."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A command, ``python -m module arguments``.

    Attributes
    ----------
    name, module : str
    arguments : tuple of str
    stage : {"check", "measure"}
    share : float
        Relative share of the time limit.
    takes_minutes : bool
        If True, the command has an option ``--minutes``.
    quick : tuple of str or None
        Additional arguments for a quick run; None if there is no quick run.
    output : Path or None
        File with the numbers, which the command writes after each measurement.
    tests : Path or None
        File of the plugin `outcome_log`, if the command is pytest.
    """

    name: str
    module: str
    arguments: tuple[str, ...]
    stage: str = MEASURE
    share: float = 1
    takes_minutes: bool = False
    quick: tuple[str, ...] | None = ()
    output: Path | None = None
    tests: Path | None = None


def parts(device: str, folder: Path, *, quick: bool) -> list[Part]:
    """Return all parts: first what decides most.

    Parameters
    ----------
    device : str
        anynet backend, such as "cupy".
    folder : Path
        Output folder.
    quick : bool
        Use fewer tests and nets.
    """
    place = ":cuda" if on_gpu(ANYNET + device) else ""
    anynet = ANYNET + device, f"{ANYNET}{device}+eager"
    gpu_peers = [f"{name}{place}" for name in ("torch", "torch-compile", "jax-scan")]
    others = f"jax-step{place}", f"anynet-torch{place or ':cpu'}", f"anynet-jax{place or ':cpu'}", "anynet-numpy"

    def report(name: str, *arguments: str, peers: list[str], share: float) -> Part:
        options = "--peers", *dict.fromkeys(peers), "--out", f"{folder}", "--name", name
        return Part(
            name=name,
            module="benchmarks",
            arguments=(*arguments, *options),
            share=share,
            takes_minutes=True,
            quick=("--quick",),
            output=folder / f"{name}.json",
        )

    def numbers(name: str, module: str, quick: tuple[str, ...] | None, stage: str = MEASURE) -> Part:
        output = folder / f"{name}.json"
        arguments = device, "--out", f"{output}"
        return Part(name=name, module=module, arguments=arguments, stage=stage, share=2, quick=quick, output=output)

    few = NETS[:3:2] if quick else NETS
    return [
        numbers("connect", "benchmarks.card.device", quick=(), stage=CHECK),
        numbers("gradients", "benchmarks.card.gradients", quick=(), stage=CHECK),
        report("nets", *NETS, peers=[*gpu_peers, *anynet, *others, ON_CPU], share=10),
        *([report("joining", *SMALL_NETS, peers=[*JOINING], share=3)] if device == "cupy" else []),
        tests(device, folder / "tests.jsonl", quick=quick),
        numbers("forty_epochs", "benchmarks.forty_epochs", quick=("--quick",)),
        numbers("members", "benchmarks.members", quick=None),
        numbers("loading", "benchmarks.loading", quick=("--quick",)),
        numbers("precision", "benchmarks.precision", quick=None),
        report("batches", *few, "--growth", peers=[*gpu_peers, *anynet, ON_CPU], share=8),
        report("growth", "--growth", peers=[ON_CPU, ANYNET + device], share=4),
    ]


def tests(device: str, log: Path, *, quick: bool) -> Part:
    """Return the part with the tests that need a GPU, or those of a backend that needs none."""
    library = device.partition(":")[0]
    chosen = ("gpu and not slow", "") if on_gpu(ANYNET + device) else ("not gpu and not slow", library)
    arguments = "tests/backends" if quick else "tests", "-q", "-m", chosen[0], "-k", chosen[1]
    plugins = "-p", "benchmarks.card.outcome_log", "--outcome-log", f"{log}", "-p", "no:benchmark"  # it warns of xdist
    warnings = [option for kind in DEPRECATIONS for option in ("-W", f"default::{kind}")]
    processes = ("-n", PROCESSES) if find_spec("xdist") else ()
    return Part(
        name="tests",
        module="pytest",
        arguments=(*arguments, *plugins, *warnings, *processes),
        stage=CHECK,
        share=6,
        tests=log,
    )
