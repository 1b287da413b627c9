"""How nets start: the same numbers from the same seed, everywhere."""

import numpy as np
import pytest
from nets import NET, NETS, PARAMETERS

from anynet import Conv2d, He, Layer, Linear, Normal, Parameter, Sequential, Xavier
from anynet.core.seeding import Purpose, generator
from anynet.nn.initializers import Ones, PartialIdentity, Uniform
from anynet.nn.net_json import net_from_json, to_json


def test_a_seed_gives_the_same_numbers_on_every_library(xp, members):
    seed = [7, 42][: len(members) * 2] or 42
    exact, exact_state = NET.init(seed, like=np.zeros(1))
    assert exact.dtype == np.float64
    for dtype in {"float32", xp.dtype}:
        xp.dtype = dtype
        like = xp.put(np.zeros((3, 1)))
        params, state = NET.init(seed, like)
        for array, expected in zip([params, *state.values()], [exact, *exact_state.values()], strict=True):
            assert array.dtype == like.dtype
            assert xp.device_of(array) == xp.device_of(like)
            assert type(array) is type(like)
            np.testing.assert_array_equal(xp.to_host(array), expected.astype(dtype))


def test_float32_numpy_is_the_default():
    params, state = NET.init(42)
    expected, _ = NET.init(42, like=np.zeros(1))
    assert {type(a) for a in (params, *state.values())} == {np.ndarray}
    assert {str(a.dtype) for a in (params, *state.values())} == {"float32"}
    np.testing.assert_array_equal(params, expected.astype(np.float32))


def test_seeds_differ():
    drawn = [NET.init(seed, like=np.zeros(1))[0] for seed in (0, 1, 2, 42)]
    for name in ("0.W", "3.W", "5.W"):
        values = np.concatenate([NET.layout.split(params)[name].reshape(-1) for params in drawn])
        assert len(set(values.tolist())) == values.size


def test_seeds_may_be_any_numbers():
    expected, _ = NET.init([1, 2])
    for seeds in ((1, 2), range(1, 3), np.asarray([1, 2])):
        np.testing.assert_array_equal(NET.init(seeds)[0], expected)


def test_members_are_the_single_seeds_stacked():
    params, state = NET.init([3, 1, 2])
    assert params.shape == (3, NET.layout.size)
    for k, seed in enumerate([3, 1, 2]):
        alone, state_alone = NET.init(seed)
        np.testing.assert_array_equal(params[k], alone)
        for name, array in state_alone.items():
            assert state[name].shape == (3, 4)
            np.testing.assert_array_equal(state[name][k], array)


def test_layers_added_at_the_end_do_not_change_what_the_earlier_ones_draw():
    short, long = Sequential(*NET.layers[:4]), NET
    one = short.layout.split(short.init(42)[0])
    other = long.layout.split(long.init(42)[0])
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name])


def test_layers_alike_draw_numbers_of_their_own():
    net = NETS["more than ten layers"]
    weights = [w for name, w in net.layout.split(net.init(42)[0]).items() if name.endswith("W")]
    values = np.stack(weights).reshape(-1)
    assert len(set(values.tolist())) == values.size == 12 * 16


@pytest.mark.parametrize(
    ("init", "std"),
    [
        (He(), (2 / 400) ** 0.5),
        (Xavier(), (2 / (400 + 300)) ** 0.5),
        (Normal(), 0.01),
        (Normal(std=0.2), 0.2),
    ],
    ids=repr,
)
def test_weights_are_normal_numbers_of_the_variance_asked_for(init, std):
    net = Sequential(Linear(400, 300, init))
    W = net.layout.split(net.init(42, like=np.zeros(1))[0])["0.W"]
    n = W.size
    assert abs(np.mean(W)) < 5 * std / n**0.5
    assert np.std(W) == pytest.approx(std, rel=5 / (2 * n) ** 0.5)
    assert np.mean((W / std) ** 4) == pytest.approx(3, abs=0.1)  # the fourth moment of a normal number
    # No row or column stands out: 400 and 300 of them, each with its own share of the noise.
    assert np.max(np.abs(np.mean(W, axis=0))) < 5 * std / 400**0.5
    assert np.max(np.abs(np.mean(W, axis=1))) < 5 * std / 300**0.5


KERNEL = (3, 5, 40, 60)


@pytest.mark.parametrize(
    ("init", "std"),
    [
        (He(), (2 / (3 * 5 * 40)) ** 0.5),
        (Xavier(), (2 / (3 * 5 * (40 + 60))) ** 0.5),
        (Uniform(), (1 / (3 * 3 * 5 * 40)) ** 0.5),
        (Uniform(gain=(3 * 3 * 5 * 40) ** 0.5), 1.0),
    ],
    ids=repr,
)
def test_kernels_count_as_matrices(init, std):
    """Against the variances by their definitions; PyTorch's names are kaiming, xavier and its layers' default."""
    kernel = init(np.random.default_rng(0), KERNEL)
    assert kernel.shape == KERNEL
    assert np.std(kernel) == pytest.approx(std, rel=5 / (2 * kernel.size) ** 0.5)
    if isinstance(init, Uniform):
        assert std * 3**0.5 * 0.999 < np.abs(kernel).max() <= std * 3**0.5


@pytest.mark.parametrize(("shape", "n"), [((3, 3, 2, 5), 2), ((1, 5, 4, 4), 4), ((3, 1, 5, 2), 2)])
def test_first_outputs_copy_the_inputs(shape, n):
    """As by PyTorch's dirac of the first outputs, which has (D, C, rows, columns)."""
    kernel = PartialIdentity(Normal(0.5))(np.random.default_rng(0), shape)
    torch = pytest.importorskip("torch")
    theirs = torch.nn.init.dirac_(torch.empty(n, shape[2], *shape[:2], dtype=torch.float64))
    np.testing.assert_array_equal(kernel[..., :n], theirs.permute(2, 3, 1, 0).numpy())
    others = Normal(0.5)(np.random.default_rng(0), shape)
    np.testing.assert_array_equal(kernel[..., n:], others[..., n:])


@pytest.mark.parametrize("shape", [(4, 5), (2, 3, 4, 5), (3, 2, 4, 5)])
def test_an_image_has_no_copy_without_a_pixel_in_the_middle(shape):
    with pytest.raises(ValueError, match=r"expected a kernel with an odd number of rows and columns, got shape \("):
        PartialIdentity()(np.random.default_rng(0), shape)


def test_he_is_the_default():
    one, other = Sequential(Linear(6, 5)), Sequential(Linear(6, 5, init=He()))
    np.testing.assert_array_equal(one.init(1)[0], other.init(1)[0])


def test_parameters_draw_from_the_stream_of_their_place():
    """So that runs of old stay repeatable: fourth parameter, fourth stream."""
    params = NET.layout.split(NET.init(42, like=np.zeros(1))[0])
    for i, name in enumerate(PARAMETERS):
        if name.endswith("W"):
            shape = PARAMETERS[name]
            expected = (2 / shape[0]) ** 0.5 * generator(42, Purpose.INIT, i).standard_normal(shape)
            np.testing.assert_allclose(params[name], expected, rtol=1e-15)


def test_everything_else_starts_at_zero_or_one():
    vector, state = NET.init(42)
    parts = NET.layout.split(vector)
    for name in ("0.b", "1.beta", "3.b", "5.b"):
        np.testing.assert_array_equal(parts[name], 0)
    np.testing.assert_array_equal(parts["1.gamma"], 1)
    np.testing.assert_array_equal(state["1.mean"], np.zeros(4))
    np.testing.assert_array_equal(state["1.var"], np.ones(4))
    gaps = np.ones(NET.layout.size, bool)
    for start, stop, _ in NET.layout.slots.values():
        gaps[start:stop] = False
    assert np.any(gaps)
    np.testing.assert_array_equal(vector[gaps], 0)


def test_a_bias_may_start_elsewhere():
    net = Sequential(Linear(200, 3000, bias_init=Normal(std=0.5)))
    b = net.layout.split(net.init(42)[0])["0.b"]
    assert np.std(b) == pytest.approx(0.5, rel=5 / 6000**0.5)


def test_state_has_the_shapes_that_layers_declare():
    class Stateful(Layer):
        def state(self):
            return {"s": Parameter((2, 3), Normal(1.0)), "c": Parameter((), Ones())}

    _, state = Sequential(Stateful(), Linear(2, 3)).init([1, 2])
    assert {name: s.shape for name, s in state.items()} == {"0.s": (2, 2, 3), "0.c": (2,)}
    assert not np.array_equal(state["0.s"][0], state["0.s"][1])


@pytest.mark.parametrize("seed", [np.int64(3), np.uint8(3), np.array(3)])
def test_a_seed_of_numpy_is_one_seed(seed):
    for one, other in zip((net := Sequential(Linear(2, 3))).init(seed), net.init(3), strict=True):
        np.testing.assert_equal(one, other)
    assert net.init(np.array([3]))[0].shape == (1, net.layout.size)


def test_initializers_of_kernels_come_back_from_json():
    net = Sequential(Conv2d(8, 3, init=PartialIdentity(Uniform(2.0))), input_shape=(3, 5, 5))
    assert net_from_json(to_json(net)) == net
