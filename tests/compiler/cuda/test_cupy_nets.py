"""Training steps of typical nets: the number of kernels on a GPU, and NVRTC compiles them without a warning."""

from typing import NamedTuple

import numpy as np
import pytest
from loops import PLAIN, recorded, recording
from numerical import assert_close
from nvrtc_here import ARCHITECTURES, nvrtc_compile
from on_backends import marked

import anynet as an
from anynet.backends import Backend
from anynet.core.tree import flatten
from anynet.data import Loader, Normalization, Split
from anynet.data.batch import Plan
from anynet.training.batch_loop import gathering
from anynet.training.step import Fixed, start, train_step

PIXELS, IMAGES = 3072, 600
PTX = ARCHITECTURES[0].replace("sm", "compute")


class Case(NamedTuple):
    """A net and its training. launches: number of kernels in a step, those of cuBLAS included.

    hidden: widths of layers. image_layers: the layers of a net of images instead, without the last one.
    """

    hidden: tuple[int, ...]
    batch: int
    launches: int
    optimizer: an.Optimizer = an.SGD(momentum=0.8)
    batch_norm: bool = False
    activation: an.Layer = an.ReLU()
    members: int | None = None
    dtype: str = "float32"
    image_layers: tuple[an.Layer, ...] = ()

    @property
    def net(self) -> an.Sequential:
        if self.image_layers:
            return an.Sequential(*self.image_layers, an.Linear(10), input_shape=(3, 32, 32))
        layers: list[an.Layer] = []
        for n_in, n_out in zip((PIXELS, *self.hidden), self.hidden, strict=False):
            layers += [an.Linear(n_in, n_out), *([an.BatchNorm(n_out)] if self.batch_norm else []), self.activation]
        return an.Sequential(*layers, an.Linear((PIXELS, *self.hidden)[-1], 10))


IMAGE_LAYERS = (
    *(an.Conv2d(6, 3, stride=2), an.BatchNorm(), an.ReLU(), an.MaxPool2d(2)),
    an.Residual(
        *(an.Conv2d(8, 3, stride=2, bias=False), an.BatchNorm(), an.ReLU(), an.Conv2d(8, 3, groups=2)),
        shortcut=an.Conv2d(8, 1, stride=2),
    ),
    *(an.ReLU(), an.MaxPool2d(3, stride=1), an.Flatten()),
)
CASES = {
    "one layer": Case((), 100, 5, an.SGD()),
    "two layers of 100": Case((100, 100), 64, 10, activation=an.Sigmoid()),
    "batch-normalised": Case((50, 50), 100, 10, batch_norm=True),
    "nine layers": Case((50, 30, 20, 20, 10, 10, 10, 10), 100, 10, batch_norm=True),
    "wide": Case((1024, 1024), 256, 19, an.Adam(eps=1e-3)),
    "float64": Case((50, 50), 100, 10, batch_norm=True, dtype="float64"),
    "ten members": Case((50, 50), 100, 17, batch_norm=True, members=10),
    "images": Case((), 5, 22, image_layers=IMAGE_LAYERS),
    "images, float64": Case((), 2, 21, image_layers=IMAGE_LAYERS, dtype="float64"),
    "images, members": Case((), 2, 28, image_layers=IMAGE_LAYERS, members=3),
    "a large batch": Case((50, 50), 4096, 38, batch_norm=True),
}


def one_step(case: Case, here: Backend) -> list[np.ndarray]:
    """Return the carry after one step."""
    rng, net = np.random.default_rng(0), case.net

    def put(host):
        return here.asarray(np.asarray(host, case.dtype))

    here.dtype(case.dtype)
    split = Split(rng.integers(0, 256, (IMAGES, PIXELS), dtype=np.uint8), rng.integers(0, 10, IMAGES))
    loader = Loader(split, here, dtype=case.dtype, image_shape=net.image_shape)
    fixed = Fixed(Normalization(put(np.full(PIXELS, 1 / 64)), put(rng.standard_normal(PIXELS))), put(0.01))
    carry = start(net, case.optimizer, *net.init(0 if case.members is None else range(case.members), like=put([0])))
    plan = Plan(here.asarray(rng.integers(0, IMAGES, (1, case.batch))), {})
    loop = here.loop(gathering(train_step(net, an.losses.softmax_cross_entropy, case.optimizer), None))
    after = loop(carry, (fixed, loader.x, loader.y), (plan, put([0.01])), int)
    return [here.to_host(array) for array in flatten(after)[0]]


@pytest.mark.parametrize("where", marked(["cupy", "emulated cupy"]))
@pytest.mark.parametrize(
    ("name", "architectures"),
    [
        *(pytest.param(name, [PTX], id=f"{name}, PTX of the oldest") for name in CASES),
        *(
            pytest.param(name, ARCHITECTURES, id=f"{name}, machine code", marks=pytest.mark.slow)
            for name in ("two layers of 100", "float64", "images")
        ),
    ],
)
def test_a_step_is_few_kernels_and_captured(request, monkeypatch, name, where, architectures):
    chosen = recording(where, request)
    from anynet.compiler.cuda import capture, target  # they import CuPy, which may not be installed
    from anynet.compiler.cuda.expressions import PRELUDE

    programs, codes = [], []
    monkeypatch.setattr(
        capture, "compile_all", lambda sources, plain=capture.compile_all: codes.append(sources) or plain(sources)
    )

    class Kept(capture.KernelProgram):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            programs.append(self)

    monkeypatch.setattr(target, "KernelProgram", Kept)
    case = CASES[name]
    found, expected = (one_step(case, here) for here in (recorded(chosen), PLAIN))
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other, 1e-11 if case.dtype == "float64" else 1e-4)
    (program,), (sources,) = programs, codes
    assert program.captures
    assert program.launches == case.launches
    for architecture in architectures:
        assert nvrtc_compile("\n".join([PRELUDE, *(source.text for source in sources)]), architecture) == ""
