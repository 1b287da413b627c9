"""Searches that go on with more trials, and samplers that draw while a search runs. Trials are scored, not trained."""

import json
import math
from dataclasses import replace

import optuna
import pytest
from optuna.trial import TrialState
from search_worker import BASE

from anynet.app.search import Fine, Grid, Range, search, search_stages
from anynet.app.search.samplers import STARTUP, known_points, propose
from anynet.app.search.stage import Stage
from anynet.app.search.stores.folder_store import FolderStore
from anynet.app.space import convert_space
from anynet.core.errors import FileError

pytestmark = pytest.mark.usefixtures("few_pictures", "blank_plots")

SPACE = convert_space({"lr": Range(1e-4, 1.0), "momentum": Range(0.1, 0.9, log=False)})


def tell(study, trial, score):
    result = dict.fromkeys(("train_accuracy", "val_accuracy", "test_accuracy"), score)
    known = {
        "point": trial.user_attrs["point"],
        "dataset": "synthetic",
        "state": "finished",
        "best_epoch": 1,
        "seconds": 1.0,
        "reason": "",
    }
    trial.set_user_attr("result", result | known | {"best_val_accuracy": score})
    study.tell(trial, score)


@pytest.fixture(autouse=True)
def scored(monkeypatch):
    """Replace training by a score that is highest at a learning rate of 0.01; return what was scored."""
    made = []

    def score(study, trials, experiments, callbacks):
        for trial, experiment in zip(trials, experiments, strict=True):
            made.append(trial.params)
            tell(study, trial, 1 - abs(math.log10(experiment.config.lr) + 2) / 4)

    monkeypatch.setattr(search_stages, "train_trials", score)
    return made


def settings(trials, stage="coarse"):
    return [trial.settings for trial in sorted(trials, key=lambda t: t.number) if trial.stage == stage]


def kept(folder):
    return json.loads((folder / "search.json").read_text())


@pytest.mark.parametrize("sampler", ["qmc", "tpe", "random"])
def test_more_trials_leave_the_first_as_they_are(tmp_path, scored, sampler):
    arguments = {"sampler": sampler, "stack_size": 1}
    first = search(BASE, SPACE, tmp_path / "out", trials=12, **arguments)
    more = search(BASE, SPACE, tmp_path / "out", trials=15, **arguments)
    assert len(scored) == 15
    assert settings(more)[:12] == settings(first)
    assert all(trial in more for trial in first)
    assert settings(more) == settings(search(BASE, SPACE, tmp_path / "at once", trials=15, **arguments))
    assert kept(tmp_path / "out")["trials"] == 15


def test_fewer_trials_are_all_that_are_there(tmp_path, capsys, scored):
    whole = search(BASE, SPACE, tmp_path, trials=5, fine=Fine(2))
    before = kept(tmp_path)
    assert search(BASE, SPACE, tmp_path, trials=3) == whole
    assert (len(scored), kept(tmp_path)) == (7, before)
    coarse, fine = capsys.readouterr().err.splitlines()
    assert "5 coarse trials are there already (5 finished), and 3 were asked for" in coarse
    assert "2 fine trials are there already (2 finished), and 0 were asked for" in fine


def test_a_fine_stage_is_added_and_grows_around_the_best_that_it_began_with(tmp_path, capsys):
    search(BASE, SPACE, tmp_path, trials=4)
    two = search(BASE, SPACE, tmp_path, trials=4, fine=Fine(2, best=1))
    assert capsys.readouterr().err == ""
    four = search(BASE, SPACE, tmp_path, trials=9, fine=Fine(4, best=1))
    assert (len(settings(four)), len(settings(four, "fine"))) == (9, 4)
    assert settings(four, "fine")[:2] == settings(two, "fine")
    best = max(settings(two), key=lambda point: -abs(math.log10(point["lr"]) + 2))
    assert max(abs(math.log10(point["lr"] / best["lr"])) for point in settings(four, "fine")) <= 0.4 + 1e-9
    assert "the fine stage stays around the best of the first 4 trials" in capsys.readouterr().err


def test_tpe_goes_on_after_an_interruption_as_if_there_were_none(tmp_path, monkeypatch):
    arguments = {"trials": 14, "sampler": "tpe", "stack_size": 1}
    undisturbed, score = search(BASE, SPACE, tmp_path / "undisturbed", **arguments), search_stages.train_trials

    def interrupted(study, trials, experiments, callbacks):
        if trials[0].user_attrs["point"] == 12:
            raise KeyboardInterrupt
        score(study, trials, experiments, callbacks)

    monkeypatch.setattr(search_stages, "train_trials", interrupted)
    with pytest.raises(KeyboardInterrupt):
        search(BASE, SPACE, tmp_path / "out", **arguments)
    monkeypatch.setattr(search_stages, "train_trials", score)
    assert settings(search(BASE, SPACE, tmp_path / "out", **arguments)) == settings(undisturbed)


def test_two_processes_draw_each_point_once(tmp_path):
    """They claim in turn; points of another net are left for the next claim, those of the dead are claimed again."""
    space = convert_space({"lr": Range(1e-4, 1.0), "hidden": Grid(("5", "6"))})

    def stage(worker):
        def draw(trials, first, count):
            return propose(trials, space, first, count, seed=0, stage=0)

        points = known_points("tpe", space, 30, 0, 0)
        return Stage(
            "coarse", FolderStore(tmp_path), worker, space, points, lambda point: point["hidden"],
            optuna.pruners.NopPruner(), propose=draw, count=30,
        )  # fmt: skip

    claims = []
    with FolderStore(tmp_path).worker() as here:
        with FolderStore(tmp_path).worker() as there:
            for process in [stage(here), stage(there)] * 6:
                claims.append(process.claim(4))
                for trial in claims[-1]:
                    tell(process.study, trial, 1 - abs(math.log10(trial.params["lr"]) + 2) / 4)
            lost = stage(there).claim(4)
        last = stage(here)
        while found := last.claim(4):
            claims.append(found)
        trials = last.study.get_trials()
    assert {len({trial.params["hidden"] for trial in stack}) for stack in claims} == {1}
    alive = [trial for trial in trials if trial.state != TrialState.FAIL]
    assert sorted(trial.user_attrs["point"] for trial in alive) == list(range(30))
    assert lost
    drawn = [trial.params["lr"] for trial in alive if trial.user_attrs["point"] >= STARTUP]
    assert sum(abs(math.log10(lr) + 2) for lr in drawn) < 0.75 * len(
        drawn
    )  # 1 of uniform draws, with a deviation of 0.13
    assert len({tuple(trial.params.values()) for trial in trials}) == 30


def test_a_search_of_an_earlier_version_goes_on(tmp_path, scored):
    """It had no sampler in its settings, not all of today's settings, and trials in Optuna's queue."""
    search(BASE, SPACE, tmp_path, trials=3, fine=Fine(1), sampler="random")
    old = kept(tmp_path)
    for part, name in ((old, "sampler"), (old["fine"], "coarse"), (old["base"], "ema"), (old["fine"]["base"], "ema")):
        del part[name]
    (tmp_path / "search.json").write_text(json.dumps(old))
    points = known_points("random", SPACE, 5, 42, 0)
    study = optuna.load_study(study_name="coarse", storage=FolderStore(tmp_path).storage)
    study.enqueue_trial(points[3], user_attrs={"point": 3})
    more = search(BASE, SPACE, tmp_path, trials=5, fine=Fine(2))
    assert (settings(more), len(settings(more, "fine")), len(scored)) == (points, 2, 7)
    with pytest.raises(ValueError, match="sampler is 'random' there and 'qmc' here"):
        search(BASE, SPACE, tmp_path, trials=6, fine=Fine(2), sampler="qmc")


def test_corners_are_validated_where_points_are_drawn_later(tmp_path):
    space = {"lr": Range(0.1, 0.2), "batch_size": Range(399, 401)}
    with pytest.raises(ValueError, match="expected 1 to 400"):
        search(BASE, space, tmp_path / "out", trials=1, sampler="tpe")
    assert list(tmp_path.iterdir()) == []
    search(BASE, SPACE, tmp_path / "out", trials=1)
    with pytest.raises(ValueError, match="expected 1 to 300"):  # a stage that is added
        search(BASE, SPACE, tmp_path / "out", trials=1, fine=Fine(1, base=replace(BASE, train="300", batch_size=400)))
    assert kept(tmp_path / "out")["fine"] is None


def test_a_damaged_point_is_named(tmp_path):
    search(BASE, SPACE, tmp_path, trials=11, sampler="tpe")
    entries = [json.loads(line) for line in (tmp_path / "journal.log").read_text().splitlines()]
    (place,) = (entry["user_attr"] for entry in entries if "point 10" in entry.get("user_attr", {}))
    for point in ({"lr": 2.0, "momentum": 0.5}, {"lr": "0.1", "momentum": 0.5}, {"lr": 0.1}, 7, [], None, {"lr": {}}):
        place["point 10"] = point
        (tmp_path / "journal.log").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        with pytest.raises(FileError, match=r"journal\.log, point 10: expected values of lr, momentum within"):
            search(BASE, SPACE, tmp_path, trials=12, sampler="tpe")
