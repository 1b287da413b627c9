"""Commands whose output cannot be encoded or written, and Control-C before they begin."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import small

from anynet.__main__ import main

ROOT = Path(__file__).parents[2]
ON_FEW_IMAGES = """
import sys
sys.path.append("tests")
from few_images import few_images
from anynet.__main__ import main
from anynet.data import sources
sources.draw = few_images
main()
"""


class NoReader(io.StringIO):
    """A terminal that is gone."""

    def isatty(self):
        return True

    def write(self, text):
        raise BrokenPipeError

    def flush(self):
        raise BrokenPipeError


def plain(encoding):
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


STREAMS = {
    "None": lambda: None,
    "no reader": NoReader,
    "ascii": lambda: plain("ascii"),
    "cp1252": lambda: plain("cp1252"),
}


@pytest.mark.parametrize("make", STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("flags", [[], ["--seeds", "2", "--sweep", "lr=0.01,0.02"]], ids=["net", "sweep"])
@pytest.mark.usefixtures("few_pictures", "no_plots")
def test_training_goes_on_whatever_its_streams_are(tmp_path, monkeypatch, make, flags):
    monkeypatch.setattr(sys, "stdout", make())
    monkeypatch.setattr(sys, "stderr", make())
    main(small("--hidden", "5", *flags))
    assert 0 <= json.loads((tmp_path / "out" / "result.json").read_text())["best_test_accuracy"] <= 1
    assert (tmp_path / "out" / "curves.png").exists()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["--help"], "gradcheck"),
        (["train", "--help"], "--hidden"),
        (["presets", "garcia-sanz"], "garcia-sanz/2"),
        (["backends"], "numpy"),
        (["data", "synthetic"], "test_batch: 100 images"),
        (["gradcheck", "--train", "400", "--val", "100", "--hidden", "", "--probes", "5"], "all gradients agree"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("few_pictures")
def test_commands_are_printed_in_every_encoding(monkeypatch, command, shown, encoding):
    stdout = plain(encoding)
    monkeypatch.setattr(sys, "stdout", stdout)
    main(command)
    assert shown in stdout.buffer.getvalue().decode(encoding)


def run(command, **variables):
    environment = os.environ | {"PYTHONPATH": f"{ROOT}"} | variables
    shell = ["bash", "-o", "pipefail", "-c", command]
    return subprocess.run(shell, capture_output=True, text=True, check=False, cwd=ROOT, env=environment, timeout=60)


@pytest.mark.skipif(sys.platform == "win32", reason="the command is bash's")
@pytest.mark.parametrize(
    ("streams", "said"),
    [
        (">&- 2>&-", ""),
        (">/dev/full", "anynet: the output could not be written: [Errno 28] No space left on device\n"),
        ("| head -1", ""),
    ],
)
def test_real_streams_that_fail(streams, said):
    ended = run(f"'{sys.executable}' -m anynet presets {streams}", COLUMNS="80")
    assert (ended.returncode, ended.stderr) == (0, said)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the command is bash's")
@pytest.mark.parametrize("streams", ["", "2>&-", ">&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
def test_real_training_on_streams_that_fail(tmp_path, streams):
    flags = f"train --data synthetic --train 400 --val 100 --hidden 5 --epochs 1 --out '{tmp_path / 'out'}'"
    ended = run(f"'{sys.executable}' -c '{ON_FEW_IMAGES}' {flags} {streams}", PYTHONIOENCODING="ascii")
    assert ended.returncode == 0
    assert json.loads((tmp_path / "out" / "result.json").read_text())["epochs"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize("package", ["array_api_compat", "cyclopts"])
@pytest.mark.parametrize("program", ["-m anynet", "train.py", "{tmp}/anynet"])
def test_control_c_during_imports_ends_in_one_line(tmp_path, package, program):
    """Packages that the library, and the command line, import; one of them sends the signal."""
    (tmp_path / f"{package}.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)"
    )
    (tmp_path / "anynet").write_text("from anynet.__main__ import main\nmain()\n")  # as pip writes scripts
    ended = run(f"'{sys.executable}' {program.format(tmp=tmp_path)} --help", PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "anynet: interrupted before it began\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize(
    ("package", "command"), [("safetensors", "train --help"), ("torch", "train --data synthetic --backend torch")]
)
def test_control_c_that_an_import_would_swallow_ends_in_one_line(tmp_path, package, command):
    """Packages that a command, and a backend, import; they catch everything."""
    (tmp_path / f"{package}.py").write_text(
        "import os, signal, time\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(9)\n"
        "except BaseException:\n    pass"
    )
    ended = run(f"'{sys.executable}' -m anynet {command}", PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "anynet: interrupted before it began\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_control_c_is_left_alone_where_anynet_is_a_library():
    ended = run(f"'{sys.executable}' -c 'import anynet, signal; print(signal.getsignal(signal.SIGINT).__name__)'")
    assert ended.stdout == "default_int_handler\n"


@pytest.mark.parametrize(
    ("option", "variables"),
    [("-OO", {"LC_ALL": "C", "PYTHONUTF8": "0"}), ("-W error", {"COLUMNS": "20", "TERM": "dumb"})],
)
def test_help_needs_neither_docstrings_nor_a_locale(option, variables):
    ended = run(f"'{sys.executable}' {option} -m anynet train --help", **variables)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "--out" in ended.stdout
