"""Storages that cannot be used, or have another search: one line, without the password, and nothing written."""

import json
from dataclasses import replace

import optuna
import pytest
from commands import refused
from search_worker import BASE, SPACE
from servers import free_port

import anynet
from anynet.app.search import Grid, search, search_stages
from anynet.app.search.stores import open_store
from anynet.app.search.stores.storage_url import parse_url

pytestmark = pytest.mark.usefixtures("few_pictures", "blank_plots")

OPTIONS = ["search", "--train", "400", "--val", "100", "--hidden", "5", "--over", "lr=0.1,0.2", "--out", "out"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("hunter2", "expected a URL such as postgresql://..."),
        ("postgres://me:hunter2@host/db", 'another scheme than "postgres"; did you mean "postgresql"?'),
        ("postgresql+psycopg2://me:hunter2@host/db", 'another scheme than "postgresql+psycopg2"'),
        ("me:hunter2://host", "another scheme than another"),
        ("postgresql://me:hun/hunter2@host/db", "expected SCHEME://USER:PASSWORD@HOST:PORT/DATABASE, with special"),
        ("postgresql://me:7/hunter2@host/db", "expected SCHEME://USER:PASSWORD@HOST:PORT/DATABASE, with special"),
        ("postgresql://me:7#hunter2@host/db", "expected SCHEME://USER:PASSWORD@HOST:PORT/DATABASE, with special"),
        ("mysql://me:7?hunter2@host/db", "expected SCHEME://USER:PASSWORD@HOST:PORT/DATABASE, with special"),
        ("redis://host/hunter2", "expected redis://:PASSWORD@HOST:PORT/NUMBER and nothing behind the number"),
        ("redis://host/0?password=hunter2", "and nothing behind the number"),
        ("journal://file", "expected journal:///, and the absolute path of a file"),
        ("journal:///nowhere/journal", "--storage: expected a file in a folder, there is no /nowhere; make it"),
    ],
)
def test_a_url_that_is_none(tmp_path, capsys, url, message):
    said = refused(capsys, *OPTIONS, "--storage", url)
    assert message in said
    assert said.count("\n") == 1
    assert "hunter2" not in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "redis"])
def test_a_server_that_does_not_answer(tmp_path, capsys, monkeypatch, scheme):
    pytest.importorskip(parse_url(f"{scheme}://").driver)
    port = free_port()
    monkeypatch.setenv("ANYNET_STORAGE", f"{scheme}://:hunter2@127.0.0.1:{port}/0")
    said = refused(capsys, *OPTIONS)
    assert said.startswith(f"anynet: {scheme}://127.0.0.1:{port}/0: expected a storage that answers, got an error: ")
    assert said.count("\n") == 1
    assert "hunter2" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_driver_that_is_not_installed(capsys, monkeypatch):
    monkeypatch.setattr(open_store, "find_spec", lambda name: None)
    assert refused(capsys, *OPTIONS, "--storage", "mysql://me:hunter2@host/db") == (
        "anynet: --storage: mysql needs the package pymysql; install it with: pip install '.[storage]'\n"
    )


def test_passwords_are_replaced_wherever_they_are_said():
    url = parse_url("postgresql://me:a%2Fb@host:5/db?sslpassword=c")
    assert (url.shown, url.path) == ("postgresql://host:5/db", "db")
    assert url.hidden('FATAL: "a/b", "a%2Fb" of me:a%2Fb and sslpassword=c') == 'FATAL: "***", "***" of *** and ***'


@pytest.fixture
def storage(tmp_path, monkeypatch):
    """The URL of a journal that has a search "out", of which no trial was made."""

    def interrupt(*args):
        raise KeyboardInterrupt

    url = f"journal://{tmp_path}/journal"
    with monkeypatch.context() as patch:
        patch.setattr(search_stages, "train_trials", interrupt)
        with pytest.raises(KeyboardInterrupt):
            search(BASE, SPACE, tmp_path / "here" / "out", trials=4, storage=url)
    return url


def test_other_settings(tmp_path, storage):
    with pytest.raises(ValueError, match="search out holds another search: epochs is 2 there and 3 here; give the"):
        search(replace(BASE, epochs=3), SPACE, tmp_path / "out", trials=4, storage=storage)
    assert not (tmp_path / "out").exists()


def test_another_version(tmp_path, storage, monkeypatch):
    monkeypatch.setattr(anynet, "__version__", "9.9")
    with pytest.raises(ValueError, match=r"out: expected a search of anynet 9\.9, got one of .*; choose another"):
        search(BASE, SPACE, tmp_path / "out", trials=4, storage=storage)


def test_another_study(tmp_path, storage):
    store = open_store.open_store(storage, tmp_path / "taken")
    study = optuna.create_study(study_name="taken/coarse", storage=store.storage)
    study.optimize(lambda trial: 1.0, n_trials=1)
    with pytest.raises(ValueError, match=r"search taken: expected a search of anynet .*, got another study; choose"):
        search(BASE, SPACE, tmp_path / "taken", trials=4, storage=storage)


def test_trials_are_in_the_folder_or_in_the_storage(tmp_path, storage):
    here = tmp_path / "here" / "out"
    assert json.loads((here / "search.json").read_text())["storage"] == storage
    with pytest.raises(ValueError, match="expected --storage, since the trials are in journal:///"):
        search(BASE, SPACE, here, trials=4)
    search(BASE, {"lr": Grid((0.1,))}, tmp_path / "out")
    with pytest.raises(ValueError, match=r"expected no --storage, since the trials are in journal\.log"):
        search(BASE, {"lr": Grid((0.1,))}, tmp_path / "out", storage=storage)
