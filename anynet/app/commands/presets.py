"""``anynet presets``."""

from rich import box
from rich.console import Console
from rich.table import Table

from anynet.app.reports import RECIPES, recipes, reports
from anynet.core.formatting import format_settings


def presets() -> None:
    """List the presets of train, search and gradcheck, with their settings and the reports' results."""
    table = Table("preset", "settings", "result in the report", box=box.SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    for report in (*reports().values(), recipes()):
        table.add_row(f"[bold]{report.name}[/]", f"[bold]{report.title}[/] ({report.author})")
        for name, configuration in report.configurations.items():
            shared = report.shared if len(report.configurations) > 1 else {}
            own = {key: value for key, value in configuration.settings.items() if key not in shared}
            claims = [f"{key.replace('_', ' ')} {value:.2%}" for key, value in configuration.claims.items()]
            prefix = "" if report.name == RECIPES else f"{report.name}/"
            table.add_row(f"{prefix}{name}", format_settings(own), "\n".join(claims))
    Console().print(table)
