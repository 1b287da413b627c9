"""How layers make a net: what it takes and gives, and where its parameters lie."""

import numpy as np
import pytest
from nets import CLASSES, FEATURES, NET, NETS, PARAMETERS, draw_parts

from anynet import Linear, Sequential, Tanh


@pytest.fixture(params=NETS)
def net(request):
    return NETS[request.param]


def test_features_taken_and_given():
    assert (NET.n_in, NET.n_out) == (FEATURES, CLASSES)
    leading = NETS["activation first"]
    assert (leading.n_in, leading.n_out) == (3, 16)
    assert (Sequential(Linear(3, 2), Tanh()).n_in, Sequential(Linear(3, 2), Tanh()).n_out) == (3, 2)
    assert (Sequential(Tanh()).n_in, Sequential(Tanh()).n_out) == (None, None)


def test_parameters_are_named_after_their_layers_place():
    assert {name: p.shape for name, p in NET.parameters().items()} == PARAMETERS
    assert [name for name, p in NET.parameters().items() if p.is_weight] == ["0.W", "3.W", "5.W"]
    assert NET.layout.slots.keys() == PARAMETERS.keys()
    assert NET.init(seed=0)[1].keys() == {"1.mean", "1.var"}


def test_parameters_are_aligned_and_apart(net):
    layout = net.layout
    taken = np.zeros(layout.size, int)
    for name, p in net.parameters().items():
        start, stop, shape = layout.slots[name]
        assert start % 16 == 0  # 64 bytes of float32
        assert shape == p.shape
        assert stop - start == np.prod(shape)
        taken[start:stop] += 1
    assert np.max(taken) == 1
    assert layout.size % 16 == 0
    # No gap reaches the next multiple of 16, so the vector is no longer than the alignment asks for.
    assert layout.size == sum(-(-int(np.prod(p.shape)) // 16) * 16 for p in net.parameters().values())


def test_weights_lie_first(net):
    layout = net.layout
    assert layout.n_weights == sum(
        -(-int(np.prod(p.shape)) // 16) * 16 for p in net.parameters().values() if p.is_weight
    )
    for name, p in net.parameters().items():
        start, stop, _ = layout.slots[name]
        assert p.is_weight == (stop <= layout.n_weights) == (start < layout.n_weights)


def test_split_undoes_join(xp, net, members, rng):
    parts = draw_parts(net, rng, members)

    def function(parts, like):
        vector = net.layout.join(parts, like)
        return vector, net.layout.split(vector)

    vector, again = xp.call(function, parts, np.ones((*members, net.layout.size)))
    assert again.keys() == parts.keys()
    gaps = np.ones(net.layout.size, bool)
    for name, part in parts.items():
        start, stop, _ = net.layout.slots[name]
        gaps[start:stop] = False
        np.testing.assert_array_equal(again[name], part.astype(xp.dtype))
        # Row by row, as C and NumPy lay out an array.
        np.testing.assert_array_equal(vector[..., start:stop], part.reshape(*members, -1).astype(xp.dtype))
    np.testing.assert_array_equal(vector[..., gaps], 0)


def test_join_undoes_split(net, members, rng):
    like = np.zeros((*members, net.layout.size))
    vector = net.layout.join(draw_parts(net, rng, members), like)
    np.testing.assert_array_equal(net.layout.join(net.layout.split(vector), like), vector)
