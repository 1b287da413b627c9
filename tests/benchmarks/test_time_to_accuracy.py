"""``time_to_accuracy`` with few generated images, or without training."""

import json
import math
import sys

import numpy as np
import pytest

import anynet as an
from benchmarks import common
from benchmarks.time_to_accuracy import child, command, generated, process, source, study, train_anynet
from benchmarks.time_to_accuracy.recipes import EVALUATIONS, RECIPES, Recipe
from benchmarks.time_to_accuracy.record import FINAL, SEARCH, Record, Run
from benchmarks.time_to_accuracy.source import Source

SMALL, WIDE = Recipe((8,), "adam", 0.01, 50, 2), Recipe((64, 32), "sgd", 0.05, 50, 4, True, 0.1, True)
SETTINGS = {"levels": [0.4, 0.6], "cap": 9.0, "images": 1000, "generated": False}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """1,500 training images, 100 of them held out, and 300 test images."""
    monkeypatch.setattr(generated, "BINARY_COUNT", 300)
    for module in (source, train_anynet):
        monkeypatch.setattr(module, "HELD_OUT", 100)
    generated.write(tmp_path)
    return tmp_path


def trained(peer, recipe, source):
    return list(child.training(peer, recipe.as_dict(), 0, list(source)))


@pytest.mark.parametrize("peer", ["anynet-numpy", "torch", "sklearn", "keras"])
@pytest.mark.parametrize("recipe", [SMALL, WIDE], ids=["small", "wide"])
def test_patterns_are_learned_and_measured_on_the_right_images(peer, recipe, folder):
    if peer in command.MODULES:
        pytest.importorskip(f"{command.MODULES[peer]}")
    first = trained(peer, recipe, Source(str(folder), 1000, False))
    assert [epochs for epochs, _ in first] == [(i + 1) / EVALUATIONS for i in range(recipe.epochs * EVALUATIONS)]
    assert first[-1][1] > 0.9
    images = source._batch(str(folder), "test_batch")
    wrong = {b"data": images.x, b"labels": ((images.y + 1) % 10).tolist()}
    (folder / "test_batch").write_bytes(generated.pickle.dumps(wrong, protocol=2))
    assert trained(peer, recipe, Source(str(folder), 1000, True))[-1][1] < 0.1


def test_images_are_the_first_for_training_and_the_last_for_choosing(folder):
    batches = [source._batch(str(folder), f"data_batch_{i}") for i in range(1, 6)]
    train, held_out = Source(str(folder), 400, False).read()
    assert np.array_equal(train.x[300:], batches[1].x[:100])
    assert np.array_equal(held_out.x, batches[4].x[-100:])
    assert np.array_equal(held_out.y, batches[4].y[-100:])
    data = an.data.cifar10(folder, train=400, val=100)
    assert np.array_equal(data.train.x, train.x)
    assert np.array_equal(data.val.x, held_out.x)


def test_flipped_images_are_mirrored():
    torch = pytest.importorskip("torch")
    from benchmarks.time_to_accuracy.train_torch import _flipped

    images = np.random.default_rng(0).integers(0, 256, (64, 3072), np.uint8)
    mirrored = images.reshape(-1, 3, 32, 32)[..., ::-1].reshape(images.shape)
    found = _flipped(torch.from_numpy(images)).numpy()
    as_they_were, flipped = (found == images).all(1), (found == mirrored).all(1)
    assert (as_they_were != flipped).all()
    assert 10 < flipped.sum() < 54


def test_rates_of_scikit_learn_are_those_of_the_schedule(folder, monkeypatch):
    pytest.importorskip("sklearn.base")
    from benchmarks.time_to_accuracy import train_sklearn

    rates = []
    monkeypatch.setattr(train_sklearn, "_set_rate", lambda model, rate: rates.append(rate))
    trained("sklearn", SMALL, Source(str(folder), 1000, False))
    schedule = an.schedules.Cosine(SMALL.lr, SMALL.epochs)
    assert rates == pytest.approx([schedule(epoch) for epoch in (0.5, 1, 1.5)])  # parts of 10 steps; the first is lr


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes(recipe):
    assert Recipe.of(json.loads(json.dumps(recipe.as_dict()))) == recipe
    parts = list(recipe.parts(45_000))
    assert [step for start, stop in parts for step in range(start, stop)] == list(range(recipe.steps(45_000)))
    lacking = recipe.for_peer("sklearn")
    assert (lacking.batch_norm, lacking.dropout, lacking.flip) == (False, 0, False)
    assert (lacking.hidden, lacking.lr, lacking.epochs) == (recipe.hidden, recipe.lr, recipe.epochs)
    assert recipe.for_peer("torch") == recipe


def test_followed_processes_end_in_four_ways():
    def follow(code, cap=60.0, enough=0.5):
        return process.follow([sys.executable, "-c", code], cap, enough)

    points, outcome = follow("print([1, 0.25]); print([2, 0.4])")
    assert ([p[1:] for p in points], outcome) == ([(1, 0.25), (2, 0.4)], "finished")
    assert 0 < points[0].seconds <= points[1].seconds
    points, outcome = follow("import time; print([1, 0.5], flush=True); time.sleep(60)")
    assert (len(points), outcome) == (1, "enough")
    points, outcome = follow("import time; time.sleep(60)", cap=0.2)
    assert (points, outcome) == ([], "cap")
    assert follow("print([1, 0.25]); raise ValueError('no memory')")[1] == "ValueError: no memory"


def search(peer, recipe, *curve):
    return Run(peer, recipe, SEARCH, 0, "finished", curve)


def test_choice_of_recipes_prefers_those_that_exceed_the_level():
    runs = [search("torch", SMALL, (1, 1, 0.39), (2, 2, 0.4)), search("torch", WIDE, (3, 1, 0.3), (6, 2, 0.45))]
    record = Record(SETTINGS, runs)
    assert record.choose("torch", 0.3) == SMALL
    assert record.choose("torch", 0.4) == WIDE  # 0.400 may be less on other images
    assert record.choose("torch", 0.45) == WIDE  # the only one
    assert record.choose("torch", 0.46) is None
    assert record.choose("keras", 0.3) is None


def test_median_counts_runs_that_miss_the_level():
    finals = [
        Run("torch", SMALL, FINAL, seed, "finished", [(seconds, 1, 0.7)])
        for seed, seconds in ((1, 5.0), (2, 3.0), (3, 4.0))
    ]
    missed = [Run("torch", SMALL, FINAL, seed, "finished", [(1.0, 1, 0.5)]) for seed in (4, 5, 6)]
    chosen = search("torch", SMALL, (1, 1, 0.7))
    assert Record(SETTINGS, [chosen, *finals]).median("torch", 0.6) == 4
    assert Record(SETTINGS, [chosen, *finals, missed[0]]).median("torch", 0.6) == 4.5
    assert Record(SETTINGS, [chosen, *finals, *missed]).median("torch", 0.6) == math.inf
    assert Record(SETTINGS, [chosen]).median("torch", 0.6) == math.inf


@pytest.fixture
def measured(monkeypatch):
    """Runs in place of processes: torch learns with both recipes, keras fails."""
    calls = []

    def train(peer, recipe, seed, source, cap, enough):
        calls.append((peer, tuple(recipe["hidden"]), seed, source.test, cap, enough))
        if peer == "keras":
            return {"outcome": "ValueError: no memory", "curve": []}
        reached = 0.5 if len(recipe["hidden"]) == 1 else 0.8
        return {"outcome": "finished", "curve": [[seed + 1.0, 0.5, 0.1], [seed + 2.0, 1, reached]]}

    monkeypatch.setattr(process, "train", train)
    return calls


def run_study(out, seeds=2):
    record = Record.read(out, SETTINGS)
    study.Study(
        record,
        ["torch", "keras"],
        "files",
        out,
        {"cpu": "c", "cores": 2, "system": "s", "date": "d"} | {"versions": {"torch": "2"}},
        lambda line: None,
    ).run([SMALL, WIDE], seeds)
    return record


def test_runs_are_written_and_not_repeated(measured, tmp_path):
    out = tmp_path / "it.json"
    run_study(out)
    margin = 2 * math.sqrt(0.6 * 0.4 / source.HELD_OUT)
    at_first = [
        (peer, widths, 0, False, 9.0, 0.6 + margin) for widths in ((8,), (64, 32)) for peer in ("torch", "keras")
    ]
    finals = [("torch", widths, seed, True, 9.0, 0.6) for seed in (1, 2) for widths in ((8,), (64, 32))]
    assert measured == at_first + finals
    page = out.with_suffix(".md").read_text(encoding="utf-8")
    assert "| torch      | 3.5 | 3.5 |" in page
    assert "| keras      | -   | -   |" in page
    assert "ValueError: no memory" in page
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    measured.clear()
    run_study(out, seeds=3)
    new = [(peer, seed) for peer, _, seed, *_ in measured]
    assert new == [("keras", 0), ("keras", 0), ("torch", 3), ("torch", 3)]  # what failed is tried again


def test_records_of_other_settings_are_refused(measured, tmp_path):
    out = tmp_path / "it.json"
    run_study(out)
    with pytest.raises(ValueError, match=r"it\.json has runs with cap 9\.0, not 8\.0; choose another --out"):
        Record.read(out, SETTINGS | {"cap": 8.0})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--folder: expected the folder cifar-10-batches-py, got none"),
        (["--folder", "nowhere"], "--folder: expected the folder cifar-10-batches-py, got nowhere"),
        (["--quick", "--peers", "torhc"], 'unknown peer "torhc"; did you mean "torch"?'),
        (["--quick", "--levels", "45"], "--levels: expected accuracies above 0, up to 1, got 45"),
        (["--quick", "--out", "none/it.json"], "--out: expected a file in an existing folder, got none/it.json"),
    ],
)
def test_refusals_are_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "PEERS", ("anynet-numpy",))
    with pytest.raises(SystemExit) as end:
        common.run(command.main, arguments)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.thorough
def test_quick(tmp_path, capsys):
    out = tmp_path / "it.json"
    command.main(quick=True, peers=["anynet-numpy"], levels=[0.5], out=out)
    assert json.loads(out.read_text(encoding="utf-8"))["machine"]["cores"] > 0
    (final,) = Record.read(out, json.loads(out.read_text(encoding="utf-8"))["settings"]).of("anynet-numpy", FINAL)
    assert 0 < final.seconds(0.5) < command.QUICK_CAP
