"""PyTorch's modules and state dicts of nets, beside the nets."""

import numpy as np
import pytest
from nets_elsewhere import KINDS, LAYERS, SMALL, USUAL, Gate, Halved, Wave, of_layer, samples, trained

import anynet as an
from anynet.nn import net_json, nets
from anynet.nn.container import Container

torch = pytest.importorskip("torch")
from anynet.torch import from_state_dict, save_program, to_module, to_state_dict  # noqa: E402
from anynet.torch.counterparts import MODULES  # noqa: E402


def logits(predictor, x):
    (one,) = predictor.nets
    return one(x.reshape(len(x), -1).astype(predictor.dtype))


def difference(predictor, n=5):
    """The largest difference of outputs, as a part of the largest output if that is above 1."""
    x = samples(predictor, n)
    expected = logits(predictor, x)
    with torch.no_grad():
        found = to_module(predictor)(torch.tensor(x)).numpy()
    return float(np.abs(found - expected).max() / max(1, np.abs(expected).max()))


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_there_and_back(name):
    predictor = of_layer(name)
    assert difference(predictor) < 1e-5
    assert_round_trip(predictor)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_net_there_and_back(name):
    predictor = trained(KINDS[name], USUAL)
    assert difference(predictor) < 1e-5
    assert_round_trip(predictor)


def assert_round_trip(predictor):
    """Bit for bit; the padding of the vector is zero."""
    (one,) = predictor.nets
    tensors = to_state_dict(predictor)
    assert tensors.keys() == to_module(predictor).state_dict().keys()
    params, state = from_state_dict(one.net, tensors)
    parts, expected = (one.net.layout.split(each) for each in (params, one.params))
    for name, array in (expected | one.state).items():
        assert (parts | state)[name].tobytes() == array.tobytes()
    assert params.dtype == one.params.dtype


def test_a_module_with_other_names_is_loaded_in_its_order():
    layers = {
        "conv1": torch.nn.Conv2d(3, 4, 3, padding=1, bias=False),
        "bn1": torch.nn.BatchNorm2d(4, momentum=0.3),
        "relu": torch.nn.ReLU(),
        "pool": torch.nn.MaxPool2d(2),
        "flatten": torch.nn.Flatten(),
        "norm": torch.nn.LayerNorm(16),
        "fc": torch.nn.Linear(16, 3),
    }
    module = torch.nn.Sequential()
    for name, layer in layers.items():
        module.add_module(name, layer)
    module(torch.randn(6, *SMALL))  # which moves the running statistics
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    net = an.Sequential(
        *(an.Conv2d(4, padding=1, bias=False), an.BatchNorm(momentum=0.3), an.ReLU(), an.MaxPool2d(2)),
        *(an.Flatten(), an.LayerNorm(), an.Linear(3)),
        input_shape=SMALL,
    )
    params, state = from_state_dict(net, module.state_dict())
    x = torch.randn(5, *SMALL)
    np.testing.assert_allclose(net(params, state, x.numpy()), module.eval()(x).detach().numpy(), atol=1e-5)


def test_tensors_that_do_not_fit_are_named():
    net = an.Sequential(an.Linear(6, 4), an.BatchNorm(4), an.Linear(4, 3))
    tensors = to_state_dict(trained(net, (6,)))
    named = {f"net.{name}": tensor for name, tensor in tensors.items() if not name.startswith("input")}
    without = {name: tensor for name, tensor in named.items() if name != "net.2.bias"}
    exchanged = {name: named[name] for name in sorted(named)}
    for given, message in (
        (
            tensors | {"2.weight": torch.zeros(4, 3)},
            r'"2.weight": expected shape \(3, 4\), that of weight of layer 2',
        ),
        (named | {"net.0.bias": torch.zeros(5)}, r'"net.0.bias": expected shape \(4,\), that of bias of layer 0, Lin'),
        (without, r"expected 8 tensors, got 7; bias of layer 2, Linear\(4, 3\) is missing"),
        (named | {"net.3.bias": torch.zeros(5)}, '"net.3.bias" is one too many'),
        (exchanged, r'"net.0.bias": expected a weight here, that of weight of layer 0, Linear\(6, 4\), got a bias'),
    ):
        with pytest.raises(ValueError, match=message):
            from_state_dict(net, given)
    with pytest.raises(TypeError, match="expected tensors of float32, or all of float64, got float16 and float32"):
        from_state_dict(net, tensors | {"0.bias": torch.zeros(4, dtype=torch.float16)})
    with pytest.raises(TypeError, match=r"expected names of tensors, such as 0.weight, got 0"):
        from_state_dict(net, dict(enumerate(tensors.values())))
    with pytest.raises(TypeError, match="expected a dict of tensors"):
        from_state_dict(net, list(tensors.values()))


@pytest.mark.parametrize("name", ["batch norm", "resnet9"])
def test_training_moves_running_statistics_as_here(name):
    predictor = trained(KINDS[name], USUAL)
    (one,), module = predictor.nets, to_module(predictor).train()
    x = samples(predictor, 4)
    module(torch.tensor(x))
    normalized = one.normalization(x.reshape(4, -1).astype("float32"))
    _, _, state = one.net.forward(one.params, one.state, normalized, train=True)
    _, moved = from_state_dict(one.net, module.state_dict())
    for name, array in state.items():
        np.testing.assert_allclose(moved[name], array, rtol=1e-4, atol=1e-5)
        assert np.abs(array - one.state[name]).max() > 1e-3


def test_every_layer_of_anynet_has_a_module():
    assert MODULES.keys() == {kind for kind in net_json.LAYERS.values() if not issubclass(kind, Container)}


def test_modules_are_pytorchs_own():
    module = to_module(trained(nets.resnet18(USUAL, 10, width=1 / 16), USUAL))
    found = {type(each).__module__ + "." + type(each).__name__ for each in module.modules()}
    own = {name for name in found if not name.startswith("torch.nn.")}
    assert own == {"anynet.torch.small_modules.Normalize", "anynet.torch.small_modules.Residual"}
    assert not module.training


def test_a_module_shares_no_numbers_with_the_run():
    predictor = trained(an.Sequential(an.Linear(6, 3), an.Scale(3)), (6,))
    before = predictor.nets[0].params.copy()
    module = to_module(predictor)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    assert np.array_equal(predictor.nets[0].params, before)


def test_whitening_is_not_trained():
    module = to_module(trained(LAYERS["PatchWhitening"], SMALL))
    assert [name for name, each in module.named_parameters() if not each.requires_grad] == ["0.weight"]


def test_layers_of_users():
    net = an.Sequential(an.Linear(6, 4), Wave(4), an.Linear(4, 3))
    predictor = trained(net, (6,), input_dtype="float")
    assert difference(predictor) < 1e-5
    assert difference(trained(an.Sequential(*net, Gate()), (6,), input_dtype="float")) < 1e-5
    assert_round_trip(predictor)
    images = an.Sequential(an.Conv2d(4), Wave(4), Halved(), an.GlobalPool(), an.Linear(3), input_shape=SMALL)
    assert difference(trained(images, SMALL)) < 1e-5
    module = to_module(predictor).train()
    before = module.state_dict()["1.mean"].clone()
    module(torch.tensor(samples(predictor, 5))).sum().backward()
    assert module[2].s.grad.shape == (4,)
    assert not torch.equal(module.state_dict()["1.mean"], before)


@pytest.mark.slow
def test_a_program_needs_no_anynet(tmp_path):
    predictor = trained(KINDS["airbench94"], USUAL)
    save_program(predictor, tmp_path / "net.pt2")
    module = torch.export.load(tmp_path / "net.pt2").module()
    for n in (1, 7):
        x = samples(predictor, n)
        assert np.abs(module(torch.tensor(x)).detach().numpy() - logits(predictor, x)).max() < 1e-5


@pytest.mark.slow
def test_a_program_of_layers_of_users(tmp_path):
    net = an.Sequential(an.Linear(6, 4), Wave(4), an.Linear(4, 3))
    predictor = trained(net, (6,), input_dtype="float", dtype="float64")
    save_program(predictor, tmp_path / "net")
    x = samples(predictor, 3)
    module = torch.export.load(tmp_path / "net").module()
    assert np.abs(module(torch.tensor(x)).detach().numpy() - logits(predictor, x)).max() < 1e-12
    with pytest.raises(ValueError, match=r"run: PyTorch cannot trace the net, .*; write layers of your own without"):
        save_program(trained(an.Sequential(an.Linear(6, 3), Gate()), (6,)), tmp_path / "gate.pt2")
    assert [path.name for path in tmp_path.iterdir()] == ["net"]
