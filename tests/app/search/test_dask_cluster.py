"""Connections to Dask clusters that do not come about, and clusters without workers."""

import contextlib
import os
import re
import signal
import socket
import threading
import time

import distributed
import pytest
from commands import refused
from search_worker import many
from test_dask import LOCAL, OPTIONS

from anynet.app import cli
from anynet.app.search import dask_cluster, dask_pool

pytestmark = [
    pytest.mark.usefixtures("few_pictures", "blank_plots"),
    pytest.mark.filterwarnings("ignore::anynet.training.TrainingWarning"),  # batches of one
]


def test_an_address_with_a_password(tmp_path, capsys):
    said = refused(capsys, *OPTIONS, "--dask", "tcp://me:s3cret@127.0.0.1:1")
    assert said.startswith("anynet: --dask: expected HOST:PORT, got a user or a password before it")
    assert "s3cret" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_no_scheduler(capsys, monkeypatch):
    """It takes the connection and says nothing."""
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        said = refused(capsys, *OPTIONS, "--dask", f"127.0.0.1:{server.getsockname()[1]}")
    assert "got an error: what listens there does not answer as a scheduler; start one" in said
    assert said.count("\n") == 1


def test_workers_that_come_later(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(dask_pool, "POLL_SECONDS", 0.02)
    with distributed.LocalCluster(n_workers=0, processes=False, **LOCAL) as cluster:
        threading.Timer(0.3, cluster.scale, [1]).start()
        assert len(many(tmp_path / "out", 2, dask=cluster.scheduler_address)) == 2
    said = "anynet: --dask inproc://.*: no workers are there; the search waits for them\n"
    assert re.fullmatch(said, capsys.readouterr().err)


def test_local_workers_that_do_not_start(capsys, monkeypatch):
    def fail(**options):
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr(distributed, "LocalCluster", fail)
    said = refused(capsys, *OPTIONS, "--dask", "local")
    assert said == (
        "anynet: --dask local: expected workers that start, got an error: Nanny failed to start.; in a program, call "
        'search under: if __name__ == "__main__":\n'
    )


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_workers_are_closed_if_their_start_is_interrupted(tmp_path, monkeypatch):
    closed = []

    class Starting(contextlib.AbstractContextManager):
        def __init__(self, **options):
            time.sleep(0.1)  # until the search waits for it
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.1)

        def __exit__(self, *error):
            closed.append(True)

    monkeypatch.setattr(distributed, "LocalCluster", Starting)
    with pytest.raises(SystemExit, match="143"):
        cli.main([*OPTIONS[:-1], str(tmp_path / "out"), "--dask", "local"])
    assert closed == [True]
    assert list(tmp_path.iterdir()) == []
