"""Commands as the tests type them: small runs, and what is said to those that are refused."""

import pytest

from anynet.app import cli

SMALL = {"--train": "400", "--val": "100", "--hidden": "20", "--epochs": "2", "--out": "out"}


def small(*flags):
    """The flags of a small run into the folder "out", those that are given in the place of its own."""
    return ["train", *(word for pair in SMALL.items() if pair[0] not in flags for word in pair), *flags]


def train(*flags):
    cli.main(small(*flags))


def refused(capsys, *tokens):
    """The one line with which the command ends, and code 2."""
    with pytest.raises(SystemExit) as end:
        cli.main(list(tokens))
    assert end.value.code == 2
    return capsys.readouterr().err


def unframed(said):
    """The words alone: messages about flags come in a frame."""
    return " ".join(said.replace("│", " ").split())
