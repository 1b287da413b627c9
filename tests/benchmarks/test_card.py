"""``python -m benchmarks.card``: choice of parts, their outcomes, and targets."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.card import command
from benchmarks.card.expectations import evaluate
from benchmarks.card.outcome_log import summary
from benchmarks.card.parts import CHECK, Part, parts
from benchmarks.card.running import Outcome, run


def part(*arguments, module="json.tool", **settings):
    return Part(name="it", module=module, arguments=arguments, **settings)


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.json"
    path.write_text("[1]")
    return str(path)


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "bad.json"
    path.write_text("[1")
    return str(path)


@pytest.mark.parametrize(
    ("stages", "names"),
    [
        (["check"], ["connect", "gradients", "tests"]),
        (["measure"], ["nets", "joining", "forty_epochs", "members", "loading", "precision", "batches", "growth"]),
        (["growth", "tests", "connect"], ["connect", "tests", "growth"]),
        (["joining", "nets", "gradients", "connect"], ["connect", "gradients", "nets", "joining"]),
    ],
)
def test_stages_and_parts_by_name(tmp_path, stages, names):
    known = parts("cupy", tmp_path, quick=False)
    assert [part.name for part in command.choose(stages, known)] == names
    assert command.choose(["all"], known) == known
    assert [part.name for part in known][:5] == ["connect", "gradients", "nets", "joining", "tests"]
    elsewhere = parts("numpy", tmp_path, quick=False)
    assert {part.name for part in known} - {part.name for part in elsewhere} == {"joining"}


def test_unknown_stage_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"expected some of check, measure, all, connect, gradients.*, got messure"):
        command.choose(["measure", "messure"], parts("cupy", tmp_path, quick=False))


def test_peers_of_a_gpu(tmp_path):
    nets = next(part for part in parts("cupy", tmp_path, quick=False) if part.name == "nets").arguments
    assert {"torch:cuda", "torch-compile:cuda", "jax-scan:cuda", "anynet-cupy", "anynet-cupy+eager"} <= set(nets)
    nets = next(part for part in parts("numpy", tmp_path, quick=True) if part.name == "nets").arguments
    assert {"torch", "torch-compile", "jax-scan", "anynet-numpy", "anynet-numpy+eager"} <= set(nets)


def test_outcome_of_a_part(tmp_path, good, bad, capsys):
    ended = run(part(good), tmp_path, quick=False)
    assert ended[:2] == ("succeeded", True)
    assert json.loads((tmp_path / "it.txt").read_text()) == [1]
    ended = run(part(bad), tmp_path, quick=False)
    assert not ended.success
    assert ended.message.startswith("failed with exit code 1: Expecting ")
    assert "Expecting" in capsys.readouterr().out


def test_time_limit_of_a_part(tmp_path):
    waits = part("-s", "import time", "time.sleep(1000)", module="timeit", output=tmp_path / "it.json")
    assert run(waits, tmp_path, quick=False, seconds=0.1)[:2] == ("stopped at the time limit", False)
    ended = run(waits, tmp_path, quick=False, seconds=0)
    assert ended[:2] == ("left out: no time left", False)
    waits.output.write_text("{}")
    ended = run(waits, tmp_path, quick=False, seconds=0.1)
    assert ended.message == f"stopped at the time limit; {waits.output} has what was measured"


def test_parts_share_the_time_that_is_left(tmp_path, monkeypatch):
    given, known = {}, [part for part in parts("cupy", tmp_path, quick=False) if part.stage != "measure"]

    def take_a_third(part, folder, *, quick, seconds):
        given[part.name] = seconds
        clock[0] += seconds / 3
        return Outcome("succeeded", True, seconds / 3)

    clock = [0.0]
    monkeypatch.setattr(command.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(command, "run", take_a_third)
    monkeypatch.setattr(command, "parts", lambda device, folder, quick: known)
    command.main(minutes=4, out=tmp_path)
    assert given == pytest.approx({"connect": 48, "gradients": 56, "tests": 240 - 16 - 56 / 3})  # shares 2, 2, 6


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import no_such_module", "failed: no_such_module is not installed"),
        ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL"),
        ("raise ValueError('no such net\\n')", "failed with exit code 1: ValueError: no such net"),
        ("print('│ sum │\\n└─────┘'); raise SystemExit(3)", "failed with exit code 3"),
    ],
)
def test_end_of_a_part(tmp_path, monkeypatch, code, message):
    (tmp_path / "does_it.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}")
    monkeypatch.syspath_prepend(tmp_path)
    assert run(part(module="does_it"), tmp_path, quick=False)[:2] == (message, False)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's end")
def test_a_part_ends_when_the_command_is_killed(tmp_path):
    code = (
        "from pathlib import Path; from benchmarks.card.parts import Part; from benchmarks.card.running import run\n"
        "waits = '-s', 'import os, time; print(os.getpid())', 'time.sleep(1000)'\n"
        f"run(Part(name='it', module='timeit', arguments=waits), Path({str(tmp_path)!r}), quick=False)"
    )
    log, until = tmp_path / "it.txt", time.monotonic() + 60
    with subprocess.Popen([sys.executable, "-c", code]) as killed:
        while not (log.exists() and log.read_text().endswith("\n")) and time.monotonic() < until:
            time.sleep(0.02)
        killed.kill()
    child = int(log.read_text())
    try:
        while running(child) and time.monotonic() < until:
            time.sleep(0.02)
        assert not running(child)
    finally:
        if running(child):
            os.kill(child, signal.SIGKILL)


def running(process):
    """Return False for a process that has ended, also if nobody has asked for its exit code."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_missing_or_slow_part_is_left_out(tmp_path):
    for ended in (
        run(part(module="benchmarks.missing"), tmp_path, quick=False),
        run(part(quick=None), tmp_path, quick=True),
    ):
        assert ended.message.startswith("left out")
        assert ended.success


@pytest.mark.parametrize(
    ("body", "message", "success"),
    [
        ("assert True", "1 passed, 0 failed, 0 skipped", True),
        pytest.param("assert False", "0 passed, 1 failed, 0 skipped", False, marks=pytest.mark.slow),
        ("__import__('pytest').skip()", "0 passed, 0 failed, 1 skipped", False),
        pytest.param(
            "1 +", "failed with exit code 2: .*; 0 passed, 1 failed, 0 skipped so far", False, marks=pytest.mark.slow
        ),
        (
            "__import__('os').abort()",
            "killed by SIGABRT; 1 passed, 0 failed, 0 skipped so far, in test_it.py::test_it",
            False,
        ),
        pytest.param(
            "__import__('time').sleep(1000)",
            "stopped at the time limit; 1 passed, 0 failed, 0 skipped so far, in test_it.py::test_it",
            False,
            marks=pytest.mark.slow,
        ),
    ],
)
def test_outcome_of_tests(tmp_path, body, message, success):
    """If a test ends the process, one has passed before."""
    first, file = tmp_path / "test_first.py", tmp_path / "test_it.py"
    first.write_text("def test_first():\n    pass\n")
    file.write_text(f"def test_it():\n    {body}\n")
    tests = log_part(tmp_path, *([first] if "so far, in" in message else []), file)
    ended = run(tests, tmp_path, quick=False, seconds=10 if "sleep" in body else None)
    assert re.fullmatch(message, ended.message)
    assert ended.success == success


def log_part(folder, *files):
    (settings := folder / "pytest.ini").write_text("[pytest]\n")
    options = "-p", "no:cacheprovider", "--rootdir", str(folder), "-c", str(settings)
    log = folder / "tests.jsonl"
    plugin = "-p", "benchmarks.card.outcome_log", "--outcome-log", str(log)
    return part(*map(str, files), *options, *plugin, module="pytest", tests=log, stage=CHECK)


@pytest.mark.slow
def test_log_of_several_processes(tmp_path):
    pytest.importorskip("xdist")
    file = tmp_path / "test_many.py"
    file.write_text("import pytest\n@pytest.mark.parametrize('i', range(6))\ndef test_it(i):\n    assert i != 4\n")
    ended = run(log_part(tmp_path, "-n", "2", file), tmp_path, quick=False)
    assert ended.message == "5 passed, 1 failed, 0 skipped"
    lines = [json.loads(line) for line in (tmp_path / "tests.jsonl").read_text().splitlines()]
    assert len(lines) == 12  # a start and an end of each


def test_log_of_a_killed_process(tmp_path):
    """The last line is incomplete; a test that passes and whose teardown fails has failed."""
    lines = [
        {"test": "a", "outcome": "started"},
        {"test": "a", "outcome": "passed"},
        {"test": "b", "outcome": "started"},
        {"test": "b", "outcome": "passed"},
        {"test": "b", "outcome": "failed"},
        {"test": "c", "outcome": "started"},
    ]
    (tmp_path / "tests.jsonl").write_text("\n".join(map(json.dumps, lines)) + '\n{"test": "c", "outc')
    found = summary(tmp_path / "tests.jsonl")
    assert found == (1, ["b"], 0, "c")
    assert command.remarks(tmp_path) == ["Failed tests:\n\n* b"]


def test_unusable_backend_is_a_failure(tmp_path, capsys):
    probes = {device: parts(device, tmp_path, quick=True)[0] for device in ("numpy", "cupy:99")}
    ends = {device: run(probe, tmp_path, quick=True).success for device, probe in probes.items()}
    assert ends == {"numpy": True, "cupy:99": False}
    assert "cupy" in capsys.readouterr().out


def test_tests_without_a_log_fail(tmp_path, good, bad):
    """The log of an earlier run is none."""
    for file, message in ((good, "0 passed, 0 failed, 0 skipped"), (bad, "0 passed, 0 failed, 0 skipped")):
        log = tmp_path / "tests.jsonl"
        log.write_text('{"test": "a", "outcome": "passed"}\n')
        assert run(part(file, tests=log), tmp_path, quick=False)[:2] == (message, False)


def results(rates):
    """Results of W1 as a report writes them."""
    medians = {name: {"median": rate} for name, rate in rates.items()}
    return {"results": {"Workloads": [{"workload": {"name": "W1"}, "images_per_second": medians}]}, "remarks": ["hot"]}


def test_targets_and_measured_values(tmp_path):
    assert evaluate("cupy", tmp_path) == []
    rates = {"torch:cuda": 1.0, "torch-compile:cuda": 5.0, "jax-scan:cuda": 7.0, "anynet-cupy": 6.0}
    (tmp_path / "nets.json").write_text(json.dumps(results(rates)))
    found = {each.quantity.partition(":")[::2]: each for each in evaluate("cupy", tmp_path)}
    assert len(found) == 4 + 5
    measured = [(net, each.value, each.met) for (net, _), each in found.items() if each.value is not None]
    assert measured == [("W1", 6.0, True), ("W1", 6 / 7, False)]
    assert not any(each.met for (net, _), each in found.items() if net != "W1")

    (tmp_path / "nets.json").unlink()
    for joined, met in ((1.5, True), (1.49, False)):
        rates = {"anynet-cupy": joined, "anynet-cupy+separate": 1.0}
        (tmp_path / "joining.json").write_text(json.dumps(results(rates)))
        found = evaluate("cupy", tmp_path)
        assert [(each.value, each.met) for each in found] == [(joined, met)] + 3 * [(None, False)]

    for largest, value, met in ((1e-12, 1e-12, True), (1e-9, 1e-9, False), ("RuntimeError", None, False)):
        rows = {"ReLU": {"recorded": 0.0, "step by step": largest, "steps run as": "recorded steps"}}
        (tmp_path / "gradients.json").write_text(json.dumps({"deviations": rows}))
        assert next((each.value, each.met) for each in evaluate("cupy", tmp_path)) == (value, met)
    (tmp_path / "gradients.json").unlink()

    for seconds, met in ((0.75, True), (1.25, False)):
        runs = {"cupy": [{"seconds": {"import": 2.0, "total": 2.0 + took}} for took in (seconds, 0.0, 5.0)]}
        (tmp_path / "forty_epochs.json").write_text(json.dumps({"runs": runs}))
        assert [(each.value, each.met) for each in evaluate("cupy", tmp_path)][-1] == (seconds, met)


@pytest.mark.parametrize("quick", [False, True])
def test_page_and_exit_code(tmp_path, good, bad, capsys, monkeypatch, quick):
    (tmp_path / "nets.json").write_text(json.dumps(results({"torch": 1.0, "anynet-numpy": 4.9})))
    known = [
        Part(name=name, module="json.tool", arguments=(arguments,)) for name, arguments in (("one", good), ("two", bad))
    ]
    monkeypatch.setattr(command, "parts", lambda device, folder, quick: known)
    here = {"gpu": "H100, driver 580", "cpu": "EPYC", "cores": 2, "date": "2026-11-25", "versions": {"json": "1.0"}}
    monkeypatch.setattr(command.machine, "describe", lambda: here)
    (tmp_path / "connect.json").write_text(json.dumps({"machine": here, "cuBLAS": "12.8.3"}))
    codes = [command.main(stage=[name], device="numpy", quick=quick, out=tmp_path) for name in ("two", "one")]
    assert codes == [1, 0 if quick else 1]
    assert f"two: runs; output in {tmp_path / 'two'}.txt\n" in (out := capsys.readouterr().out)
    content = json.loads((tmp_path / "card.json").read_text())
    assert {name: fields["success"] for name, fields in content["parts"].items()} == {"two": False, "one": True}
    assert [each["value"] for each in content["expectations"]][:2] == [4.9, None]
    page = (tmp_path / "card.md").read_text()
    outcomes = "| two", "failed with exit code 1: Expecting ", "at least 5", "4.9", "Left out of nets:\n\n* hot"
    for expected in (*outcomes, "H100, driver 580", "json 1.0", "2026-11-25", "cuBLAS", "12.8.3"):
        assert expected in page
    assert "not passed" in out
