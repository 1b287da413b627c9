"""The application: settings, run folders, searches, reports and the command line.

It needs the packages of the extra ``app``; importing it without them raises ModuleNotFoundError.
"""

from importlib.util import find_spec

from anynet.core.extras import install_command

PACKAGES = (
    "cyclopts",
    "filelock",
    "jinja2",
    "markdown",
    "matplotlib",
    "optuna",
    "PIL",
    "pooch",
    "requests",
    "rich",
    "safetensors",
    "scipy",
    "tomli_w",
    "urllib3",
    "yaml",
)
"""Modules of the extra ``app``, as listed in pyproject.toml."""

_missing = [name for name in PACKAGES if find_spec(name) is None]
if _missing:
    raise ModuleNotFoundError(
        f"the application needs {', '.join(_missing)}; install it with: {install_command('app')}", name=_missing[0]
    )
