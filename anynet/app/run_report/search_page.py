"""Values for the page of a search."""

from typing import Any

from anynet import plots
from anynet.app.run_report.inline_svg import InlinePictures
from anynet.app.run_report.make_again import search_command
from anynet.app.run_report.run_summary import data_notices, percent
from anynet.app.run_report.search_files import SearchFiles
from anynet.app.run_report.setting_tables import setting_tables
from anynet.app.search.trial import STATES
from anynet.core.formatting import format_count, format_settings, format_value

SHOWN = 10
"""Number of trials that the ranking shows at once."""


def search_values(pictures: InlinePictures, search: SearchFiles) -> dict[str, Any]:
    """Return what the templates show of a search."""
    scores = [(trial.settings, trial.best_val_accuracy) for trial in search.trials]
    picture = None
    if any(accuracy is not None for _, accuracy in scores):
        names = " and ".join(scores[0][0])
        label = f"validation accuracy of {len(scores)} trials over {names}; the ranking has the numbers"
        title = "validation accuracy over the searched settings"
        log = {name: part["log"] for name, part in search.search["space"].items() if "log" in part}
        states = [trial.state for trial in search.trials]
        picture = pictures.add(plots.trials(scores, title, format_value, states=states, log=log), label)
    return {
        "title": search_sentence(search),
        "notices": data_notices(search.trials[0].dataset if search.trials else "", None),
        "facts": search_facts(search),
        "search": search,
        "parts": [],
        "picture": picture,
        "importances": search.importances,
        "shown": SHOWN,
        "settings": setting_tables([search.search["base"]]),
        "command": search_command(search.search, str(search.path)),
    }


def search_sentence(search: SearchFiles) -> str:
    """Return the result of a search in one sentence."""
    accuracy = search.trials[0].best_val_accuracy if search.trials else None
    if accuracy is None:
        return f"This search has {format_count(len(search.trials), 'trial')}, none with a result."
    best, many = search.trials[0], format_count(len(search.trials), "trial")
    tested = "" if best.test_accuracy is None else f", and {percent(best.test_accuracy)} of the test samples"
    return (
        f"The best of {many} on {best.dataset} classifies {percent(accuracy)} of the validation samples "
        f"correctly{tested}, with {format_settings(best.settings)}."
    )


def search_facts(search: SearchFiles) -> list[tuple[str, str]]:
    """Return the first numbers of a search's page, with their names."""
    states = {state: sum(trial.state == state for trial in search.trials) for state in STATES}
    facts = [("trials", f"{len(search.trials)}")]
    facts += [(state, f"{count}") for state, count in states.items() if count and count < len(search.trials)]
    if search.trials and search.trials[0].best_val_accuracy is not None:
        facts.append(("best validation accuracy", percent(search.trials[0].best_val_accuracy)))
    return facts
