"""What is checked and measured on a card, each by a command of its own."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import ANYNET, on_gpu

CHECK, MEASURE = "check", "measure"
NETS = ("W1", "W2", "W3", "W4", "W5")
ON_CPU = "anynet-numpy+numba"
"""What a GPU has to be faster than, to be worth having."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A command, ``python -m module words``.

    stage: to which it belongs. share: of the minutes, as a multiple of others'.
    in_time: whether it takes ``--minutes``, and makes do with them.
    quick: what it is given besides to be quick; None where it cannot be.
    tests: where pytest leaves its report, if it is pytest.
    """

    name: str
    module: str
    words: tuple[str, ...]
    stage: str = MEASURE
    share: float = 1
    in_time: bool = False
    quick: tuple[str, ...] | None = ()
    tests: Path | None = None


def parts(device: str, folder: Path, *, quick: bool) -> list[Part]:
    """All there are, the most important first.

    device: a backend of anynet's, "cupy". folder: for what they leave.
    """
    place = ":cuda" if on_gpu(ANYNET + device) else ""
    ours = ANYNET + device, f"{ANYNET}{device}+eager"
    theirs = [f"{name}{place}" for name in ("torch", "torch-compile", "jax-scan")]
    others = f"jax-step{place}", f"anynet-torch{place or ':cpu'}", f"anynet-jax{place or ':cpu'}", "anynet-numpy"

    def report(name: str, *words: str, peers: list[str], share: float) -> Part:
        wanted = "--peers", *dict.fromkeys(peers), "--out", f"{folder}", "--name", name
        return Part(
            name=name, module="anynet", words=("bench", *words, *wanted), share=share, in_time=True, quick=("--quick",)
        )

    def numbers(name: str, quick: tuple[str, ...] | None) -> Part:
        words = device, "--out", f"{folder / name}.json"
        return Part(name=name, module=f"benchmarks.{name}", words=words, share=2, quick=quick)

    tests = folder / "tests.xml"
    chosen = f"({'cupy or cuda or gpu' if place else device.partition(':')[0]}) and not emulated"
    asked = "tests/backends" if quick else "tests", "-q", "-k", chosen, f"--junitxml={tests}"
    few = NETS[:3:2] if quick else NETS
    return [
        Part(name="device", module="benchmarks.card.device", words=(device,), stage=CHECK),
        Part(name="tests", module="pytest", words=asked, stage=CHECK, share=4, tests=tests),
        report("nets", *NETS, peers=[*theirs, *ours, *others, ON_CPU], share=5),
        numbers("forty_epochs", quick=()),
        numbers("members", quick=None),
        numbers("loading", quick=("--quick",)),
        numbers("precision", quick=None),
        report("batches", *few, "--growth", peers=[*theirs, *ours, ON_CPU], share=8),
        report("growth", "--growth", peers=[ON_CPU, ANYNET + device], share=4),
    ]
