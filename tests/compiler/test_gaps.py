"""Constant gaps of vectors are written once where nothing else is written there, and keep the plain step's values."""

import numpy as np
import pytest
from array_api_compat import array_namespace
from loops import PLAIN, RECORDED, recorded

import anynet as an
from anynet.app.build_net import make_net
from anynet.app.config import Config
from anynet.backends import backend
from anynet.compiler import concat as vectors
from anynet.compiler.numpy import blocks
from anynet.compiler.program import Program
from anynet.compiler.recording import record_step
from anynet.core.tree import flatten
from anynet.data import Normalization
from anynet.data.batch import Batch
from anynet.training.step import Fixed, start, train_step

OPTIMIZERS = {"SGD": an.SGD(), "momentum": an.SGD(momentum=0.9), "Adam": an.Adam(), "AdamW": an.AdamW()}
STEPS, PIXELS = 3, 48


def arguments(here, optimizer, hidden, members=None, l2=True):
    """Return a training step, its carry, what is shared, and rows of some steps. The carry's gaps are not zero."""
    rng, made = np.random.default_rng(0), make_net(Config(hidden=hidden), (PIXELS,), 10)
    own = () if members is None else (members,)

    def put(host):
        return here.asarray(np.asarray(host, "float64"))

    params, state = made.init(0 if members is None else range(members), like=put([0]))
    params = put(np.where(gaps(made), 0.5, here.to_host(params)))
    carry = start(made, optimizer, params, state)
    fixed = Fixed(Normalization(put(np.zeros(PIXELS)), put(np.ones(PIXELS))), put(np.full(own, 0.01)) if l2 else None)
    images, labels = rng.integers(0, 256, (STEPS, 20, PIXELS), np.uint8), rng.integers(0, 10, (STEPS, 20))
    rows = Batch(here.asarray(images), here.asarray(labels)), put(np.full((STEPS, *own), 0.1))
    train = train_step(made, an.losses.softmax_cross_entropy, optimizer)
    return made, lambda carry, fixed, row: train(carry, fixed, *row), carry, fixed, rows


def gaps(made):
    """Return a mask of the elements that belong to no parameter."""
    mask = np.ones(made.layout.size, bool)
    for slot in made.layout.slots.values():
        mask[slot.start : slot.stop] = False
    return mask


def copies_of_constants(here, *case, **settings):
    """Return how many constants a recorded step copies."""
    _, step, carry, fixed, rows = arguments(here, *case, **settings)
    columns, rebuild = flatten(rows)
    graph = record_step(step, here.xp, carry, fixed, rebuild([column[0, ...] for column in columns]))
    program = Program(graph, len(flatten(carry)[0]), flatten(fixed)[0], here.target)
    constants = {id(program._memory[used]) for n in graph.nodes for used in n.inputs if used.op == "constant"}
    copies = [args for (_, args), (node, *_) in zip(program.calls, program.made, strict=True) if node.op == "concat"]
    return sum(any(id(array) in constants for array in args) for args in copies)


@pytest.mark.parametrize("members", [None, 2])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("where", ["numpy", "emulated cupy"])
def test_they_are_written_once(request, where, optimizer, members):
    here = request.getfixturevalue("emulated_cupy") if where == "emulated cupy" else backend("numpy")
    case = here, OPTIMIZERS[optimizer]
    assert copies_of_constants(*case, "512,128", members) == 0  # weights of the default net leave no gaps
    assert copies_of_constants(*case, "50,30", members, l2=False) == 0
    assert copies_of_constants(*case, "50,30", members) == 2  # among the weights, to which the penalty is added


@pytest.mark.parametrize("members", [None, 2])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_none_is_copied_between_a_penalty_and_an_update_in_blocks(monkeypatch, optimizer, members):
    monkeypatch.setattr(blocks, "LARGE", 2)
    assert copies_of_constants(backend("numpy"), OPTIMIZERS[optimizer], "50,30", members) == 0


@pytest.mark.parametrize("l2", [False, True])
@pytest.mark.parametrize("members", [None, 2])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("where", ["numpy", "emulated cupy"])
def test_they_keep_the_bits_of_the_plain_step(request, where, optimizer, members, l2):
    here = recorded(request.getfixturevalue("emulated_cupy")) if where == "emulated cupy" else RECORDED
    found = []
    for chosen in (here, PLAIN):
        made, step, carry, fixed, rows = arguments(chosen, OPTIMIZERS[optimizer], "50,30", members, l2)
        after = chosen.loop(step)(carry, fixed, rows, int)
        arrays = [after.params, *(after.moments[name] for name in sorted(after.moments) if name != "t")]
        found.append([chosen.to_host(array)[..., gaps(made)] for array in arrays])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one.view("int64"), other.view("int64"))


def test_constants_stay_only_where_equal_ones_or_their_views_are():
    """Values behind a constant that a later vector replaces cannot be read; this asks for what is written there."""

    def joined(xp, *parts):
        return xp.concat(parts, axis=-1)

    def last(new):
        """Return whether the gap of a vector stays if this vector is written over it."""

        def step(carry, shared, row):
            (x, z), xp = carry, array_namespace(*carry)
            old = joined(xp, x[:3] + 1, xp.zeros(3), x[6:] + 1)
            return new(xp, x, z, old), z

        graph = record_step(step, backend("numpy").xp, (np.zeros(12), np.zeros(3)), (), ())
        first = next(filter(vectors.is_vector, graph.nodes))
        part, constant = list(vectors.pieces(first))[1]
        changed = vectors.changed(graph, set(), lambda node: True)
        assert set(changed.values()) == {first}
        return vectors.stays(part, constant, changed)

    assert last(lambda xp, x, z, old: joined(xp, old[..., :3] + 1, old[..., 3:]))
    assert last(lambda xp, x, z, old: joined(xp, old[..., :3] + 1, xp.zeros(3), old[..., 6:]))
    assert not last(lambda xp, x, z, old: joined(xp, old[..., :3] + 1, xp.ones(3), old[..., 6:]))
    assert not last(lambda xp, x, z, old: joined(xp, old[..., :3] + 1, x[3:6], old[..., 6:]))
    assert not last(lambda xp, x, z, old: joined(xp, old[..., :3] + 1, z, old[..., 6:]))
    assert not last(lambda xp, x, z, old: joined(xp, old[..., :3], old[..., 3:] + 1))
