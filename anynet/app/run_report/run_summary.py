"""Beginning of a page: the result in one sentence, and notices that a reader needs."""

from collections.abc import Sequence
from typing import NamedTuple

from anynet.app.resuming import has_checkpoints, how_to_go_on
from anynet.app.run_report.analyzed import NumberAnalysis
from anynet.app.run_report.run_files import RunFiles
from anynet.app.run_report.sweep_files import SweepFiles
from anynet.core.formatting import format_count, format_percent
from anynet.data.sets import SETS


class Notice(NamedTuple):
    """A line at the top of a page: a warning, or what is good to know."""

    text: str
    serious: bool = True


def percent(fraction: float) -> str:
    """Return a fraction in percent with two decimals."""
    return f"{100 * fraction:.2f} %"


def run_sentence(run: RunFiles) -> str:
    """Return the result of a run in one sentence."""
    result, history, analysis = run.result, run.history, run.analysis
    if run.diverged:
        return f"This training on {run.dataset} diverged: its cost stopped being finite."
    if not result:
        return (
            f"This training on {run.dataset} has not ended, or was killed, after {format_count(len(history), 'epoch')}."
        )
    best, last = result.get("best_epoch", len(history)), result.get("epochs", len(history))
    chosen = f"after epoch {best} of {last}" if best != last else f"after {format_count(last, 'epoch')}"
    if "best_test_accuracy" in result:
        which = f"{percent(result['best_test_accuracy'])} of the test samples"
        return f"The net classifies {which} of {run.dataset} correctly {chosen}."
    if "best_val_accuracy" in result:
        which = f"{percent(result['best_val_accuracy'])} of the validation samples"
        return f"The net classifies {which} of {run.dataset} correctly {chosen}; it was not tested."
    if isinstance(analysis, NumberAnalysis) and analysis.r2[0] is not None:
        many = f"{analysis.samples:,} {_kind(analysis.split)} samples"
        of = "" if analysis.targets == 1 else " (first target)"
        return f"The net predicts the numbers of {run.dataset} with R² {analysis.r2[0]:.4g}{of} on {many} {chosen}."
    if "test_loss" in result:
        loss, after = f"{result['test_loss']:.4g}", format_count(last, "epoch")
        return f"The net has a test loss of {loss} on {run.dataset} after {after}."
    return f"The net was trained on {run.dataset} for {format_count(last, 'epoch')}; it was not tested."


def runs_sentence(runs: Sequence[RunFiles]) -> str:
    """Return the result of several runs in one sentence."""
    validated = [run for run in runs if "best_val_accuracy" in run.result]
    many = f"{len(runs)} runs on {runs[0].dataset}"
    if not validated:
        return f"{many}."
    best = max(validated, key=lambda run: float(run.result["best_val_accuracy"]))
    tested = best.result.get("best_test_accuracy")
    right = "" if tested is None else f", and classifies {percent(tested)} of the test samples correctly"
    return f"Of {many}, {best.name} is the best in validation{right}."


def sweep_sentence(sweep: SweepFiles) -> str:
    """Return the result of a sweep in one sentence."""
    result, many = sweep.result, format_count(len(sweep.members), "net")
    if not result:
        return f"This sweep of {many} has not ended, or was killed."
    best = sweep.combinations[0]
    words = [f"{many} on {result['dataset']}"]
    accuracy = best.accuracies.get("best_test_accuracy")
    if accuracy is not None:
        over = format_count(len(best.members) - len(best.diverged), "net")
        at = f" with {best.name}" if best.name and len(sweep.combinations) > 1 else ""
        spread = len(best.members) - len(best.diverged) > 1
        value = format_percent(accuracy["mean"], accuracy["deviation"] if spread else None)
        words.append(
            f"{value} % of the test samples right{at}" + (f" (mean and deviation of {over})" if spread else "")
        )
    if "ensemble_test_accuracy" in result:
        words.append(f"{percent(result['ensemble_test_accuracy'])} by the ensemble of all")
    return f"{words[0]}: {', '.join(words[1:]) or 'not tested'}."


def run_notices(run: RunFiles, prefix: str = "") -> list[Notice]:
    """Return what a reader must know about a run."""
    result, notices = run.result, list[Notice]()
    done = f"after {len(run.history)} of {run.settings.get('epochs', '?')} epochs"
    go_on = f" It can {how_to_go_on(run.path)}." if has_checkpoints(run.path) else ""
    if run.diverged:
        reason = result.get("diverged") or "the cost is no longer finite"
        notices.append(Notice(f"{prefix}Diverged: {reason}."))
    elif not result:
        ended = f"There is no result.json: the run is in training, or was killed, {done}."
        notices.append(Notice(f"{prefix}{ended}{go_on}"))
    if result.get("interrupted") is True:
        where = ", during the test" if len(run.history) == run.settings.get("epochs") else ""
        notices.append(Notice(f"{prefix}Interrupted {done}{where}; results are those until then.{go_on}"))
    if result.get("stopped_early") is True:
        waited = f"no better epoch in validation for {run.settings.get('patience', '?')} epochs"
        notices.append(Notice(f"{prefix}Stopped early {done}: {waited}.", False))
    if run.val_name == "test":
        notices.append(Notice(f"{prefix}The best epoch was chosen on the test images, so its test accuracy is biased."))
    return notices


def sweep_notices(sweep: SweepFiles) -> list[Notice]:
    """Return what a reader must know about a sweep."""
    longest = max((member.history for member in sweep.members), key=len)
    notices = run_notices(RunFiles(sweep.path, "", sweep.settings, longest, sweep.result))
    diverged = [member for member in sweep.members if member.diverged]
    if diverged:
        first = f"; {diverged[0].name}: {diverged[0].result.get('diverged', 'the cost is no longer finite')}"
        notices.append(Notice(f"{len(diverged)} of {format_count(len(sweep.members), 'member')} diverged{first}."))
    early = sum(member.result.get("stopped_early") is True for member in sweep.members)
    if early:
        many = format_count(len(sweep.members), "member")
        notices.append(Notice(f"{early} of {many} stopped early, as validation no longer improved.", False))
    return notices


def data_notices(dataset: str, official: object) -> list[Notice]:
    """Return what a reader must know about the images: generated ones, and other files than the official ones."""
    if dataset == "synthetic":
        return [Notice("The images are generated, not those of CIFAR-10: accuracies say nothing about real images.")]
    if dataset in SETS and official is False:
        title = SETS[dataset].title
        return [
            Notice(
                f"The images are not the official files of {title}, byte for byte, but for instance a re-encoding as "
                "JPEG: accuracies may differ from those on the official files."
            )
        ]
    return []


def _kind(split: str) -> str:
    return {"val": "validation"}.get(split, split)


def run_facts(run: RunFiles, parameters: int | None) -> list[tuple[str, str]]:
    """Return the first numbers of a run's page, with their names."""
    result = run.result
    names = {"best_test_accuracy": "test accuracy", "best_val_accuracy": "validation accuracy"}
    facts = [(text, percent(result[name])) for name, text in names.items() if name in result]
    if {"best_epoch", "epochs"} <= result.keys():
        facts.append(("best epoch", f"{result['best_epoch']} of {result['epochs']}"))
    if parameters is not None:
        facts.append(("parameters", f"{parameters:,}"))
    if "seconds" in result:
        facts.append(("training and test", duration(result["seconds"])))
    return facts


def sweep_facts(sweep: SweepFiles) -> list[tuple[str, str]]:
    """Return the first numbers of a sweep's page, with their names."""
    result, diverged = sweep.result, sweep.result.get("diverged_members") or []
    facts = [("members", f"{len(sweep.members)}" + (f", {len(diverged)} diverged" if diverged else ""))]
    names = {"ensemble_test_accuracy": "test accuracy, ensemble", "best_test_accuracy": "test accuracy, best member"}
    facts += [(text, percent(result[name])) for name, text in names.items() if name in result]
    return facts + ([("training and test", duration(result["seconds"]))] if "seconds" in result else [])


def duration(seconds: float) -> str:
    """Return a time in words.

    Examples
    --------
    >>> duration(0.0034), duration(0.345), duration(7.25), duration(861), duration(7300)
    ('0.0034 s', '0.34 s', '7.2 s', '14 min 21 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"
