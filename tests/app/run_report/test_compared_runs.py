"""Pages about several runs, a sweep and a search."""

import csv
import json

import pytest
from report_folders import ANALYSIS, notices, page_of, run_folder, search_folder, section

from anynet.core.errors import FileError


@pytest.fixture
def two(tmp_path):
    better = {"best_test_accuracy": 0.9, "best_val_accuracy": 0.95}
    return (
        run_folder(tmp_path / "a" / "run", settings={"lr": 0.1, "normalize": "standardize"}),
        run_folder(
            tmp_path / "b" / "run", settings={"lr": 0.2, "clip_norm": 1.5, "normalize": "standardize"}, **better
        ),
    )


@pytest.mark.usefixtures("empty_pictures")
def test_several_runs_begin_with_what_differs(two):
    page = page_of(*two)
    assert page.all("h1")[0].words() == (
        "Of 2 runs on letters, b/run is the best in validation, and classifies 90.00 % of the test samples correctly."
    )
    different, shared, _ = (table.rows() for table in section(page, "settings").all("table"))
    assert different == [["setting", "a/run", "b/run"], ["lr", "0.1", "0.2"], ["clip_norm", "\N{EN DASH}", "1.5"]]
    assert shared[1:] == [["epochs", "3"]]
    results = section(page, "results").all("table")[0].rows()
    assert [row[:3] for row in results[1:]] == [["a/run", "86.67", "83.45"], ["b/run", "90.00", "95.00"]]
    assert [each.words() for each in section(page, "curves").all("li")] == ["a/run", "b/run"]
    assert [each.words() for each in section(page, "confusion").all("h3")] == ["a/run", "b/run"]


@pytest.mark.usefixtures("empty_pictures")
def test_runs_of_other_data_are_refused(tmp_path, two):
    other = run_folder(tmp_path / "c", dataset="digits")
    with pytest.raises(
        ValueError, match=r"expected runs on one data set, got .*run on letters and .*c on digits; make"
    ):
        page_of(two[0], other)


@pytest.mark.usefixtures("empty_pictures")
def test_a_search_ranks_its_trials(tmp_path):
    page = page_of(search_folder(tmp_path / "search"))
    assert page.all("h1")[0].words() == (
        "The best of 3 trials on digits classifies 95.12 % of the validation samples correctly, and 94.33 % of the "
        "test samples, with lr 0.0123, hidden 50,30."
    )
    rows = section(page, "ranking").all("table")[0].rows()
    assert [row[:5] for row in rows[1:]] == [
        ["2", "0.0123", "50,30", "95.12", "94.33"],
        ["1", "0.002", "none", "90.12", "88.33"],
        ["3", "0.09", "none", "\N{EN DASH}", "\N{EN DASH}"],
    ]
    assert rows[3][-1] == "diverged: the cost is <not> finite"
    command = "python -m anynet search --over lr=0.001..0.1 --over hidden=50+30, --trials 3 --no-prune --data digits"
    assert command in section(page, "again").words()
    assert len(section(page, "search-picture").all("svg")) == 1
    shares = section(page, "importances").all("table")[0].rows()
    assert shares[1:] == [["lr", "75.0"], ["hidden", "25.0"]]
    table = tmp_path / "search" / "trials.csv"
    table.write_text(table.read_text().replace("2,coarse", "2,fine"))
    rows = section(page_of(table.parent), "ranking").all("table")[0].rows()
    assert [row[:2] for row in rows] == [["trial", "stage"], ["2", "fine"], ["1", "coarse"], ["3", "coarse"]]


def test_a_sweep_has_members_means_and_the_ensemble(swept):
    """Sweep of two seeds, two rates and two penalties; trained, so that everything is there."""
    page, result = page_of(swept.folder), json.loads((swept.folder / "result.json").read_text())
    means, members = (table.rows() for table in section(page, "members").all("table"))
    for row, found in zip(result["over_seeds"], means[1:], strict=True):
        mean, deviation = (100 * row["best_test_accuracy"][key] for key in ("mean", "deviation"))
        assert found[:2] == [f"lr {row['settings']['lr']:g}, l2 {row['settings']['l2']:g}", "2"]
        assert found[3] == f"{mean:.2f} ± {deviation:.2f}"
    kept = list(csv.DictReader((swept.folder / "members.csv").read_text().splitlines()))
    of_test = members[0].index("test, best epoch, %")
    assert [row[of_test] for row in members[1:]] == [f"{100 * float(row['best_test_accuracy']):.2f}" for row in kept]
    assert f"{100 * result['ensemble_test_accuracy']:.2f} % of the test samples" in section(page, "members").words()
    assert "--sweep lr=0.01,0.05 --sweep l2=0.0,0.01 --seeds 2" in section(page, "again").words()
    assert len(section(page, "filters").all("image")) > 0


@pytest.mark.usefixtures("empty_pictures")
def test_a_sweep_says_which_members_diverged(tmp_path):
    """And what is missing while it runs."""
    sweep = run_folder(tmp_path / "sweep", ended=False, history=None, analysis=None)
    (sweep / "points.json").write_text(json.dumps([{"lr": 0.1}, {"lr": 90.0}, {"lr": 0.2}]))
    run_folder(sweep / "member-0", settings={"lr": 0.1}, stopped_early=True)
    reason = "the cost is no longer finite in epoch 1"
    run_folder(sweep / "member-1", settings={"lr": 90.0}, history=None, analysis=None, diverged=reason)
    assert notices(page_of(sweep)) == [
        "There is no result.json: the run is in training, or was killed, after 3 of 3 epochs.",
        f"1 of 3 members diverged; member 1: {reason}.",
        "1 of 3 members stopped early, as validation no longer improved.",
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("analysis.json", "{", r"analysis.json, line 1: expected JSON, got .*; remove the file"),
        ("analysis.json", json.dumps(ANALYSIS | {"confusion": [[1, 2]]}), "key confusion: expected 3 rows of 3 counts"),
        (
            "analysis.json",
            json.dumps(ANALYSIS | {"mistakes": [ANALYSIS["mistakes"][0] | {"image": "https://a.b/c.png"}]}),
            "key mistakes: expected a list of mistakes",
        ),
        ("analysis.json", json.dumps(ANALYSIS | {"calibration": {}}), "key calibration: expected edges, count"),
        (
            "analysis.json",
            json.dumps(ANALYSIS | {"calibration": ANALYSIS["calibration"] | {"accuracy": [None, 2.0]}}),
            "key calibration: expected edges, count",
        ),
        ("analysis.json", json.dumps(ANALYSIS | {"classes": []}), "key classes: expected a list of classes, got"),
        ("analysis.json", json.dumps(ANALYSIS | {"samples": 9}), "key samples: expected 150, the sum of the confusion"),
        (
            "result.json",
            '{"dataset": "letters", "best_test_accuracy": 2}',
            "key best_test_accuracy: expected a fraction",
        ),
        ("history.csv", "epoch,lr,seconds\n1,0.1,x\n", "history.csv, line 2, column seconds: expected a finite number"),
        ("config.toml", "lr = [1]", "config.toml, setting lr: expected a text, a number or a boolean"),
        ("model.safetensors", "x" * 100, "model.safetensors: expected a safetensors file"),
        ("divergence.json", '{"try": 3}', "divergence.json: expected a report"),
    ],
)
def test_damaged_files_are_named(tmp_path, name, content, message):
    folder = run_folder(tmp_path / "run")
    (folder / name).write_text(content)
    with pytest.raises(FileError, match=message):
        page_of(folder)
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("trials.csv", "diverged", "lost", 'line 4, column state: expected finished or pruned or diverged, got "lost"'),
        (
            "trials.csv",
            "0.9433",
            "high",
            'line 2, column test_accuracy: expected a fraction from 0 to 1, or nothing, got "high"',
        ),
        ("search.json", '"low"', '"least"', "search.json, key space.lr: expected values or a range"),
        ("importances.json", "0.75", "7", "importances.json, key lr: expected a share from 0 to 1, got 7"),
    ],
)
def test_damaged_files_of_a_search_are_named(tmp_path, name, old, new, message):
    file = search_folder(tmp_path / "search") / name
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(FileError, match=message):
        page_of(tmp_path / "search")
