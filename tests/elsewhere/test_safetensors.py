"""Files of tensors with PyTorch's names."""

import json

from nets_elsewhere import SMALL, trained
from safetensors import safe_open

import anynet as an
from anynet.interop import write_safetensors


def test_names_layouts_and_metadata(tmp_path):
    net = an.Sequential(
        *(an.Conv2d(4, (1, 2), padding=0, bias=False), an.BatchNorm(), an.Residual(an.Conv2d(4), an.Scale())),
        *(an.Flatten(), an.Linear(2)),
        input_shape=SMALL,
    )
    predictor = trained(net, SMALL)
    write_safetensors(predictor, tmp_path / "net.safetensors")
    with safe_open(tmp_path / "net.safetensors", "numpy") as file:
        shapes = {name: file.get_tensor(name).shape for name in file.keys()}  # noqa: SIM118 - it is no dict
        kernel, matrix, metadata = file.get_tensor("0.weight"), file.get_tensor("4.weight"), file.metadata()
    assert shapes == {
        **{"input.scale": (3, 5, 4), "input.shift": (3, 5, 4), "0.weight": (4, 3, 1, 2)},
        **{f"1.{name}": (4,) for name in ("weight", "bias", "running_mean", "running_var")},
        **{"2.0.weight": (4, 4, 3, 3), "2.0.bias": (4,), "2.1.weight": (4,), "4.weight": (2, 60), "4.bias": (2,)},
    }
    own = net.layout.split(predictor.nets[0].params)
    assert kernel[3, 2, 0, 1] == own["0.W"][0, 1, 2, 3]
    row, column, channel = 4, 1, 2  # of the (4, 5, 3) values that Flatten() gives the matrix, in PyTorch's order
    assert matrix[1, channel * 15 + row * 3 + column] == own["4.W"][(row * 3 + column) * 4 + channel, 1]
    assert json.loads(metadata["classes"]) == ["class 0", "class 1"]
    assert json.loads(metadata["net"])["layers"][1]["class"] == "BatchNorm"
