"""Commands of ``python train.py`` and ``python -m anynet``."""

import inspect
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from cyclopts import App, ArgumentCollection
from cyclopts.config import Dict

import anynet
from anynet.app.compile_warnings import show_in_one_line
from anynet.app.config import Config, layer_settings, refuse_layers
from anynet.app.reports import preset as find_preset
from anynet.app.user_code import told_in_one_line
from anynet.compiler import CompileError
from anynet.core import interrupts
from anynet.core.errors import Error, is_disk_full
from anynet.core.formatting import first_line, printable
from anynet.core.ranks import RankLost


def fill_in(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Replace the defaults of settings by those of ``--preset`` or ``--resume``, if given; called by cyclopts."""
    given = {argument.name.removeprefix("--") for argument in arguments if argument.tokens}
    if "net" in given:
        refuse_layers("--net", layer_settings(given))
    for argument in arguments:
        if argument.name == "--preset" and argument.tokens:
            preset = argument.tokens[0].value
            settings, file = find_preset(preset)
            if "net" in given:
                refuse_layers("--net", [f"--preset {preset}"] if layer_settings(settings) else [])
            elif "net" in settings:
                refuse_layers(f"--preset {preset}", layer_settings(given))
            Dict({commands[0]: settings}, source=file)(app, commands, arguments)
        if argument.name == "--resume" and argument.tokens:
            from anynet.app.resuming import defaults  # here, because other commands need it not

            folder = argument.tokens[0].value
            Dict({commands[0]: defaults(Path(folder))}, source=folder)(app, commands, arguments)


app = App(
    name="anynet",
    help=anynet.__doc__,
    version=anynet.__version__,
    config=fill_in,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
COMMANDS = {
    "train": "Train a classifier, by default on CIFAR-10.",
    "runs": """List the runs, sweeps and searches under a folder; runs diff A B compares two.

    A folder that cannot be read is a line on stderr.
    """,
    "predict": "Classify image files with a trained net.",
    "features": "Draw the outputs of a layer of a trained net for image files.",
    "confusions": "Draw the test images of each class that a trained net most probably takes for another class.",
    "export": "Write a trained net as a file for ONNX, PyTorch or Keras.",
    "report": "Write a page about a run, a sweep or a search, or about several runs: one HTML file.",
    "search": """Search hyperparameters.

    After an interruption, run the same command again to continue; a larger --trials or --fine adds trials. Several
    processes with the same command share the work.
    """,
    "lr": """Find a learning rate: train some steps, each with a higher one, and look where the loss falls fastest.

    Nothing is kept. --lr, --schedule, --warmup, --epochs and --drop-last have no effect.
    """,
    "gradcheck": """Check a net's gradients against finite differences.

    The exit code is 1 if a gradient is wrong. Options under Training are accepted, because presets contain them, but
    have no effect on the check.
    """,
    "presets": "List the presets of train, search, gradcheck and lr; or show the settings of one.",
    "reproduce": """Repeat the experiments of five student reports.

    After an interruption, run the same command again to continue.
    """,
    "data": "Find, download and verify the images.",
    "backends": "List array libraries and devices.",
}
"""Help by command. The first line is also in the list of commands."""

USAGE = {
    "predict": "predict RUN IMAGES... [OPTIONS]",
    "features": "features RUN IMAGES... --layer NAME [OPTIONS]",
    "confusions": "confusions RUN [OPTIONS]",
    "export": "export RUN --out FILE [OPTIONS]",
    "report": "report RUN [RUN...] [OPTIONS]",
    "reproduce": "reproduce [REPORTS...] [OPTIONS]",
    "presets": "presets [NAME]",
    "data": "data [DATA] [OPTIONS]",
}
"""Usage of commands with positional arguments, which cyclopts calls ARGS."""

MODULES = {"runs": "list_runs"}
"""Modules of commands that have other names."""

for place, (command, text) in enumerate(COMMANDS.items()):  # their modules are imported when they are called
    app.command(
        f"anynet.app.commands.{MODULES.get(command, command)}:{command}",
        name=command,
        help=inspect.cleandoc(text),
        sort_key=place,
        **({"usage": f"Usage: anynet {USAGE[command]}"} if command in USAGE else {}),
    )


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command line.

    Parameters
    ----------
    tokens : sequence of str, optional
        Command and options. Default: those in ``sys.argv``.

    Raises
    ------
    SystemExit
        With one line on stderr: code 2 for errors that a user can fix, 130 after Control-C.
    """
    try:
        with warnings.catch_warnings():  # restores how they are shown
            show_in_one_line()
            command, arguments, _ = app.parse_args(tokens)  # imports the command's module
            interrupts.raise_as_usual()  # the commands say themselves what was kept
            with told_in_one_line():
                command(*arguments.args, **arguments.kwargs)
    except CompileError as error:
        sys.exit(_fail(f"{error}; --compile auto runs them more slowly", 2))
    except OSError as error:
        sys.exit(_fail(_explain(error), 2))
    except (Error, ValueError) as error:
        sys.exit(_fail(_with_options(str(error)), 2))
    except MemoryError as error:  # its message is the library's
        sys.exit(_fail(f"out of memory: {first_line(error)}; try a smaller net, batch or --memory-budget", 2))
    except RankLost as error:
        sys.exit(_fail(str(error), 2))
    except KeyboardInterrupt as error:
        sys.exit(_fail(str(error) or "interrupted", 130))
    finally:
        interrupts.ignore()  # Python's own end takes a while, and would show where it is


def _with_options(message: str) -> str:
    """Return a message about settings with the names of their options, such as --batch-size for batch_size."""
    names, colon, rest = message.partition(": ")
    settings = names.split(", ")
    if not colon or not all(hasattr(Config, name) for name in settings):
        return message
    return ", ".join(f"--{name.replace('_', '-')}" for name in settings) + colon + rest


def _explain(error: OSError) -> str:
    """Return an error's message; for one of the system with a file, what to do about it."""
    if isinstance(error, Error) or not (error.filename and error.strerror):
        return str(error)
    if is_disk_full(error):
        return f"{error.filename}: cannot be written ({error.strerror}); free some space"
    if isinstance(error, FileNotFoundError):
        advice = "check the name"
    else:
        advice = "check its permissions, or move it away, or choose another"
    return f"{error.filename}: {error.strerror}; {advice}"


def _fail(message: str, code: int) -> int:
    print(f"anynet: {printable(message, 10_000)}", file=sys.stderr)  # a name may hold a line break
    return code
