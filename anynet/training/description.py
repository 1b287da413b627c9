"""Text that tells one training from another: all that its results depend on, except the number of epochs."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from anynet.backends import to_numpy
from anynet.data import Dataset
from anynet.data.dataset import ARRAYS
from anynet.nn.layer_text import short
from anynet.optim import Groups, Optimizer
from anynet.optim.schedules import Constant, Cosine, Triangular, Warmup
from anynet.training.inputs import default_loss
from anynet.training.members import Member
from anynet.training.settings import TrainSettings

FREE = ("epochs", "backend", "precision", "evaluate_train", "tta", "compile", "memory_budget")
"""Settings in which a resumed training may differ: they change its length, its rounding, or nothing."""

TO_THE_END = "to the last epoch"
"""Text for a schedule that ends with the training."""

LAYERS = "layers"
"""Name of the text of all layers of a net, which earlier checkpoints lack."""

ABSENT = {
    "ema": "None",
    "lookahead": "None",
    "patience": "None",
    "weight_decay": "0.0",
    "decoupled": "True",
    "steps": "5",
    "keep_norm": "False",
    "matrices": "'hidden'",
    "alternate_flip": "False",
    "border": "black",
    "cutout": "0",
    "sync_batch_norm": "True",
}
"""Settings that checkpoints from before them lack, with the value that is meant: it is left out."""

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
"""Part of Python's own texts for functions and objects, another one in each process."""

SAMPLE = 97
"""One of so many samples is compared."""


def describe_training(members: Sequence[Member], data: Dataset) -> dict[str, str]:
    """Return the settings of a training as text, by name.

    Parameters
    ----------
    members : sequence of Member
        One or more nets.
    data : Dataset

    Returns
    -------
    dict of str to str
    """
    shared = [f.name for f in fields(TrainSettings) if f.name not in (*FREE, *TrainSettings.PER_MEMBER)]
    first = members[0].settings
    described = {"members": str(len(members)), "data": _digest(data)}
    for k, member in enumerate(members):
        own = {"net": str(member.net), "optimizer": _optimizer(member.optimizer, first.epochs)}
        if "... " in own["net"]:  # a text that leaves out some of many layers
            layers = {name: short(layer) for name, layer in member.net.named_layers().items()}
            layers |= {name: type(each).__name__ for name, each in member.net.named_containers().items()}
            own[LAYERS] = ", ".join(f"{name} {text}" for name, text in layers.items())
        own |= {name: _text(getattr(member.settings, name)) for name in TrainSettings.PER_MEMBER}
        described |= {f"{name} of member {k}" if len(members) > 1 else name: value for name, value in own.items()}
    described |= {name: _text(getattr(first, name)) for name in shared}
    described["loss"] = _text(first.loss or default_loss(data))
    described |= {"order_seed": str(first.order)}
    return _without_absent({name: ADDRESS.sub("", text) for name, text in described.items()})


def _optimizer(optimizer: Optimizer, epochs: float) -> str:
    """Return the optimizer as text, with its constant rate or its schedule."""
    schedule = optimizer.schedule
    rate = repr(schedule.rate) if isinstance(schedule, Constant) else schedule_text(schedule, epochs)
    settings = {field.name: repr(getattr(optimizer, field.name)) for field in fields(optimizer)} | {"lr": rate}
    if isinstance(optimizer, Groups):
        parts = (f"{pattern}: {part and _optimizer(part, epochs)}" for pattern, part in optimizer.named)
        settings["groups"] = "; ".join(parts)
    texts = ", ".join(f"{name}={text}" for name, text in _without_absent(settings).items())
    return f"{type(optimizer).__name__}({texts})"


def _without_absent(texts: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if ABSENT.get(name) != text}


def schedule_text(schedule: Any, epochs: float) -> str:
    """Return a schedule as text, the same for any number of epochs of a training if it ends with the last one."""
    if isinstance(schedule, Warmup):
        return f"Warmup(epochs={schedule.epochs}, then={schedule_text(schedule.then, epochs - schedule.epochs)})"
    if isinstance(schedule, Cosine | Triangular) and schedule.epochs == epochs:
        own = [f"{field.name}={getattr(schedule, field.name)}" for field in fields(schedule) if field.name != "epochs"]
        return f"{type(schedule).__name__}({', '.join([*own, TO_THE_END])})"
    text = repr(schedule)
    if " at 0x" not in text:
        return text
    rates = [f"{float(schedule(t)):g}" for t in (0.0, 0.5, 1.0, 10.0)]  # a function has another address each time
    return f"{re.sub(' at 0x[0-9a-f]+', '', text)} with rates {', '.join(rates)} ..."


def _text(value: object) -> str:
    return str(getattr(value, "__name__", value))


def _digest(data: Dataset) -> str:
    """Return name, sizes, and a hash of all targets, all weights and some samples."""
    digest, sizes = hashlib.sha256(), []
    for part in data.parts.values():
        sizes.append(str(len(part)))
        for array in (part.y, part.x[::SAMPLE, ...], part.weights):
            if array is not None:
                digest.update(np.ascontiguousarray(to_numpy(array)).tobytes())
    if data.name == ARRAYS or not all(isinstance(label, str) for label in data.classes):
        # Not of other data, whose checkpoints from before labels could be of every kind lack it.
        digest.update(repr(data.classes).encode())
    return f"{data.name}, {' + '.join(sizes)} images, {digest.hexdigest()[:12]}"
