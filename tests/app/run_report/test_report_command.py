"""``python -m anynet report``, and the pages that runs write at their end."""

import json
import shutil
import webbrowser

import pytest
from commands import refused, small, train
from pages import read_page
from report_folders import run_folder, search_folder

from anynet.app import cli
from anynet.app.run_report import own_pages

pytestmark = pytest.mark.usefixtures("few_pictures", "empty_pictures")


@pytest.fixture
def run(tmp_path):
    """A run by hand."""
    return run_folder(tmp_path / "run")


def test_the_page_is_written_into_the_folder_again_and_again(run, capsys):
    for _ in range(2):
        cli.main(["report", "run"])
    assert capsys.readouterr().out == "the page is in run/report.html\n" * 2
    assert "86.67" in read_page(run / "report.html").all("h1")[0].text


def test_several_runs_have_a_page_of_their_own(run, tmp_path, capsys):
    run_folder(tmp_path / "other", settings={"lr": 0.5})
    cli.main(["report", "run", "other", "--out", "both.html"])
    assert capsys.readouterr().out == "the page is in both.html\n"
    assert "Of 2 runs" in (tmp_path / "both.html").read_text()
    assert not (run / "report.html").exists()


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["nothing"], "nothing: no such folder; expected the folder of a run, a sweep or a search"),
        (
            ["run/config.toml"],
            "run/config.toml: expected the folder of a run, a sweep or a search, got a file; give the folder",
        ),
        (
            ["empty"],
            "empty: expected the folder of a run, a sweep or a search, got another folder, without config.toml",
        ),
        (
            ["."],
            ".: expected the folder of a run, a sweep or a search, got one that has 1 of them; give them, such as run",
        ),
        (["old"], "got that of a sweep of an earlier version, without points.json; give its member-N folders"),
        (
            ["run", "search"],
            "report: expected one folder, or several of runs, got search, that of a search; give it alone",
        ),
        (["run", "--out", "there.html"], "there.html: expected a new file, but it exists; choose another name"),
        (["run", "--out", "no/page.html"], "its folder no does not exist; create it or choose another"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_line(run, tmp_path, capsys, tokens, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "old" / "member-0").mkdir(parents=True)
    (tmp_path / "old" / "members.csv").touch()
    (tmp_path / "there.html").touch()
    search_folder(tmp_path / "search").rename(tmp_path / "empty" / "search") if tokens == ["."] else search_folder(
        tmp_path / "search"
    )
    said = refused(capsys, "report", *tokens)
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("found", [True, False])
def test_a_browser_is_opened_if_there_is_one(run, monkeypatch, capsys, found):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or found)
    cli.main(["report", "run", "--open"])
    url = (run / "report.html").as_uri()
    assert opened == [url]
    said = capsys.readouterr().out
    assert said == ("the page is in run/report.html\n" if found else f"no browser was found; open {url}\n")


@pytest.mark.usefixtures("real_pages", "blank_plots")
def test_a_run_writes_its_page(tmp_path, capsys):
    train("--lr", "0.03")
    page, result = (
        read_page(tmp_path / "out" / "report.html"),
        json.loads((tmp_path / "out" / "result.json").read_text()),
    )
    assert f"{100 * result['best_test_accuracy']:.2f} %" in page.all("h1")[0].text
    assert {"start", "training", "evaluation", "test"} <= result["seconds_of"].keys()
    assert sum(result["seconds_of"].values()) - result["seconds_of"]["start"] <= result["seconds"] + 0.01
    assert "report.html" not in capsys.readouterr().err


@pytest.mark.usefixtures("real_pages", "blank_plots")
def test_a_run_that_diverges_writes_its_page(tmp_path, capsys):
    assert "no longer finite" in refused(capsys, *small("--lr", "1e30", "--schedule", "constant", "--norm", "none"))
    assert "diverged" in read_page(tmp_path / "out" / "report.html").all("h1")[0].text


@pytest.mark.usefixtures("no_plots")
def test_a_page_that_cannot_be_written_is_one_line(monkeypatch, capsys, tmp_path):
    def fail(folder, file):
        raise RuntimeError("no template")

    monkeypatch.setattr(own_pages, "write_own_page", fail)
    train()
    said = capsys.readouterr()
    assert "out: report.html not made (no template); everything else was written" in said.err
    assert "results in out" in said.out
    assert not (tmp_path / "out" / "report.html").exists()


def test_an_analysis_is_made_again(trained, tmp_path, capsys):
    """From the images that the settings name; it is the one that the training wrote."""
    shutil.copytree(trained.folder, tmp_path / "run")
    written = json.loads((tmp_path / "run" / "analysis.json").read_text())
    (tmp_path / "run" / "analysis.json").unlink()
    cli.main(["report", "run", "--analyze"])
    assert json.loads((tmp_path / "run" / "analysis.json").read_text()) == written
    assert capsys.readouterr().err == "run: predicting 100 test images\n"
    page = read_page(tmp_path / "run" / "report.html")
    assert page.all("section", **{"aria-labelledby": "mistakes"})


def test_nothing_is_downloaded_for_an_analysis(tmp_path, capsys, monkeypatch):
    run_folder(tmp_path / "run", analysis=None)
    monkeypatch.setenv("ANYNET_CACHE", str(tmp_path / "cache"))
    said = refused(capsys, "report", "run", "--analyze")
    assert said.startswith(
        "anynet: --analyze: expected the images of CIFAR-10 on this machine, got none; download them"
    )
    assert not (tmp_path / "cache").exists()
