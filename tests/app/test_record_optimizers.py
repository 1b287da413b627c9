"""Optimizers of record trainings, against the rates of their sources."""

import numpy as np
import pytest

import anynet as an
from anynet.app.config_file import make_config
from anynet.app.experiment import prepare
from anynet.app.record_optimizers import airbench94
from anynet.app.reports import preset
from anynet.data.synthetic import draw
from anynet.nn import nets
from anynet.nn.perceptron import perceptron


def test_airbench94_has_the_rates_and_decays_of_its_source():
    """Losses are sums over 2,000 images there, of means here; its rates fall in lines to 0, after 3 and 8 epochs."""
    groups = airbench94(an.schedules.Triangular(0.24, 8, peak=0, start=1, end=0))
    wd, (first, shifts, head, muon) = 2e-6 * 2000, groups.parts
    for t in (0, 0.04, 1, 2.5, 2.96, 3, 5, 7.96):
        rates = [groups.schedule(t) * part.schedule(t) for part in groups.parts]
        fall, sooner = 1 - t / 8, max(0, 1 - t / 3)
        np.testing.assert_allclose(rates, [106 * sooner, 106 * fall, 1340 * fall, 0.24 * fall], rtol=1e-12)
    for part, rate in ((first, 0.053), (shifts, 0.053), (head, 0.67)):
        assert (part.momentum, part.nesterov, part.decoupled) == (0.85, True, False)
        assert part.weight_decay == pytest.approx(wd / rate / 2000, rel=1e-12)
    assert muon == an.Muon(1.0, momentum=0.6, steps=3, keep_norm=True, matrices="all")


@pytest.mark.parametrize(
    "schedule",
    [
        an.schedules.Warmup(1, an.schedules.Cosine(0.12, 8)),
        an.schedules.OneCycle(0.12, 8),
        an.schedules.Triangular(0.12, 8, start=0),
        an.schedules.Warmup(1, lambda t: 0.12),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_biases_are_trained_in_proportion_to_the_base_rate(schedule):
    """A warm-up begins at 0: there is nothing to be in proportion to at the start."""
    first = airbench94(schedule).parts[0].schedule
    rates = [schedule(t) * first(t) for t in (1e-9, 0.5, 1, 2.5, 3)]
    np.testing.assert_allclose(rates, [53, 53 * 5 / 6, 53 * 2 / 3, 53 / 6, 0], rtol=1e-6)


def test_airbench94_trains_what_its_source_does():
    net = nets.airbench94((3, 32, 32), 10)
    groups = airbench94(an.schedules.Constant(0.24))
    groups.check(net.layout)
    start, _ = net.init(0)
    rates = np.asarray([1.0, *(0.01 for _ in groups.parts)], np.float32)
    state = groups.init(start, layout=net.layout)
    after, _ = groups.update(start, np.ones_like(start), state, rates, layout=net.layout)
    before, after = net.layout.split(start), net.layout.split(after)
    still = [name for name in before if np.array_equal(before[name], after[name])]
    assert still == [*(f"{i}.gamma" for i in (4, 7, 11, 14, 18, 21)), "25.b", "26.s"]
    assert np.std(before["25.W"]) == pytest.approx(1, abs=0.02)


NETS = {
    **{name: getattr(nets, name)((3, 32, 32), 10) for name in ("lenet", "resnet9", "resnet18", "airbench94")},
    "mlp-record": perceptron(3072, [2048] * 3, 10, norm="batch", dropout=0.2),
}


@pytest.mark.parametrize("name", NETS)
def test_presets_of_nets_can_be_trained(name):
    settings, file = preset(name)
    config = make_config(settings | {"batch_size": 20, "backend": "numpy", "val": "0"}, file)
    experiment = prepare(config, ("synthetic", draw(0, per_batch=20)))
    assert experiment.net == NETS[name]
    assert experiment.settings.epochs == settings["epochs"]
