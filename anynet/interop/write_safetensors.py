"""Files of tensors that PyTorch loads by its own names."""

import json
from pathlib import Path
from typing import Any

from anynet.core.errors import file_to_write
from anynet.core.tensor_file import write_tensors
from anynet.interop.single_net import single_net
from anynet.interop.state_arrays import normalization_arrays, state_arrays
from anynet.nn.net_json import to_json


def write_safetensors(run: Any, path: str | Path) -> None:
    """Write parameters and running statistics in PyTorch's names and layouts, for use without anynet.

    Parameters
    ----------
    run : Run
        Its best parameters are written, with the normalization as "input.scale" and "input.shift". The metadata have
        the layers, as JSON, and the names of the classes.
    path : str or Path
        Safetensors file to write or replace, whole or not at all.

    Raises
    ------
    TypeError, ValueError
        If `run` is not one net.
    ModuleNotFoundError
        If safetensors is not installed.
    OSError
        If the file cannot be written.

    Examples
    --------
    ``module.load_state_dict(safetensors.torch.load_file("net.safetensors"), strict=False)`` loads it into an equal
    module of PyTorch, whose batch normalizations have a counter besides.
    """
    predictor = single_net(run)
    (trained,) = predictor.nets
    metadata = {
        "format": "pt",
        "net": json.dumps(to_json(trained.net)),
        "classes": json.dumps(predictor.classes),
        "dataset": predictor.dataset,
        "shape": json.dumps(predictor.shape),
        "input_dtype": predictor.input_dtype,
    }
    write_tensors(
        file_to_write(path, "net.safetensors"), normalization_arrays(predictor) | state_arrays(trained), metadata
    )
