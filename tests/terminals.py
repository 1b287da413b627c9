"""Terminals that are none, for tests of what is shown on them."""

import io
import re


class Terminal(io.StringIO):
    """A text stream that says that it is a terminal."""

    def isatty(self):
        return True

    @property
    def lines(self):
        """Text that was written, each state of a progress bar as a line, without the marks that move the cursor."""
        text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", self.getvalue())
        return [line.rstrip() for line in re.split(r"[\r\n]+", text)]
