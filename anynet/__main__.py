"""The command line: ``python -m anynet``."""

import sys
from collections.abc import Sequence

from anynet.core.streams import lenient_streams


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command line.

    Parameters
    ----------
    tokens : sequence of str, optional
        Command and options. Default: those in ``sys.argv``.

    Raises
    ------
    SystemExit
        With code 2 and one line on stderr if a package of the extra ``app`` is not installed, and as
        `anynet.app.cli.main` raises it.
    """
    with lenient_streams():
        try:
            from anynet.app import cli  # here, because the packages of the extra "app" may be missing
        except ModuleNotFoundError as error:
            print(f"anynet: {error}", file=sys.stderr)
            sys.exit(2)
        cli.main(tokens)


if __name__ == "__main__":
    main()
