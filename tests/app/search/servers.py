"""Servers that tests start: PostgreSQL, MariaDB and Redis on free ports, with a password, gone after the tests."""

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

PASSWORD = "s3cret{%}/@"  # of characters that mean something in a URL, in one of Optuna's templates, or in its settings
IN_URL = "s3cret%7B%25%7D%2F%40"
SECONDS = 30


def program(name: str, folders: str = "/usr/lib/postgresql/*/bin:/usr/sbin:/usr/local/sbin") -> str:
    """Return the path of a program; skip the test where it is not installed."""
    places = [place for pattern in folders.split(":") for place in sorted(glob(pattern), reverse=True)]
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *places]))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def as_another(folder: Path) -> list[str]:
    """Return the beginning of a command that root runs as nobody, who owns the folder: databases refuse root."""
    if os.name == "nt" or os.getuid() != 0:
        return []
    os.chmod(folder, 0o755)
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, "nobody", "nogroup")
    return [program("setpriv"), "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


@contextmanager
def serving(command: list[str], answers: Callable[[], bool]) -> Iterator[None]:
    """Run a server as soon as it answers, and end it."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            end = time.monotonic() + SECONDS
            while not answers():
                assert server.poll() is None, server.stdout.read()
                assert time.monotonic() < end, f"{command} does not answer"
                time.sleep(0.05)
            yield
        finally:
            server.kill()


@contextmanager
def postgresql() -> Iterator[str]:
    psycopg = pytest.importorskip("psycopg")
    initdb, postgres = program("initdb"), program("postgres")
    with TemporaryDirectory() as name:
        (folder := Path(name)).joinpath("password").write_text(PASSWORD)
        user = as_another(folder)
        options = ["--username=someone", f"--pwfile={folder}/password", "--auth=scram-sha-256", "--no-sync"]
        made = subprocess.run([*user, initdb, *options, f"{folder}/data"], capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stdout + made.stderr
        url = f"postgresql://someone:{IN_URL}@127.0.0.1:{(port := free_port())}/postgres"

        def answers() -> bool:
            try:
                psycopg.connect(url).close()
            except psycopg.OperationalError:
                return False
            return True

        with serving([*user, postgres, "-D", f"{folder}/data", "-k", name, "-p", f"{port}", "-F"], answers):
            yield url


@contextmanager
def mysql() -> Iterator[str]:
    pymysql = pytest.importorskip("pymysql")
    install, mariadbd = program("mariadb-install-db"), program("mariadbd")
    with TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        begin = f"create user someone@'127.0.0.1' identified by '{PASSWORD}';\ncreate database searches;\n"
        (folder / "begin.sql").write_text(f"{begin}grant all on searches.* to someone@'127.0.0.1';\n")
        user = as_another(folder)
        options = ["--no-defaults", f"--datadir={folder}/data", "--innodb-log-file-size=4M"]
        made = subprocess.run([*user, install, *options], capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stdout + made.stderr
        options += [f"--socket={folder}/socket", f"--port={port}", "--bind-address=127.0.0.1", f"--tmpdir={folder}"]
        options += [f"--init-file={folder}/begin.sql", f"--pid-file={folder}/pid", "--skip-name-resolve"]

        def answers() -> bool:
            try:
                pymysql.connect(host="127.0.0.1", port=port, user="someone", password=PASSWORD).close()
            except pymysql.err.OperationalError:
                return False
            return True

        with serving([*user, mariadbd, *options], answers):
            yield f"mysql://someone:{IN_URL}@127.0.0.1:{port}/searches"


@contextmanager
def redis() -> Iterator[str]:
    client = pytest.importorskip("redis")
    server, port = program("redis-server"), free_port()
    connection = client.Redis(port=port, password=PASSWORD)

    def answers() -> bool:
        try:
            return bool(connection.ping())
        except client.ConnectionError:
            return False

    with TemporaryDirectory() as name:
        options = ["--port", f"{port}", "--bind", "127.0.0.1", "--requirepass", PASSWORD, "--dir", name, "--save", ""]
        with serving([server, *options], answers), connection:
            yield f"redis://:{IN_URL}@127.0.0.1:{port}/0"


def free_address() -> str:
    """Return a name of a search that no other test has."""
    return f"search-{secrets.token_hex(4)}"


SERVERS = {"postgresql": postgresql, "mysql": mysql, "redis": redis}
