"""The command line: ``python train.py`` and ``python -m anynet``."""

import sys
from collections.abc import Sequence

from cyclopts import App, ArgumentCollection
from cyclopts.config import Dict

import anynet
from anynet.app.reports import preset as find_preset
from anynet.backends import BackendError
from anynet.backends.base import first_line
from anynet.training import DivergedError, OutOfMemoryError


def fill_from_preset(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Where a preset is named, its settings take the place of those that were not given."""
    for argument in arguments:
        if argument.name == "--preset" and argument.tokens:
            settings, file = find_preset(argument.tokens[0].value)
            Dict({commands[0]: settings}, source=file)(app, commands, arguments)


app = App(
    name="anynet",
    help=anynet.__doc__,
    version=anynet.__version__,
    config=fill_from_preset,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
COMMANDS = {
    "train": "Train a classifier of CIFAR-10's images.",
    "predict": "Name the class of image files by a trained net.",
    "search": "Search over settings, from coarse to fine; the same command again goes on with the folder's search.",
    "gradcheck": "Prove a net's gradients by differences; exit code 1 where one is wrong.",
    "presets": "List the reports' configurations.",
    "reproduce": "Do again what the reports did, and write a page for each; goes on where it was stopped.",
    "data": "Find, download and check the images.",
    "backends": "List the array libraries that can be used here.",
}
for place, (command, words) in enumerate(COMMANDS.items()):  # their modules are imported when they are called
    app.command(f"anynet.app.commands.{command}:{command}", name=command, help=words, sort_key=place)


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command line. What a user can mend ends in one line on stderr and exit code 2."""
    try:
        app(tokens)
    except (BackendError, DivergedError, OSError, ValueError) as error:  # DataError and DownloadError are among them
        sys.exit(_fail(str(error), 2))
    except OutOfMemoryError as error:
        sys.exit(_fail(str(error), 2))
    except MemoryError as error:  # whose message is the library's
        sys.exit(_fail(f"out of memory: {first_line(error)}; a smaller net, batch or --memory-budget may fit", 2))
    except KeyboardInterrupt as error:
        sys.exit(_fail(str(error) or "stopped by hand before there was anything to keep", 130))


def _fail(message: str, code: int) -> int:
    print(f"anynet: {message}", file=sys.stderr)
    return code
