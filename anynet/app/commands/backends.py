"""``anynet backends``."""

from anynet.app.commands.backends_table import table


def backends() -> None:
    """Which array libraries can be used here, with their devices and memory, or what would mend those that cannot."""
    table()
