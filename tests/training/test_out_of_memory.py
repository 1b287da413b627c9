"""Memory that runs out, on any library: one error with the sizes, and ways that fit."""

import re

import numpy as np
import pytest
from commands import refused, small
from exhaustion import TOO_MUCH, exhaust

import anynet as an
from anynet.backends import DeviceMemory, backend
from anynet.backends.numpy import Numpy
from anynet.data import Dataset, sample_pass, split
from anynet.data.synthetic import draw
from anynet.training import OutOfMemoryError
from anynet.training.capacity import member_bytes

NET, OPTIMIZER = an.Sequential(an.Linear(3072, 50), an.ReLU(), an.Linear(50, 10)), an.SGD(0.02, momentum=0.9)
SETTINGS = {"epochs": 1, "batch_size": 64}
EACH = member_bytes(NET, OPTIMIZER, 64, "float32")


@pytest.fixture(scope="module")
def data() -> Dataset:
    return split("drawn", draw(0, per_batch=60), train=240, val=60)


def with_loop(here, loop, free=None):
    """A backend whose steps are run by this; free: what it says that its device has, None where it does not tell."""
    memory = None if free is None else DeviceMemory(free, 10 * free)
    kind = type("Small", (type(here),), {"loop": lambda self, step, compile: loop, "memory": lambda self: memory})
    return kind(here.name, here.device)


def refusal(data, here, **settings):
    with pytest.raises(OutOfMemoryError) as caught:
        an.fit(NET, data, OPTIMIZER, backend=here, **SETTINGS | settings)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said, caught.value.__cause__


def test_training_says_sizes_and_keeps_the_cause(data, backend_here):
    def loop(*args, **kwargs):
        exhaust(backend_here)

    said, cause = refusal(data, with_loop(backend_here, loop, free=100 * EACH))
    assert backend_here.out_of_memory(cause)
    assert "in batches of 64 takes about 0.0" in said
    where = f"{backend_here.name} on {backend_here.device_name}"
    assert f"{where} had {100 * EACH / 1e9:.3g} GB free of {1000 * EACH / 1e9:.3g} GB; what may fit: " in said
    streaming = not backend_here.shares_memory
    assert ("streamed samples (--memory-budget 0)" in said) == ("the samples 0.00" in said) == streaming


def test_other_errors_stay_what_they_are(data, backend_here):
    def loop(*args, **kwargs):
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        an.fit(NET, data, OPTIMIZER, backend=with_loop(backend_here, loop), **SETTINGS)


@pytest.mark.parametrize(("free", "most"), [(None, EACH // 2), (100 * EACH, EACH // 2), (1.5 * EACH, 0.75 * EACH // 1)])
@pytest.mark.parametrize("batch_size", [64, 200])
def test_the_batch_that_is_named_is_the_largest_of_half_the_size(data, free, most, batch_size):
    def loop(*args, **kwargs):
        raise MemoryError

    net = an.Sequential(an.Linear(3072, 50), *(an.Linear(50, 50) for _ in range(40)), an.Linear(50, 10))
    own = member_bytes(net, OPTIMIZER, batch_size, "float32")
    here = with_loop(backend("numpy"), loop, None if free is None else round(free / EACH * own))
    with pytest.raises(OutOfMemoryError) as caught:
        an.fit(net, data, OPTIMIZER, backend=here, **SETTINGS | {"batch_size": batch_size})
    found = re.search(r"batches of (\d+) \(--batch-size\)", str(caught.value))
    most = most / EACH * own
    sizes = [n for n in range(1, batch_size) if member_bytes(net, OPTIMIZER, n, "float32") <= most]
    assert (None if found is None else int(found[1])) == max(sizes, default=None)


def test_stacks_are_told_how_many_at_a_time(data, monkeypatch):
    monkeypatch.setattr(Numpy, "workers", 1)

    def loop(carry, *args, **kwargs):
        if carry[0].shape[0] > 2:
            raise MemoryError
        return carry

    here = with_loop(backend("numpy"), loop)
    said, _ = refusal(data, here, seeds=range(5))
    assert "training 5 nets as one stack, each Sequential(" in said
    assert f"takes about {5 * EACH / 1e9:.3g} GB" in said
    assert "2 of them at a time (--stack-size, --seeds)" in said
    assert len(an.fit(NET, data, OPTIMIZER, backend=here, seeds=range(2), **SETTINGS)) == 2


def test_each_core_reports_too(data, monkeypatch):
    monkeypatch.setattr(Numpy, "workers", 2)

    def loop(*args, **kwargs):
        raise MemoryError("Unable to allocate 9 TiB")

    said, cause = refusal(data, with_loop(backend("numpy"), loop), seeds=range(4))
    assert "training 4 nets as one stack" in said
    assert str(cause) == "Unable to allocate 9 TiB"


def test_images_that_do_not_fit_the_device(backend_here, monkeypatch):
    """On a device that takes no more than 600 images at once, and does not tell its memory; blocks have 300 at most."""
    monkeypatch.setattr(sample_pass, "BLOCK_BYTES", 300 * 3072)
    data = split("drawn", draw(0, per_batch=240), train=1100, val=100)
    here, kind = backend_here, type(backend_here)

    def asarray(self, host):
        return exhaust(self) if host.nbytes > 600 * 3072 else kind.asarray(self, host)

    def memory(self):
        return None

    small = type("Small", (kind,), {"asarray": asarray, "memory": memory})(here.name, here.device)
    said, cause = refusal(data, small)
    assert here.out_of_memory(cause)
    assert said == (
        "out of memory: moving samples to the device, where all of drawn take 0.00442 GB, and "
        f"{here.name} on {here.device_name} does not tell how much was free; a smaller --memory-budget, in GB, streams "
        "those that do not fit it, and 0 streams all"
    )
    run = an.fit(NET, data, OPTIMIZER, backend=small, memory_budget=0, **SETTINGS)
    np.testing.assert_allclose(
        run.history[0][:6], an.fit(NET, data, OPTIMIZER, backend=here, **SETTINGS).history[0][:6]
    )


def test_a_training_within_a_training_speaks_for_itself(data):
    def refuse(row):
        raise OutOfMemoryError("of another")

    with pytest.raises(OutOfMemoryError, match=r"^of another$"):
        an.fit(NET, data, OPTIMIZER, on_epoch=refuse, **SETTINGS)


@pytest.mark.usefixtures("few_pictures")
@pytest.mark.parametrize("more", [[], ["--seeds", "3"]])
def test_a_command_ends_in_one_line_and_keeps_no_empty_run(tmp_path, capsys, monkeypatch, more):
    def loop(self, step, compile):
        def run(*args, **kwargs):
            np.empty(TOO_MUCH)

        return run

    monkeypatch.setattr(Numpy, "loop", loop)
    said = refused(capsys, *small(*more)).splitlines()[-1]
    assert said.startswith("anynet: out of memory: training ")
    assert said.endswith("a smaller net, another device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("dtype", "size"), [("float32", "8e-05"), ("float64", "0.00016")])
def test_the_size_of_features_is_that_on_the_device(dtype, size):
    kind = type(backend("numpy"))
    full = type("Full", (kind,), {"asarray": lambda self, host: exhaust(self), "memory": lambda self: None})
    x, labels = np.zeros((2000, 10), np.float32), np.arange(2000) % 2
    with pytest.raises(OutOfMemoryError, match=f"all of arrays take {size} GB"):
        an.fit(an.Sequential(an.Linear(2)), (x, labels), OPTIMIZER, backend=full("numpy", "cpu"), dtype=dtype)
