"""``python -m benchmarks.card``: choice of parts, their outcomes, and targets."""

import json

import pytest

from benchmarks.card import __main__ as command
from benchmarks.card.expectations import evaluate
from benchmarks.card.parts import CHECK, Part, parts
from benchmarks.card.running import run


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
        (["check"], ["device", "tests"]),
        (["measure"], ["nets", "forty_epochs", "members", "loading", "precision", "batches", "growth"]),
        (["growth", "tests"], ["tests", "growth"]),
    ],
)
def test_stages_and_parts_by_name(tmp_path, stages, names):
    known = parts("cupy", tmp_path, quick=False)
    assert [part.name for part in command.choose(stages, known)] == names
    assert command.choose(["all"], known) == known


def test_unknown_stage_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"expected some of check, measure, all, device, tests.*, got messure"):
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
    assert ended[:2] == ("failed with exit code 1", False)
    assert "Expecting" in capsys.readouterr().out


def test_time_limit_of_a_part(tmp_path):
    waits = part("-s", "import time", "time.sleep(1000)", module="timeit")
    assert not run(waits, tmp_path, quick=False, seconds=0.1).success
    ended = run(waits, tmp_path, quick=False, seconds=0)
    assert ended[:2] == ("left out: no time left", False)


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
        pytest.param("1 +", "0 passed, 1 failed, 0 skipped", False, marks=pytest.mark.slow),
    ],
)
def test_outcome_of_tests(tmp_path, body, message, success):
    report, file = tmp_path / "tests.xml", tmp_path / "test_it.py"
    file.write_text(f"def test_it():\n    {body}\n")
    arguments = (
        str(file),
        "-p",
        "no:cacheprovider",
        f"--junitxml={report}",
        "--rootdir",
        str(tmp_path),
        "-c",
        "/dev/null",
    )
    ended = run(part(*arguments, module="pytest", tests=report, stage=CHECK), tmp_path, quick=False)
    assert ended[:2] == (message, success)


def test_unusable_backend_is_a_failure(tmp_path, capsys):
    probes = {device: parts(device, tmp_path, quick=True)[0] for device in ("numpy", "cupy:99")}
    ends = {device: run(probe, tmp_path, quick=True).success for device, probe in probes.items()}
    assert ends == {"numpy": True, "cupy:99": False}
    assert "cupy" in capsys.readouterr().out


def test_tests_without_a_report_fail(tmp_path, good):
    ended = run(part(good, tests=tmp_path / "tests.xml"), tmp_path, quick=False)
    assert ended[:2] == ("failed before any test", False)


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
    codes = [command.main(stage=[name], device="numpy", quick=quick, out=tmp_path) for name in ("two", "one")]
    assert codes == [1, 0 if quick else 1]
    content = json.loads((tmp_path / "card.json").read_text())
    assert {name: fields["success"] for name, fields in content["parts"].items()} == {"two": False, "one": True}
    assert [each["value"] for each in content["expectations"]][:2] == [4.9, None]
    page = (tmp_path / "card.md").read_text()
    for expected in ("| two", "failed with exit code 1", "at least 5", "4.90", "Left out of nets:\n\n* hot"):
        assert expected in page
    assert "not passed" in capsys.readouterr().out
