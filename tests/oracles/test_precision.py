"""A net in float32 makes no array of float64: not in a training step, not on the way to its end."""

from collections.abc import Iterator
from typing import Any

import drawn
import numpy as np
import pytest
from hypothesis import strategies as st
from libraries import LIBRARIES, tree_map
from there import There

from anynet import SGD, Adam, AdamW, Lion, Muon, RMSprop, backend
from anynet.data import Normalization
from anynet.data.batch import Batch
from anynet.nn.l2 import add_l2_gradient, l2_cost
from anynet.nn.losses import hinge, softmax_cross_entropy
from anynet.training.evaluation_step import Trained, evaluation_step, zero_totals
from anynet.training.step import Fixed, start, train_step

LOSSES = {"softmax_cross_entropy": softmax_cross_entropy, "hinge": hinge}
OPTIMIZERS = {
    "SGD": SGD(),
    "momentum": SGD(momentum=0.9),
    "Nesterov": SGD(momentum=0.9, nesterov=True),
    "Adam": Adam(),
    "Adam without memory": Adam(beta1=0, beta2=0),
    "AdamW": AdamW(),
    "RMSprop": RMSprop(momentum=0.9, centered=True),
    "Lion": Lion(weight_decay=0.1),
    "Muon": Muon(weight_decay=0.1),
}


@pytest.fixture(params=[pytest.param(2, id="few"), pytest.param(8, id="many", marks=pytest.mark.thorough)])
def examples(request):
    return request.param


@pytest.fixture(params=LOSSES)
def loss(request):
    return LOSSES[request.param]


@pytest.fixture(params=OPTIMIZERS)
def optimizer(request):
    return OPTIMIZERS[request.param]


def everything(net, loss, optimizer, penalised):
    """Two training steps, an evaluation, and each part of a step, in a function of arrays; the arrays of all of it."""

    def run(params, state, normalization, images, labels, lr, l2):
        carry, step = start(net, optimizer, params, state), train_step(net, loss, optimizer)
        for _ in range(2):
            carry = step(carry, Fixed(normalization, l2 if penalised else None), Batch(images, labels), lr)
        trained = Trained(carry.params, carry.state, normalization)
        totals = evaluation_step(net, loss)(zero_totals(params, labels), trained, Batch(images, labels), None)
        logits, cache, _ = net.forward(params, state, normalization(images), train=True)
        value, dlogits = loss(logits, labels)
        dx, grads = net.backward(params, cache, dlogits)
        decayed = add_l2_gradient(net.layout, grads, params, l2)
        return list(arrays([carry, totals, cache, value, dlogits, dx, decayed, l2_cost(net.layout, params, l2)]))

    return run


def arrays(tree: Any) -> Iterator[Any]:
    """Everything in nested containers that has a dtype: a cache may hold other things as well."""
    found = []
    tree_map(lambda leaf: found.append(leaf) if hasattr(leaf, "dtype") else None, tree)
    yield from found


def inputs(net, shape, seed):
    point, rng = drawn.net_point(net, shape, seed), np.random.default_rng(seed)
    normalization = Normalization(np.full(shape.n_in, 1 / 64), drawn.normal(rng, (shape.n_in,)))
    images = rng.integers(0, 256, (shape.n, shape.n_in), dtype=np.uint8)
    labels = rng.integers(0, shape.n_out, shape.n)
    return point.params, point.state, normalization, images, labels, np.full(shape.members, 0.1), point.l2


def for_all(test, loss, optimizer, examples):
    """Run a test of a function and its NumPy arguments, for drawn nets and shapes, with and without a penalty."""

    def holds(shaped_net, penalised, seed):
        shape, net = shaped_net
        test(everything(net, loss, optimizer, penalised), inputs(net, shape, seed))

    drawn.for_all(holds, examples, shaped_net=drawn.SHAPED_NETS, penalised=st.booleans(), seed=drawn.SEEDS)


def test_torch_makes_no_float64_on_the_way(loss, optimizer, examples):
    torch = pytest.importorskip("torch")
    from torch.utils._python_dispatch import TorchDispatchMode

    class Record(TorchDispatchMode):
        """Every tensor that any operation returns."""

        def __init__(self):
            super().__init__()
            self.operations, self.double = 0, set()

        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            made = operation(*args, **(kwargs or {}))
            self.operations += 1
            if any(array.dtype == torch.float64 for array in arrays([made])):
                self.double.add(str(operation))
            return made

    def single(function, args):
        with Record() as record:
            outputs = function(*There(backend("torch:cpu"), "float32").put(args))
        assert record.operations > len(outputs)
        assert not record.double

    for_all(single, loss, optimizer, examples)


def test_jax_traces_no_float64(jax, loss, optimizer, examples):
    def variables(jaxpr):
        for equation in jaxpr.eqns:
            yield from equation.outvars
            for inner in jax.tree.leaves(equation.params, is_leaf=lambda leaf: hasattr(leaf, "eqns")):
                yield from variables(inner) if hasattr(inner, "eqns") else ()

    def single(function, args):
        traced = jax.make_jaxpr(function)(*There(backend("jax"), "float32").put(args))
        made = list(variables(traced.jaxpr))
        assert len(made) > 50
        assert not [variable for variable in made if variable.aval.dtype == np.float64]

    for_all(single, loss, optimizer, examples)


@pytest.mark.parametrize("name", ["numpy", "strict-no_float64"])
def test_no_float64_comes_back(name, loss, optimizer, examples):
    library = LIBRARIES[name]()
    library.dtype = "float32"
    # The call itself looks at the dtype of what comes back; the strict device holds no float64 at all.
    for_all(lambda function, args: library.call(function, *args), loss, optimizer, examples)
