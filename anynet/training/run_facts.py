"""The metadata in the file of a trained net."""

import json
import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from anynet.core.checks import describe
from anynet.core.epoch import Epoch, columns_of
from anynet.core.errors import FileError
from anynet.core.tensor_file import ArrayType
from anynet.data.dataset import IMAGE_SHAPE, Label
from anynet.nn import Sequential
from anynet.nn.net_json import layer_texts, net_from_json, own_parts, to_json
from anynet.training.errors import DivergedError, is_report
from anynet.training.evaluate import Metrics
from anynet.training.given import INPUT_DTYPES
from anynet.training.run_tensors import ADVICE, SNAPSHOTS, shapes

NAMES: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}
"""Types of JSON in error messages."""


class Facts:
    """The metadata of a trained net's file, each value of the type that it should have.

    Parameters
    ----------
    path : Path
        The file, for error messages.
    metadata : mapping of str
        Texts by key.

    Methods raise FileError for JSON that is damaged and for values that are missing or of another type.
    """

    def __init__(self, path: Path, metadata: Mapping[str, str]) -> None:
        self._path, self._metadata = path, metadata

    @cached_property
    def _run(self) -> dict[str, Any]:
        run: dict[str, Any] = self._of("run", self._parse("run"), dict)
        return run

    def _parse(self, key: str) -> Any:
        try:
            return json.loads(self._metadata[key])
        except KeyError:
            raise self.error(key, "JSON", "nothing") from None
        except (RecursionError, ValueError) as error:
            raise self.error(key, "JSON", f"damaged JSON ({error})") from None

    def error(self, key: str, expected: str, got: str) -> FileError:
        """Return an error about a key."""
        return FileError(self._path, f"metadata {key}", expected, got, ADVICE)

    def value(self, key: str, kind: type, absent: Any = None) -> Any:
        """Return a value of "run"; `absent`, unless it is None, if it is missing."""
        if key not in self._run and absent is not None:
            return absent
        if key not in self._run:
            raise self.error(key, NAMES[kind], "nothing")
        return self._of(key, self._run[key], kind)

    def _of(self, key: str, value: Any, kind: type) -> Any:
        right = isinstance(value, int | float if kind is float else kind)
        if not right or (isinstance(value, bool) and kind is not bool):
            raise self.error(key, NAMES[kind], describe(value))
        return value

    def metrics(self, key: str) -> Metrics | None:
        """Return the results on the test samples, None if there were none."""
        if key in self._run and self._run[key] is None:
            return None
        values = self.value(key, list)
        if len(values) != len(Metrics._fields):
            raise self.error(key, f"{len(Metrics._fields)} numbers", f"{len(values)}")
        cost, loss, accuracy = (None if value is None else self._of(key, value, float) for value in values)
        if cost is None or loss is None:
            raise self.error(key, "a cost and a loss", "null")
        return Metrics(cost, loss, accuracy)

    def columns(self) -> tuple[str, ...]:
        """Return the columns of the history."""
        columns = self.value("columns", list) if "columns" in self._run else list(Epoch._fields)
        if not all(isinstance(name, str) for name in columns) or tuple(columns) != columns_of(columns):
            raise self.error("columns", f"some of {', '.join(Epoch._fields)}", f"{columns!r:.50}")
        return tuple(columns)

    def epochs(self) -> dict[str, int]:
        """Return the epochs of the snapshots; the last is the number of rows of the history."""
        there = self.value("epochs", dict)
        epochs = {which: self._of(f"epochs, {which}", there.get(which), int) for which in SNAPSHOTS}
        if not 0 <= epochs["best"] <= epochs["last"]:
            raise self.error("epochs, best", f"0 to {epochs['last']}, the last one", f"{epochs['best']}")
        return epochs

    def classes(self, n: int | None) -> tuple[Label, ...]:
        """Return the labels of the classes, `n` of them unless it is None; none if targets were numbers."""
        classes = self._of("classes", self._parse("classes"), list)
        if not classes and not any(name.endswith("_accuracy") for name in self.columns()):
            return ()
        if not all(isinstance(name, str | int) for name in classes) or n not in (None, len(classes)):
            raise self.error("classes", f"{'' if n is None else f'{n} '}names", describe(classes))
        for name in classes:
            if isinstance(name, str) and not name.isprintable():
                raise self.error("classes", "names of printable characters", f"{name!r}")
        return tuple(classes)

    def shape(self, values: int) -> tuple[int, ...]:
        """Return the shape of a sample of so many values."""
        if "shape" not in self._run and values == math.prod(IMAGE_SHAPE):
            return IMAGE_SHAPE  # a file from before other images could be trained
        shape = self.value("shape", list)
        if not shape or not all(type(n) is int and n > 0 for n in shape) or math.prod(shape) != values:
            raise self.error("shape", f"the axes of {values} values", f"{shape!r:.50}")
        return tuple(shape)

    def input_dtype(self) -> str:
        """Return the kind of samples that the net was trained on, which earlier files do not have."""
        kind = self._run.get("input_dtype", INPUT_DTYPES[0])
        if kind not in INPUT_DTYPES:
            raise self.error("input_dtype", " or ".join(INPUT_DTYPES), describe(kind))
        return str(kind)

    def dataset(self) -> str:
        """Return the name of the training data set."""
        name = self._metadata.get("dataset")
        if name is None or not name.isprintable():
            raise self.error("dataset", "a printable text", describe(name))
        return name

    def diverged(self) -> DivergedError | None:
        """Return why the net stopped, if its cost was no longer finite."""
        if self._run.get("diverged") is None:
            return None
        values, kinds = self.value("diverged", dict), {"epoch": int, "step": int, "steps": int, "lr": float}
        numbers = {name: self._of(f"diverged, {name}", values.get(name), kinds[name]) for name in kinds}
        report = values.get("report")
        if not is_report(report):
            raise self.error("diverged, report", "a report of a DivergedError", describe(report))
        return DivergedError(**numbers, report=report)

    def net(self) -> Sequential:
        """Return the net, made of anynet's layers."""
        description = self.value("net", dict)
        own = next(own_parts(description), None)
        if own is not None:
            advice = f'give the net: anynet.load("{self._path}", net=...)'
            raise FileError(self._path, f"layer {own[0]}", "a class of anynet", own[1], advice)
        try:
            return net_from_json(description)
        except ValueError as error:
            raise self.error("net", "layers of anynet", f"others ({error})") from None

    def check_given(self, net: Sequential, types: Mapping[str, ArrayType]) -> None:
        """Raise ValueError unless a net has the tensors of the file, and its layers, as far as they are anynet's."""
        there = {name.removeprefix("best."): a.shape for name, a in types.items() if name.startswith("best.")}
        self._compare(
            {f'"{name}"': f"of shape {shape}" for name, shape in there.items()},
            {f'"{name}"': f"of shape {shape}" for name, shape in shapes(net).items()},
        )
        saved, given = (dict(layer_texts(each)) for each in (self.value("net", dict), to_json(net)))
        own = {name for layers in (saved, given) for name, text in layers.items() if text is None}
        self._compare(
            *({f"layer {name}": text for name, text in layers.items() if text and name not in own}
              for layers in (saved, given))
        )  # fmt: skip

    def _compare(self, there: Mapping[str, str], here: Mapping[str, str]) -> None:
        for name in [*there, *here]:
            a, b = (texts.get(name, "missing") for texts in (there, here))
            if a != b:
                raise ValueError(
                    f"net: expected the net saved in {self._path}: {name} is {a} there and {b} in the net given"
                )
