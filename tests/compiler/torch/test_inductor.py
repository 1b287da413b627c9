"""Elementwise operations as loops that PyTorch compiles: the same as its operations, one by one."""

import logging

import numpy as np
import pytest
from array_api_compat import array_namespace

import anynet as an
from anynet.core.random import key
from anynet.data import Loader, Normalization, Split
from anynet.training.batch_loop import BatchLoop
from anynet.training.step import Fixed, start, train_step

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # within PyTorch's compiler


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def compiled(torch, monkeypatch):
    """Small arrays are large enough, and compiled at once; what was."""
    from anynet.compiler.torch import inductor as kernels  # these import PyTorch
    from anynet.compiler.torch import target

    made, compile_source = [], kernels._compile
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)  # PyTorch logs what pytest would keep
    monkeypatch.setattr(target.TorchTarget, "patience", 1)
    monkeypatch.setattr(target, "LARGE", 200)
    monkeypatch.setattr(target, "WORTH", 2000)

    def record(source):
        made.append(source.graph)
        return compile_source(source)

    monkeypatch.setattr(kernels, "_compile", record)
    return made


NET = an.Sequential(an.Linear(20, 12), an.BatchNorm(12), an.LeakyReLU(), an.Linear(12, 3))
BLOCK = an.Sequential(
    *(an.Linear(20, 12), an.LayerNorm(12), an.GELU("none"), an.Dropout(0.3)),
    *(an.Residual(an.GroupNorm(3, 12), an.Linear(12, 12), an.SiLU()), an.Linear(12, 3)),
)


def train(plain, net=NET):
    """Some steps of Adam with a penalty; the parameters after them."""
    rng, backend = np.random.default_rng(0), an.backend("torch:cpu")
    step = train_step(net, an.losses.softmax_cross_entropy, an.Adam())
    put = backend.asarray
    carry = start(net, an.Adam(), *net.init(0, like=put(np.zeros(1))))
    fixed = Fixed(Normalization(put(np.full(20, 1 / 64)), put(np.full(20, -2.0))), put(np.asarray(0.01)), put(key(0)))
    images = Split(rng.integers(0, 256, (40, 20), dtype=np.uint8), rng.integers(0, 3, 40))
    batches, lr = Loader(images, backend).shuffled(8, 0, 0), put(np.full(5, 0.01))
    if not plain:
        return BatchLoop(step, backend)(carry, fixed, batches, lr).params.numpy()
    for i, batch in enumerate(batches):
        carry = step(carry, fixed, batch, lr[i, ...])
    return carry.params.numpy()


@pytest.mark.slow  # PyTorch starts its compiler
@pytest.mark.parametrize("net", [NET, BLOCK], ids=["batch norm", "block"])
def test_they_train_as_the_plain_step_does(compiled, net):
    np.testing.assert_allclose(train(plain=False, net=net), train(plain=True, net=net), rtol=1e-9)
    assert any("sqrt" in f"{graph}" for graph in compiled)


def test_where_nothing_can_be_compiled_training_goes_on(compiled, torch, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("there is no C++ compiler")

    monkeypatch.setattr(torch, "compile", fail)
    np.testing.assert_allclose(train(plain=False), train(plain=True), rtol=1e-9)
    assert compiled


def test_a_choice_keeps_infinities_and_nan(torch):
    def step(carry, shared, row):
        xp = array_namespace(carry)
        return xp.where(row > 0, row, 0.0) + xp.where(row < 0, carry, 0.0)

    x, y = (torch.from_numpy(a.ravel()) for a in np.meshgrid([0.0, -0.0, 1.5, np.inf, -np.inf, np.nan], [1.0, -1.0]))
    actual = an.backend("torch:cpu").loop(step)(x, None, y[None], lambda n: None)
    np.testing.assert_array_equal(actual, step(x, None, y))
