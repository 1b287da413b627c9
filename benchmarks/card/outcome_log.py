"""Pytest plugin that writes down each test as it ends, so that results survive a killed process.

    python -m pytest -p benchmarks.card.outcome_log --outcome-log FILE

`summary` reads the file, which has a line of JSON for each start and end of a test.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # the summary needs no pytest
    import pytest

STARTED = "started"


def pytest_addoption(parser: "pytest.Parser") -> None:
    """Add the option."""
    parser.addoption("--outcome-log", type=Path, help="file for a line of JSON as each test starts and ends")


def pytest_configure(config: "pytest.Config") -> None:
    """Open the file, if one is given; of pytest-xdist's processes only the one that hears of all tests does."""
    if (path := config.getoption("--outcome-log")) is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Log(path))


class _Log:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", buffering=1)  # a line is written when it ends

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._write(nodeid, STARTED)

    def pytest_runtest_logreport(self, report: "pytest.TestReport") -> None:
        if report.when == "call" or not report.passed:
            self._write(report.nodeid, report.outcome, report.longreprtext)

    def pytest_collectreport(self, report: "pytest.CollectReport") -> None:
        if report.failed:
            self._write(report.nodeid, report.outcome, report.longreprtext)

    def _write(self, test: str, outcome: str, text: str = "") -> None:
        self._file.write(json.dumps({"test": test, "outcome": outcome, "text": text}) + "\n")


class Summary(NamedTuple):
    """Numbers of tests that passed and were skipped, names of those that failed, and of one that has not ended."""

    passed: int
    failed: list[str]
    skipped: int
    running: str | None

    def __str__(self) -> str:
        return f"{self.passed} passed, {len(self.failed)} failed, {self.skipped} skipped"


def summary(path: Path) -> Summary:
    """Return what a file says, if there is one; the last line may be incomplete."""
    outcomes: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        with suppress(json.JSONDecodeError):
            entry = json.loads(line)
            outcomes[entry["test"]] = entry["outcome"]
    tests: dict[str, list[str]] = {outcome: [] for outcome in ("passed", "failed", "skipped", STARTED)}
    for test, outcome in outcomes.items():
        tests[outcome].append(test)
    running = next(iter(tests[STARTED]), None)
    return Summary(len(tests["passed"]), tests["failed"], len(tests["skipped"]), running)
