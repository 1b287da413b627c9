"""State dicts of PyTorch."""

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray

from anynet.interop import single_net, state_arrays
from anynet.interop.state_arrays import COUNTER, Arrays, from_state_arrays, normalization_arrays
from anynet.nn import BatchNorm, Sequential


def to_state_dict(run: Any) -> dict[str, torch.Tensor]:
    """Return the best parameters and running statistics of a run as those of the module that `to_module` makes.

    Names are those of PyTorch behind the place of the layer in the net, such as "0.weight" and "1.running_var". A
    `Residual` has its shortcut as its last layer, as blocks of torchvision do.

    Parameters
    ----------
    run : Run
        The net, as `anynet.fit` and `anynet.load` return it.

    Returns
    -------
    dict of Tensor
        On the CPU, of the net's dtype; copies. "input.scale" and "input.shift" are the normalization, of the shape of a
        sample. Batch normalizations have "num_batches_tracked", 0, which no formula of theirs reads.

    Raises
    ------
    TypeError, ValueError
        If `run` is not one net.

    Examples
    --------
    >>> import anynet as an, anynet.torch, numpy as np
    >>> data = np.ones((4, 3), np.float32), np.asarray([0, 1, 0, 1])
    >>> settings = {"epochs": 1, "batch_size": 2, "progress": False}
    >>> run = an.fit(an.Sequential(an.Linear(2)), data, an.SGD(0.1), **settings)
    >>> state = anynet.torch.to_state_dict(run)
    >>> {name: tuple(tensor.shape) for name, tensor in state.items()}
    {'input.scale': (3,), 'input.shift': (3,), '0.weight': (2, 3), '0.bias': (2,)}
    """
    predictor = single_net(run)
    (trained,) = predictor.nets
    tensors = {name: torch.tensor(array) for name, array in normalization_arrays(predictor).items()}
    counted = {name for name, layer in trained.net.named_layers().items() if isinstance(layer, BatchNorm)}
    for name, array in state_arrays(trained).items():
        tensors[name] = torch.tensor(array)
        layer, _, kind = name.rpartition(".")
        if layer in counted and kind == "running_var":
            tensors[f"{layer}.{COUNTER}"] = torch.tensor(0)
    return tensors


def from_state_dict(net: Sequential, state: Mapping[str, torch.Tensor]) -> tuple[NDArray[Any], Arrays]:
    """Return the parameters and the state of a net from a state dict: the inverse of `to_state_dict`.

    Parameters
    ----------
    net : Sequential
        With its sizes, as ``run.net`` or ``Sequential(..., input_shape=...)`` has them.
    state : mapping of Tensor
        Of `to_module` or `to_state_dict`, or of an equal module with other names, whose tensors are in the order of the
        net's layers, such as torchvision's. The normalization in it and counters of batches are left out.

    Returns
    -------
    params : ndarray, shape (P,)
    state : dict of ndarray
        As from ``net.init``, so that ``net(params, state, x)`` evaluates the net; bit for bit the numbers of `state`.

    Raises
    ------
    TypeError
        If `state` is no mapping of tensors, or not all of them have the dtype float32, or float64.
    ValueError
        If tensors are missing, one is too many, or of another kind or shape; the message names tensor and layer.
    """
    return from_state_arrays(net, state)
