"""The page of a run: what it says is what the files of the run say, and a reader needs nothing else."""

import json
import re
from itertools import pairwise

import pytest
from report_folders import (
    ANALYSIS,
    CLASSES,
    CONFUSION,
    PIXEL,
    RESULT,
    notices,
    page_of,
    run_folder,
    search_folder,
    section,
)

from anynet.app.run_report.run_page import write_page
from anynet.core.errors import FileError


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return page_of(run_folder(tmp_path_factory.mktemp("pages") / "run", settings={"lr": 0.25, "hidden": "20"}))


def test_numbers_are_those_of_the_files(page):
    assert [each.words() for each in page.all("h1")] == [
        "The net classifies 86.67 % of the test samples of letters correctly after epoch 2 of 3."
    ]
    facts = dict(zip(*([each.words() for each in page.all(tag)] for tag in ("dt", "dd")), strict=True))
    assert facts == {
        "test accuracy": "86.67 %",
        "validation accuracy": "83.45 %",
        "best epoch": "2 of 3",
        "training and test": "1 min 15 s",
    }
    matrix = section(page, "confusion").all("table")[0].rows()
    assert matrix == [
        ["true \\ said", *CLASSES],
        *([name, *map(str, row)] for name, row in zip(CLASSES, CONFUSION, strict=True)),
    ]
    history = section(page, "curves").all("table")[0].rows()
    assert history[2] == ["2", "0.05", "0.8", "0.7", "0.8", "0.9", "0.8", "0.8345", "50"]
    assert "error" in section(page, "calibration").words()
    assert "4.33 %" in section(page, "calibration").words()


def test_precision_and_recall_follow_from_the_confusion_matrix(page):
    rows = section(page, "classes").all("table")[0].rows()
    assert rows[1:] == [
        ["cat", "50", "80.00", "80.00", "80.00"],  # 40 of 50 predicted, 40 of 50 there
        [CLASSES[1], "50", "94.34", "100.00", "97.09"],  # 50 of 53; 2 * 50 / 103
        ["dog & co", "50", "85.11", "80.00", "82.47"],  # 40 of 47; 2 * 40 / 97
    ]


def test_mistakes_show_what_was_said_and_what_was_right(page):
    first, second = section(page, "mistakes").all("li")
    assert first.words() == "said cat 93.0 % right: dog & co 4.0 % sample 17"
    assert second.words() == f"said {CLASSES[1]} 81.0 % right: cat 11.0 % sample 4"
    assert [each.attributes["src"] for each in page.all("img")] == [PIXEL]
    assert page.all("img")[0].attributes["alt"] == "sample 17, of class dog & co"


def test_time_is_divided_into_its_parts(page):
    rows = section(page, "times").all("table")[0].rows()
    assert [row[1] for row in rows] == ["4.6 s", "50.0 s", "20.0 s", "5.0 s", "0.2 s"]
    assert [row[2] for row in rows] == ["6 %", "63 %", "25 %", "6 %", "0 %"]  # of 79.8 s
    assert "An epoch took 20.2 s" in section(page, "times").words()


def test_nothing_is_loaded_and_no_script_runs(page):
    elements = page.all()
    assert {"script", "link", "iframe", "object", "base", "form"}.isdisjoint(each.tag for each in elements)
    for each in elements:
        assert not [name for name in each.attributes if name.startswith("on")]
        for name in ("href", "src", "xlink:href"):
            assert re.match(r"#|data:image/png;base64,|$", each.attributes.get(name, ""))
        urls = re.findall(r"url\((.*?)\)", " ".join(each.attributes.values()))
        assert all(url.startswith("#") for url in urls)
    (style,) = page.all("style")
    assert not re.search(r"@import|url\(|https?:", style.text)


def test_ids_are_unique_and_all_references_have_one(page):
    elements = page.all()
    ids = [each.attributes["id"] for each in elements if "id" in each.attributes]
    assert len(ids) == len({*ids})
    told = [value for each in elements for name, value in each.attributes.items() if name != "d"]
    used = {name for text in told for name in re.findall(r"url\(#(.*?)\)", text)}
    used |= {each.attributes["href"][1:] for each in elements if "href" in each.attributes}
    assert used <= {*ids}
    assert len(page.all("nav")[0].all("a")) == len(page.all("h2"))


def test_headings_are_in_order_and_pictures_have_texts(page):
    levels = [int(each.tag[1]) for each in page.all() if re.fullmatch("h[1-6]", each.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    plots = page.all("svg", role="img")
    assert len(plots) >= 5
    assert all(each.attributes["aria-label"] for each in plots)
    assert page.attributes["lang"] == "en"


def test_colors_of_pictures_follow_the_page(page):
    for plot in page.all("svg", role="img"):
        styles = " ".join(each.attributes.get("style", "") for each in plot.all())
        assert "var(--c0)" in styles
        assert "currentColor" in styles
        assert not re.search(r"#[0-9a-f]{3,6}", styles)
        assert "font-family" not in styles


def test_settings_that_are_not_the_defaults_come_first(page):
    first, second = section(page, "settings").all("table")
    assert first.rows()[1:] == [["hidden", "20"], ["lr", "0.25"], ["epochs", "3"]]
    assert ["momentum", "0.9"] in second.rows()
    assert "python train.py --hidden 20 --lr 0.25 --epochs 3" in section(page, "again").words()


DIVERGED = "the cost is no longer finite in epoch 1, at step 3 of 9, with learning rate 9"
REPORT = {
    "first_not_finite": "the loss (step 3)",
    "try": ["a tenth of the learning rate, 0.9"],
    "steps_before": [{"step": 3, "lr": 9.0, "loss": "nan", "gradient_norm": 1e8, "parameter_norm": 12.5}],
}


GENERATED = "The images are generated, not those of CIFAR-10: accuracies say nothing about real images."
OTHER_FILES = (
    "The images are not the official files of CIFAR-10, byte for byte, but for instance a re-encoding as JPEG: "
    "accuracies may differ from those on the official files."
)
BIASED = "The best epoch was chosen on the test images, so its test accuracy is biased."


@pytest.mark.usefixtures("empty_pictures")
@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"interrupted": True}, ["Interrupted after 3 of 3 epochs, during the test; results are those until then."]),
        (
            {"stopped_early": True, "settings": {"epochs": 9, "patience": 2}},
            ["Stopped early after 3 of 9 epochs: no better epoch in validation for 2 epochs."],
        ),
        ({"diverged": DIVERGED, "divergence": REPORT, "history": None, "analysis": None}, [f"Diverged: {DIVERGED}."]),
        (
            {"ended": False, "analysis": None, "settings": {"epochs": 9}},
            ["There is no result.json: the run is in training, or was killed, after 3 of 9 epochs."],
        ),
        ({"dataset": "synthetic"}, [GENERATED]),
        ({"dataset": "cifar10"}, [OTHER_FILES]),
        ({"dataset": "cifar10", "official": True}, []),
        ({"settings": {"val": "test_batch"}}, [BIASED]),
        ({}, []),
    ],
    ids=["interrupted", "early", "diverged", "unfinished", "synthetic", "other files", "official", "biased", "plain"],
)
def test_the_first_lines_say_what_a_reader_must_know(tmp_path, content, told):
    page = page_of(run_folder(tmp_path / "run", **content))
    assert notices(page) == told
    if "divergence" in content:
        assert section(page, "divergence").all("table")[0].rows()[1] == ["3", "9", "nan", "1e+08", "12.5"]


@pytest.mark.usefixtures("empty_pictures")
@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("seconds", "inf", "a number of 0 or more, or nothing"),
        ("val_accuracy", "nan", "a fraction from 0 to 1, or nothing"),
        ("best_epoch", "1.5", "a number of 0 or more, or nothing"),
    ],
)
def test_numbers_of_trials_are_checked(tmp_path, column, value, expected):
    table = search_folder(tmp_path / "search") / "trials.csv"
    header, first, *others = (line.split(",") for line in table.read_text().replace('"50,30"', "").splitlines())
    first[header.index(column)] = value
    table.write_text("\n".join(map(",".join, (header, first, *others))))
    with pytest.raises(FileError, match=f'trials.csv, line 2, column {column}: expected {expected}, got "{value}"'):
        write_page([tmp_path / "search"], tmp_path / "page.html")


def test_a_search_of_nothing_is_named(tmp_path):
    settings = search_folder(tmp_path / "search") / "search.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"space": {}}))
    with pytest.raises(FileError, match="key space: expected settings by name"):
        write_page([tmp_path / "search"], tmp_path / "page.html")


@pytest.mark.usefixtures("empty_pictures")
def test_a_run_without_an_analysis_says_how_to_get_one(tmp_path):
    page = page_of(run_folder(tmp_path / "run", analysis=None))
    assert f"python -m anynet report {tmp_path / 'run'} --analyze" in section(page, "no-analysis").words()
    assert not page.all("section", **{"aria-labelledby": "confusion"})


@pytest.mark.usefixtures("empty_pictures")
def test_many_classes_are_a_picture_and_a_list(tmp_path):
    n = 30
    confusion = [[9 if i == j else 0 for j in range(n)] for i in range(n)]
    confusion[3][5] = 3
    many = ANALYSIS | {"classes": [f"k{i}" for i in range(n)], "confusion": confusion, "mistakes": [], "samples": 273}
    found = section(page_of(run_folder(tmp_path / "run", analysis=many)), "confusion")
    assert [table.rows()[1:] for table in found.all("table")] == [[["k3", "k5", "3", "25.00"]]]
    assert len(found.all("svg")) == 1


@pytest.mark.usefixtures("empty_pictures")
@pytest.mark.usefixtures("empty_pictures")
def test_long_names_of_classes_are_shortened(tmp_path):
    long = ANALYSIS | {"classes": ["x" * 10_000, "b", "c"]}
    found = section(page_of(run_folder(tmp_path / "run", analysis=long)), "confusion")
    assert "x" * 38 in found.words()
    assert "x" * 41 not in found.words()


def test_a_net_that_predicts_numbers(tmp_path):
    numbers = {
        "split": "val",
        "samples": 3,
        "targets": 1,
        "r2": [0.75],
        "errors": {"0.5": [0.125], "0.9": [0.5]},
        "sample": [[1.0, 1.5], [2.0, 2.0], [3.0, 2.5]],
    }
    none = dict.fromkeys(("train_accuracy", "val_accuracy", "test_accuracy", "best_val_accuracy", "best_test_accuracy"))
    folder = run_folder(tmp_path / "run", analysis=numbers)
    kept = {name: value for name, value in RESULT.items() if name not in none}
    (folder / "result.json").write_text(json.dumps(kept))
    page = page_of(folder)
    assert page.all("h1")[0].words().startswith("The net predicts the numbers of letters with R² 0.75 on 3 validation")
    rows = section(page, "numbers").all("table")[0].rows()
    assert rows == [["R²", "0.75"], ["median absolute error", "0.125"], ["90 % quantile of the absolute error", "0.5"]]
    assert len(section(page, "numbers").all("svg")) == 1
    other = run_folder(tmp_path / "other", analysis=numbers | {"r2": [0.5]})
    (other / "result.json").write_text(json.dumps(kept))
    page = page_of(folder, other)
    rows = section(page, "results").all("table")[0].rows()
    assert [row[:2] for row in rows[1:]] == [["run", "0.75"], ["other", "0.5"]]
    assert [each.words().split(":")[0] for each in section(page, "numbers").all("figcaption")] == ["run", "other"]
