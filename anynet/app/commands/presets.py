"""``anynet presets``."""

import textwrap
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from anynet.app.reports import RECIPES, recipes, reports
from anynet.core.formatting import format_settings

NARROWEST = 40
FIXED_SPACE = "\N{NO-BREAK SPACE}"


def presets() -> None:
    """List the presets of train, search and gradcheck, with their settings and the reports' results."""
    console = Console()
    for report in (*reports().values(), recipes()):
        _print(console, f"{report.name}  {report.title} ({report.author})", "", style="bold")
        for name, configuration in report.configurations.items():
            shared = report.shared if len(report.configurations) > 1 else {}
            own = {key: value for key, value in configuration.settings.items() if key not in shared}
            prefix = "" if report.name == RECIPES else f"{report.name}/"
            parts = [_unbroken(format_settings({key: value})) for key, value in own.items()]
            text = f"{prefix}{name}  {', '.join(parts)}"
            _print(console, text + _claims(configuration.claims), "  ")


def _claims(claims: Mapping[str, Any]) -> str:
    texts = [_unbroken(f"{key.replace('_', ' ')} {value:.2%}") for key, value in claims.items()]
    return f"; {', '.join(texts)} in the report" if texts else ""


def _unbroken(text: str) -> str:
    return text.replace(" ", FIXED_SPACE)


def _print(console: Console, text: str, indent: str, **options: Any) -> None:
    """Print a paragraph with a hanging indent."""
    width = max(NARROWEST, console.width)
    lines = textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent + "    ", break_on_hyphens=False)
    for line in lines:
        console.print(line.replace(FIXED_SPACE, " "), soft_wrap=True, highlight=False, markup=False, **options)
