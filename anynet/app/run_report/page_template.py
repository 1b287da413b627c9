"""The template of a page, which escapes every text that is put into it."""

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import anynet
from anynet.app.run_report.run_summary import duration, percent
from anynet.core.formatting import format_value


def rendered(values: dict[str, Any]) -> str:
    """Return the page with these values."""
    return _environment().get_template("page.html").render(values)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("anynet.app.run_report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (files("anynet.app.run_report") / "templates" / "style.css").read_text(encoding="utf-8")
    made.filters |= {
        "percent": percent,
        "value": format_value,
        "duration": duration,
        "number": number,
        "quantile": quantile,
    }
    made.globals |= {"version": anynet.__version__, "style": Markup(style)}
    return made


def number(value: object, digits: int = 4) -> str:
    """Return a number with some digits; a dash for none, and text as it is."""
    if value is None:
        return "\N{EN DASH}"
    return f"{value:.{digits}g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def quantile(name: str) -> str:
    """Return the word for a quantile, from 0 to 1: "median", "largest", or one such as "90 % quantile of the"."""
    words = {0.5: "median", 1.0: "largest"}
    return words.get(float(name), f"{100 * float(name):g} % quantile of the")
