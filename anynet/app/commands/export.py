"""``anynet export``."""

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from anynet.app.new_folder import check_new_file
from anynet.app.prediction import load_predictor
from anynet.backends import backend
from anynet.core.atomic import write_whole
from anynet.training.predictor import Predictor

SUFFIXES = {".onnx": "onnx", ".pt2": "torch", ".keras": "keras", ".safetensors": "safetensors"}
"""Formats by the end of a file's name."""


Format = Literal["onnx", "torch", "keras", "safetensors"]


def export(run: Path, /, *, out: Path, kind: Annotated[Format | None, Parameter(name="--format")] = None) -> None:
    """Write a trained net as a file that other programs use without anynet.

    Parameters
    ----------
    run
        Folder of a run, or a file that Run.save wrote.
    out
        New file, such as net.onnx.
    kind
        onnx: a graph, for onnxruntime and others. torch: a program of torch.export (.pt2). keras: a model. safetensors:
        parameters with PyTorch's names. Default: by the end of the name, .onnx, .pt2, .keras or .safetensors.
    """
    chosen = kind or SUFFIXES.get(out.suffix.lower())
    if chosen is None:
        raise ValueError(f"--out {out}: expected a name with {', '.join(SUFFIXES)} at its end, or --format")
    if chosen == "keras" and out.suffix != ".keras":  # which Keras asks for
        raise ValueError(f"--out {out}: expected a name with .keras at its end")
    check_new_file(out)
    predictor = load_predictor(run, backend("numpy"))
    if len(predictor.nets) > 1:
        raise ValueError(f"export {run}: expected one net, got {len(predictor.nets)}; give a member-N folder in it")
    try:
        WRITERS[chosen](predictor, out)
    except ModuleNotFoundError as error:
        raise ValueError(f"--out {out}: {error}") from None
    size = ", ".join(map(str, ("N", *predictor.shape)))
    print(f"the net, for samples of {predictor.input_dtype} of shape ({size}), is in {out}")


def _onnx(predictor: Predictor, out: Path) -> None:
    from anynet.onnx import export as write  # here, because it needs the extra "onnx"

    write(predictor, out)


def _torch(predictor: Predictor, out: Path) -> None:
    from anynet.torch import save_program  # here, because it needs PyTorch

    save_program(predictor, out)


def _keras(predictor: Predictor, out: Path) -> None:
    here = next((name for name in ("tensorflow", "jax", "torch") if find_spec(name)), "tensorflow")
    os.environ.setdefault("KERAS_BACKEND", here)  # its default is tensorflow, which may be missing
    from anynet.keras import to_model  # here, because it needs Keras

    write_whole(out, to_model(predictor).save)


def _safetensors(predictor: Predictor, out: Path) -> None:
    from anynet.interop import write_safetensors  # here, as the others

    write_safetensors(predictor, out)


WRITERS: dict[str, Callable[[Predictor, Path], None]] = {
    "onnx": _onnx,
    "torch": _torch,
    "keras": _keras,
    "safetensors": _safetensors,
}
