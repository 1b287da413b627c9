"""Lines of checks while they compare gradients."""

import itertools

import pytest

from anynet import Linear
from anynet.core import meter
from anynet.gradcheck import METHODS, check, of_layer, sweep


@pytest.mark.parametrize("progress", [True, False])
def test_arrays_are_named_where_it_is_asked_for(monkeypatch, capsys, progress):
    monkeypatch.setattr(meter, "monotonic", itertools.count().__next__)
    subject = of_layer(Linear(3, 2))
    check(subject, probes=1, progress=progress)
    sweep(subject, [1e-4], probes=1, progress=progress)
    names, said = list(subject.point), capsys.readouterr().err.splitlines()
    expected = [f"array {name}, {i} of {len(names)}: 1 of 1 probes" for i, name in enumerate(names, start=1)]
    expected += [f"error over the step: {method} differences, array {name}" for method in METHODS for name in names]
    assert said == (expected if progress else [])
