"""Tables of the layers of nets."""

import pytest

from anynet.nn import nets
from anynet.nn.layer_text import short


@pytest.mark.parametrize("name", ["lenet", "resnet9", "resnet18", "airbench94"])
def test_tables_fit_and_have_every_setting(name):
    net = getattr(nets, name)((3, 32, 32), 10)
    header, *rows, _ = net.summary().splitlines()
    assert max(map(len, [header, *rows])) <= 80
    first, texts = header.index("output"), {}
    for row in rows:
        if not row.startswith(" "):
            number, _, text = row[:first].partition(" ")
        texts[number] = texts.get(number, "") + (row[:first] if row.startswith(" ") else text).replace(" ", "")
    layers = net.named_layers()
    assert {number: texts[number] for number in layers} == {n: short(layers[n]).replace(" ", "") for n in layers}
