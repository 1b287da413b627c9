"""``python -m benchmarks``, from arguments to output files."""

import json

import pytest
from commands import unframed
from PIL import Image
from tiny_workloads import FloorStub, InProcess, Stub

from benchmarks import common, hardware, throughput
from benchmarks.__main__ import main
from benchmarks.floor import Machine
from benchmarks.measure import measure


@pytest.fixture
def in_process(monkeypatch):
    """Peers run in this process, and the machine is measured with small arrays."""
    monkeypatch.setattr("benchmarks.measure.PAUSE", 0)
    monkeypatch.setattr(throughput, "Worker", InProcess)
    monkeypatch.setattr(hardware, "SIDE", {"cpu": 64})
    monkeypatch.setattr(hardware, "COPY_BYTES", {"cpu": 1000})
    monkeypatch.setattr(hardware, "MIN_SECONDS", {"cpu": 0.0})


def exit_code(*words):
    with pytest.raises(SystemExit) as end:
        common.run(main, [str(word) for word in words])
    return end.value.code


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["W99"], 'unknown workload "W99"'),
        (["W1", "--peers", "torhc"], 'unknown peer "torhc"; did you mean "torch"'),
        (["--peers", "anynet-nunpy"], 'did you mean "anynet-numpy"'),
        (["W1", "--peers", "sklearn:cuda"], "sklearn takes no device"),
        (["--name", "existing"], "existing.json exists; choose another --name"),
    ],
)
def test_invalid_arguments_are_refused(tmp_path, capsys, words, message):
    (tmp_path / "existing.json").write_text("!")
    assert exit_code(*words, "--out", tmp_path) == 2
    assert message in unframed(capsys.readouterr().err)
    assert [path.name for path in tmp_path.iterdir()] == ["existing.json"]


def test_values_out_of_range_are_refused(capsys):
    assert exit_code("--threads", "0") != 0
    output = capsys.readouterr()
    assert "Must be >= 1" in unframed(output.out + output.err)


def test_no_files_without_time(tmp_path, capsys, in_process):
    words = ["W1", "W3", "--growth", "--quick", "--peers", "plain-numpy", "--threads", "1", "--minutes", "1e-9"]
    assert exit_code(*words, "--out", tmp_path) == 2
    expected = (
        "nothing could be timed: not measured because of the time limit: "
        "W1 at 64, W1 at 4096, W3 at 64, W3 at 4096, W1 at 512"
    )
    assert expected in unframed(capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def test_control_c_keeps_the_results_so_far(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("benchmarks.measure.PAUSE", 0)

    def measure_all(workloads, peers, **settings):
        speed = Machine(1e9, 1e9)
        result = measure(workloads[0], {"torch": Stub()}, FloorStub(), speed, 3, print)
        yield throughput.Progress(speed, {workloads[0]: result}, [])
        raise KeyboardInterrupt

    monkeypatch.setattr(throughput, "measure_all", measure_all)
    assert exit_code("W1", "W2", "--quick", "--out", tmp_path, "--name", "it") == 130
    output = capsys.readouterr()
    assert "interrupted; the results so far are written" in output.err
    assert "quartiles" in output.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["it.json", "it.md", "it.png"]


def check_output(tmp_path, capsys):
    """Run W1 with NumPy and a peer that is not there; check the page, the figure, the JSON and the printed tables."""
    words = ["W1", "--peers", "plain-numpy", "anynet-cupy:99", "--quick", "--threads", "1"]
    common.run(main, [*words, "--out", str(tmp_path), "--name", "it"])
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

    output, page = capsys.readouterr().out, (tmp_path / "it.md").read_text()
    for text in (output, page):
        for expected in ("W1: 3072-10, batches of 100, SGD, L2", "plain-numpy", "quartiles", "floor: peak"):
            assert expected in text
    assert "anynet-cupy:99 (W1): cupy " in page
    assert "| plain-numpy" in page
    with Image.open(tmp_path / "it.png") as picture:
        assert min(picture.size) > 100


def test_output_files(tmp_path, capsys, in_process):
    check_output(tmp_path, capsys)


@pytest.mark.slow
def test_output_files_with_processes(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("benchmarks.measure.PAUSE", 0)
    check_output(tmp_path, capsys)
