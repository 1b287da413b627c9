"""``loading``, ``members`` and ``forty_epochs`` with few images."""

import json

import pytest

import anynet as an
from anynet.data import Loader
from anynet.data.cifar import formats
from benchmarks import checkpoints, common, forty_epochs, forty_epochs_child, loading, members


def content(path):
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["machine"].keys() >= {"cpu", "cores", "versions"}
    return found


@pytest.fixture(autouse=True)
def without_compiling(monkeypatch):
    """Backends as in a short run, without compiling elementwise chains."""
    for module in (loading, members, forty_epochs, checkpoints):
        monkeypatch.setattr(module, "backends", lambda names: {name: an.backend(name) for name in names})


def test_interleaved():
    done = []
    seconds = common.interleaved([lambda: done.append("a"), lambda: done.append("b")], 3)
    assert done == ["a", "b"] * 4
    assert [len(took) for took in seconds] == [3, 3]  # the first round is not timed


@pytest.mark.parametrize("benchmark", [loading, members, forty_epochs, checkpoints])
def test_existing_files_are_not_overwritten(benchmark, tmp_path):
    there = tmp_path / "existing.json"
    there.write_text("!")
    with pytest.raises(FileExistsError, match=r"existing\.json exists"):
        benchmark.main("numpy", out=there)
    with pytest.raises(FileNotFoundError, match="create the folder first"):
        benchmark.main("numpy", out=tmp_path / "none" / "new.json")
    assert there.read_text() == "!"


@pytest.mark.parametrize("benchmark", [loading, members, forty_epochs, checkpoints])
def test_errors_are_one_line(benchmark, capsys):
    with pytest.raises(SystemExit) as end:
        common.run(benchmark.main, ["numpy:3"])
    assert end.value.code == 2
    assert capsys.readouterr().err == 'numpy has one device, "cpu", not "3"; choose numpy without a device\n'


def test_loading(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(loading, "FEW_IMAGES", 32)
    monkeypatch.setattr(loading, "BATCH_SIZES", (8, 16))
    saved = []
    monkeypatch.setattr(loading, "save", lambda numbers, out: saved.append((len(numbers["seconds"]), out)))
    loading.main("numpy", quick=True, out=tmp_path / "it.json")
    found = content(tmp_path / "it.json")["seconds"]
    nets = [net for net in loading.TRAINED if net != loading.WIDE]
    measured = [(one["net"], one["batch size"]) for one in found]
    assert saved == [(n, tmp_path / "it.json") for n in range(1, len(measured) + 1)]
    assert measured == [(name, size) for name in ("batches only", *nets) for size in ("8", "16")]
    assert all(len(one["resident"]) == len(one["streamed"]) == 2 for one in found)
    assert "streamed" in capsys.readouterr().err


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("resident", [True, False])
def test_each_epoch_has_a_new_order(backend_here, resident, train, monkeypatch):
    seen = []
    shuffled = Loader.shuffled
    monkeypatch.setattr(Loader, "shuffled", lambda *args, **options: seen.append(args[3]) or shuffled(*args, **options))
    ready = loading.prepare(None, members.random_images(16, 1), backend_here, 8, resident=resident)
    assert (ready.inputs.train.x is not None) == resident
    run_epoch = loading.epoch(ready, train=train)
    run_epoch()
    run_epoch()
    assert seen == [0, 1]


def test_members(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(members, "MEMBERS", 2)
    monkeypatch.setattr(members, "REPEATS", 1)
    monkeypatch.setattr(members, "NETS", {"one layer": (an.Sequential(an.Linear(3072, 10)), an.SGD(), 100, 200)})
    members.main("numpy", epochs=2, out=tmp_path / "it.json")
    found = content(tmp_path / "it.json")
    assert (found["members"], found["epochs"]) == (2, 2)
    (one,) = found["seconds"]
    assert (one["backend"], one["net"]) == ("numpy", "one layer")
    assert [len(one[way]) for way in members.VARIANTS] == [1, 1, 1]
    assert "Ten nets" in capsys.readouterr().err


def test_stages_of_the_child_process_add_up(tmp_path, monkeypatch, capsys):
    for module in (formats, forty_epochs):
        monkeypatch.setattr(module, "BINARY_COUNT", 200)
    monkeypatch.setattr(forty_epochs_child, "EPOCHS", 3)
    forty_epochs.write_images(tmp_path)
    forty_epochs_child.main("numpy", str(tmp_path))
    timings = json.loads(capsys.readouterr().out)
    parts = timings["seconds"]
    assert sum(parts.values()) == pytest.approx(2 * parts["total"])
    assert timings["device reads per epoch"] == 1


def test_checkpoints(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "TRAIN", 200)
    monkeypatch.setattr(checkpoints, "REPEATS", 2)
    monkeypatch.setattr(checkpoints, "NETS", {"3072-10": checkpoints.net()})
    checkpoints.main("numpy", epochs=2, out=tmp_path / "it.json")
    (found,) = content(tmp_path / "it.json")["trainings"]
    assert [len(found[name]) for name in ("without", "with", "waited")] == [2, 2, 2]
    assert all(0 < waited < took for waited, took in zip(found["waited"], found["with"], strict=True))
