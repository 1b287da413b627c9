"""``python -m anynet bench``, from what is typed to what is written."""

import json

import pytest
from commands import refused, unframed
from PIL import Image
from tiny import FloorStub, Stub

from anynet.app import cli
from anynet.app.commands import bench as command
from benchmarks import bench
from benchmarks.floor import Machine
from benchmarks.measure import measure


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["W9"], 'there is no workload "W9"'),
        (["W1", "--peers", "torhc"], 'there is no peer "torhc"; did you mean "torch"'),
        (["--peers", "anynet-nunpy"], 'did you mean "anynet-numpy"'),
        (["W1", "--peers", "sklearn:cuda"], 'the peer "sklearn" takes no device'),
        (["--threads", "0"], "Must be >= 1"),
        (["--name", "precious"], "precious.json is there already"),
    ],
)
def test_bad_input_is_refused(tmp_path, capsys, words, message):
    (tmp_path / "precious.json").write_text("!")
    assert message in unframed(refused(capsys, "bench", "--out", str(tmp_path), *words))
    assert [path.name for path in tmp_path.iterdir()] == ["precious.json"]


def test_without_the_source_there_is_nothing_to_run(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "SOURCE", tmp_path)
    assert "the benchmarks come with anynet's source" in refused(capsys, "bench")


def test_without_time_nothing_is_measured_and_nothing_left(tmp_path, capsys):
    words = ["W1", "W3", "--growth", "--quick", "--peers", "plain-numpy", "--threads", "1", "--minutes", "1e-9"]
    message = unframed(refused(capsys, "bench", *words, "--out", str(tmp_path)))
    assert "nothing could be timed: for want of time: W1 at 64, W1 at 4096, W3 at 64, W3 at 4096, W1 at 512" in message
    assert list(tmp_path.iterdir()) == []


def test_what_was_measured_before_control_c_is_shown(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("benchmarks.measure.PAUSE", 0)

    def measure_all(workloads, peers, **settings):
        speed = Machine(1e9, 1e9)
        result = measure(workloads[0], {"torch": Stub()}, FloorStub(), speed, 3, print)
        yield bench.Measured(speed, {workloads[0]: result}, [])
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "measure_all", measure_all)
    with pytest.raises(SystemExit) as end:
        cli.main(["bench", "W1", "W2", "--quick", "--out", str(tmp_path), "--name", "it"])
    assert end.value.code == 130
    said = capsys.readouterr()
    assert "stopped by hand; what was measured by then is there" in said.err
    assert "quartiles" in said.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["it.json", "it.md", "it.png"]


def test_a_page_a_picture_and_all_numbers(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("benchmarks.measure.PAUSE", 0)
    names = ["plain-numpy", "anynet-cupy:99"]
    cli.main(["bench", "W1", "--peers", *names, "--quick", "--threads", "1", "--out", str(tmp_path), "--name", "it"])
    content = json.loads((tmp_path / "it.json").read_text())
    assert content["machine"].keys() >= {"cpu", "cores", "date", "versions", "peak", "bandwidth"}
    assert content["machine"]["versions"].keys() >= {"anynet", "numpy", "python"}
    assert content["settings"] == {"repeats": 3, "threads": 1, "quick": True}
    (result,) = content["results"]["Workloads"]
    assert result["workload"]["name"] == "W1"
    assert result["timings"].keys() == result["ratios"].keys() == {"plain-numpy"}
    assert list(result["left_out"]) == ["anynet-cupy:99"]
    assert result["floor"].keys() == {"peak", "shapes", "memory"}
    for timing in result["timings"].values():
        assert len(timing["seconds"]) == 3
        assert timing["loss"] == pytest.approx(result["loss"], rel=1e-4)

    said, page = capsys.readouterr().out, (tmp_path / "it.md").read_text()
    for text in (said, page):
        for words in ("W1: 3072-10, batches of 100, SGD, L2", "plain-numpy", "quartiles", "floor: peak"):
            assert words in text
    assert "anynet-cupy:99 (W1): cupy " in page
    assert "| plain-numpy" in page
    with Image.open(tmp_path / "it.png") as picture:
        assert min(picture.size) > 100
