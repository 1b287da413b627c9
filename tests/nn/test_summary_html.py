"""Nets, layers, optimizers and backends in notebooks."""

import numpy as np
import pytest
from notebooks import shown, table, title

import anynet as an
from anynet.nn.nets import airbench94, resnet9, resnet18


def test_a_net_has_the_rows_of_its_summary():
    net = an.Sequential(an.Linear(3), an.Residual(an.Linear(3), an.ReLU()), an.Linear(2), input_shape=4)
    tree = shown(net)
    assert title(tree) == "Sequential: 3 layers, 35 parameters, 27 multiply-adds for a sample"
    printed = [line.split() for line in net.summary().splitlines()]
    assert [" ".join(row).split() for row in table(tree)] == printed


def test_a_large_net_shows_its_layers_and_theirs_to_be_opened():
    net = resnet18((3, 32, 32), 10)
    tree = shown(net)
    outer, inner = (table(tree, number) for number in (0, 1))
    assert len(outer) == 1 + len(net) + 1
    assert len(inner) == sum(line[0] != " " for line in net.summary().splitlines())  # long layers have several lines
    totals = [sum(int(row[i].replace(",", "")) for row in outer[1:-1]) for i in (3, 4)]
    assert totals == [net.n_parameters, net.multiply_adds()]
    assert outer[-1] == inner[-1] == ["total", "", "", *(f"{total:,}" for total in totals)]
    assert shown(resnet9((3, 32, 32), 10)).find("details") is not None
    assert shown(airbench94((3, 32, 32), 10)).find("details") is None  # all its layers are in one row each


class Own(an.Layer):
    def __repr__(self):
        return "Own<>"


class Plain(an.Layer):
    pass


@pytest.mark.parametrize(
    "value",
    [
        an.Conv2d(16, kernel=3),
        an.Muon(),
        an.Groups(groups={"*.gamma": None, "*.W": an.Muon(), "*": an.Adam(an.schedules.Cosine(0.1, 20))}),
        an.SGD(an.schedules.Warmup(3, an.schedules.Cosine(0.1, 20)), momentum=0.9, nesterov=True),
        an.backend("numpy"),
        Own(),
        Plain(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_settings_are_a_table(value):
    tree = shown(value)
    assert "\n" not in str(value)
    if not isinstance(value, an.Backend):
        assert " ".join(repr(value).split()) == str(value)
        assert title(tree) in (type(value).__name__, repr(value))
        for name, text in table(tree)[1:] if tree.find("table") is not None else ():
            assert f"{name}={text}" in str(value) or name == "groups"


def test_a_subclass_with_a_repr_keeps_it():
    assert (repr(Own()), str(Own()), repr(Plain())) == ("Own<>", "Own<>", "Plain()")
    assert str(an.Sequential(an.Linear(2, 2), Own())) == "Sequential(Linear(2, 2), Own<>)"


def test_backends_name_their_version():
    assert dict(table(shown(an.backend("numpy"))))["version"] == np.__version__
