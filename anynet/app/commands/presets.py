"""``anynet presets``."""

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console

from anynet.app.reports import RECIPES, Report, recipes, reports
from anynet.core.checks import nearest
from anynet.core.formatting import FIXED_SPACE, format_settings

NARROWEST = 40


def presets(name: str | None = None, /) -> None:
    """List the presets of train, search, gradcheck and lr; or show the settings of one.

    Parameters
    ----------
    name
        A preset, such as resnet9 or garcia-sanz/3, or a report, such as garcia-sanz, for all of its presets: their
        settings that are not the defaults, and the report's results.
    """
    console = Console()
    if name is None:
        _list(console)
        return
    every = {report.name: report for report in (*reports().values(), recipes())}
    if name in every:
        _show_report(console, every[name])
        return
    for report in every.values():
        for each in report.configurations:
            if _full_name(report, each) == name:
                _print(console, _described(name, report, each, {}), "")
                return
    known = [_full_name(report, each) for report in every.values() for each in report.configurations]
    raise ValueError(f'presets: there is no preset or report "{name}"{nearest(name, [*every, *known])}')


def _list(console: Console) -> None:
    own = recipes().configurations
    of_images = [name for name, configuration in own.items() if "net" in configuration.settings]
    _print(console, "convolutional nets", "", style="bold")
    _print(console, _joined(of_images), "  ")
    _print(console, "fully connected nets", "", style="bold")
    _print(console, _joined(name for name in own if name not in of_images), "  ")
    for report in reports().values():
        _print(console, f"{report.name}/  {report.title} ({report.author})", "", style="bold")
        _print(console, _joined(report.configurations), "  ")
    _print(console, "use one with --preset garcia-sanz/3; show its settings with anynet presets garcia-sanz/3", "")


def _show_report(console: Console, report: Report) -> None:
    _print(console, f"{report.name}  {report.title} ({report.author})", "", style="bold")
    if report.shared:
        _print(console, f"all: {_settings(report.shared)}", "  ")
    for name in report.configurations:
        _print(console, _described(_full_name(report, name), report, name, report.shared), "  ")


def _full_name(report: Report, name: str) -> str:
    return name if report.name == RECIPES else f"{report.name}/{name}"


def _described(title: str, report: Report, name: str, shared: Mapping[str, Any]) -> str:
    """Return the title of a configuration, its settings without those that are shared, and the report's results."""
    configuration = report.configurations[name]
    own = {key: value for key, value in configuration.settings.items() if key not in shared}
    return f"{title}  {_settings(own)}{_claims(configuration.claims)}"


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(_unbroken(format_settings({key: value})) for key, value in settings.items())


def _claims(claims: Mapping[str, Any]) -> str:
    texts = [_unbroken(f"{key.replace('_', ' ')} {value:.2%}") for key, value in claims.items()]
    return f"; {', '.join(texts)} in the report" if texts else ""


def _joined(names: Iterable[str]) -> str:
    return ", ".join(map(_unbroken, names))


def _unbroken(text: str) -> str:
    return text.replace(" ", FIXED_SPACE)


def _print(console: Console, text: str, indent: str, **options: Any) -> None:
    """Print a paragraph with a hanging indent."""
    width = max(NARROWEST, console.width)
    lines = textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent + "    ", break_on_hyphens=False)
    for line in lines:
        console.print(line.replace(FIXED_SPACE, " "), soft_wrap=True, highlight=False, markup=False, **options)
