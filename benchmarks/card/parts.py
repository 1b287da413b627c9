"""Parts of the GPU run: tests and benchmarks, each a command."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import ANYNET, on_gpu

CHECK, MEASURE = "check", "measure"
NETS = ("W1", "W2", "W3", "W4", "W5")
ON_CPU = "anynet-numpy+numba"
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
    tests : Path or None
        File of pytest's XML report, if the command is pytest.
    """

    name: str
    module: str
    arguments: tuple[str, ...]
    stage: str = MEASURE
    share: float = 1
    takes_minutes: bool = False
    quick: tuple[str, ...] | None = ()
    tests: Path | None = None


def parts(device: str, folder: Path, *, quick: bool) -> list[Part]:
    """Return all parts, the most important first.

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
        )

    def numbers(name: str, quick: tuple[str, ...] | None) -> Part:
        arguments = device, "--out", f"{folder / name}.json"
        return Part(name=name, module=f"benchmarks.{name}", arguments=arguments, share=2, quick=quick)

    tests = folder / "tests.xml"
    chosen = f"({'cupy or cuda or gpu' if place else device.partition(':')[0]}) and not emulated"
    pytest = "tests/backends" if quick else "tests", "-q", "-k", chosen, f"--junitxml={tests}"
    few = NETS[:3:2] if quick else NETS
    return [
        Part(name="device", module="benchmarks.card.device", arguments=(device,), stage=CHECK),
        Part(name="tests", module="pytest", arguments=pytest, stage=CHECK, share=4, tests=tests),
        report("nets", *NETS, peers=[*gpu_peers, *anynet, *others, ON_CPU], share=5),
        numbers("forty_epochs", quick=()),
        numbers("members", quick=None),
        numbers("loading", quick=("--quick",)),
        numbers("precision", quick=None),
        report("batches", *few, "--growth", peers=[*gpu_peers, *anynet, ON_CPU], share=8),
        report("growth", "--growth", peers=[ON_CPU, ANYNET + device], share=4),
    ]
