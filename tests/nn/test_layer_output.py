"""Output of one layer of a net, by its dotted name, beside what its layers give one after another."""

import numpy as np
import pytest

import anynet as an
from anynet.nn.layer_output import layer_output

SHAPE = (2, 6, 4)


@pytest.fixture(scope="module")
def net():
    return an.Sequential(
        an.Conv2d(4),
        an.Residual(
            an.BatchNorm(), an.Sequential(an.ReLU(), an.Conv2d(5, stride=2)), shortcut=an.Conv2d(5, 1, stride=2)
        ),
        an.Dropout(0.5),
        an.Flatten(),
        an.Linear(3),
        input_shape=SHAPE,
    )


def run(layer, params, state, x):
    return layer.forward(params, state, x, train=False)[0]


def under(name, arrays):
    """Arrays of a layer, by its own names."""
    return {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}


def test_outputs_are_those_of_the_layers_one_after_another(net, xp):
    def outputs(params, x, pixels):
        _, state = net.init(seed=0, like=params)
        arrays, found = net.layout.split(params), {}
        taken = run(net[0], under("0", arrays), {}, pixels)
        found["0"] = taken, (6, 4)
        found["1.0"] = run(net[1][0], under("1.0", arrays), under("1.0", state), taken), (6, 4)
        found["1.1.0"] = run(net[1][1][0], {}, {}, found["1.0"][0]), (6, 4)
        found["1.1.1"] = found["1.1"] = run(net[1][1][1], under("1.1.1", arrays), {}, found["1.1.0"][0]), (3, 2)
        found["1.2.0"] = found["1.2"] = run(net[1][2][0], under("1.2.0", arrays), {}, taken), (3, 2)
        found["1"] = found["2"] = found["1.1"][0] + found["1.2"][0], (3, 2)
        found["3"] = run(net[3], {}, {}, found["2"][0]), None
        found["4"] = net(params, state, x), None
        names = {*net.named_layers(), *net.named_containers()}
        assert found.keys() == names
        for name, (array, image) in found.items():
            given, size = layer_output(net, params, state, x, name)
            assert size == image
            yield given
            yield array

    rng = np.random.default_rng(0)
    params = net.init(seed=0, like=np.zeros(1))[0] + 0.1 * rng.standard_normal(net.layout.size)
    x = rng.standard_normal((3, *SHAPE))
    pixels = x.transpose(0, 2, 3, 1).reshape(-1, SHAPE[0])
    pairs = xp.call(lambda *arrays: list(outputs(*arrays)), params, x.reshape(3, -1), pixels)
    for given, array in zip(pairs[::2], pairs[1::2], strict=True):
        np.testing.assert_allclose(given, array, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["5", "1.3", "-1", "0.W", ""])
def test_other_names_are_refused_with_those_there_are(net, name):
    params, state = net.init(seed=0)
    with pytest.raises(ValueError, match=rf'^layer: expected one of 0, 1, 1\.0, .*, got "{name}"$'):
        layer_output(net, params, state, np.ones((1, 48), np.float32), name)
