"""Programs of PyTorch that need no anynet."""

from pathlib import Path
from typing import Any

import torch

from anynet.core.atomic import write_whole
from anynet.core.errors import file_to_write
from anynet.core.formatting import first_line
from anynet.interop import single_net
from anynet.torch.to_module import to_module


def save_program(run: Any, path: str | Path) -> None:
    """Write a trained net as a program of ``torch.export``, which runs without anynet.

    ``torch.export.load(path).module()`` is a module with the outputs of `to_module`, for any number of samples.

    Parameters
    ----------
    run : Run
        Its best parameters are written.
    path : str or Path
        File to write or replace, whole or not at all; PyTorch's name for such files ends with ``.pt2``.

    Raises
    ------
    TypeError, ValueError
        If `run` is not one net, or PyTorch cannot trace a layer of a user; nothing is written.
    OSError
        If the file cannot be written.
    """
    file, predictor = file_to_write(path, "net.pt2"), single_net(run)
    dtype = torch.uint8 if predictor.input_dtype == "uint8" else getattr(torch, predictor.dtype)
    samples = torch.zeros((2, *predictor.shape), dtype=dtype)
    some = {0: torch.export.Dim("samples", min=1)}
    module = to_module(predictor)
    try:
        program = torch.export.export(module, (samples,), dynamic_shapes=(some,))
    except Exception as error:  # of the formulas of a layer of a user, whatever they raise
        raise ValueError(
            f"run: PyTorch cannot trace the net, {first_line(error)}; write layers of your own without numbers that "
            "are read from arrays, or take to_module"
        ) from error

    def write(partial: Path) -> None:
        with partial.open("wb") as opened:
            torch.export.save(program, opened)

    write_whole(file, write)
