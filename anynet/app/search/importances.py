"""Importances of the searched settings, by PED-ANOVA."""

from collections.abc import Sequence

from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial

from anynet.app.search.samplers import distributions, study_in_memory
from anynet.app.search.trial import STATES, Trial
from anynet.app.space import Space

FEWEST = 10
"""Smallest number of trials from which importances are estimated."""


def importances(trials: Sequence[Trial], space: Space) -> dict[str, float]:
    """Return the importance of each setting for a trial to be in the better half.

    It is the divergence between the distribution of a setting in the better half and that among all trials, as a
    share of the sum over settings. Pruned and diverged trials rank below finished ones. Trials of the
    first stage alone count, since those of the second have other ranges, and may have more epochs.

    Parameters
    ----------
    trials : sequence of Trial
    space : mapping from str to Grid or Range
        Space of the first stage.

    Returns
    -------
    dict from str to float
        The largest first; empty with fewer than `FEWEST` trials.

    References
    ----------
    Watanabe, Bansal, Hutter (2023), PED-ANOVA: Efficiently quantifying hyperparameter importance in
    arbitrary subspaces.
    """
    coarse = [trial for trial in trials if trial.stage == "coarse"]
    if len(coarse) < FEWEST:
        return {}
    study = study_in_memory()
    for trial in coarse:
        value = (trial.best_val_accuracy or 0) - STATES.index(trial.state)  # only their order counts
        study.add_trial(create_trial(params=trial.settings, distributions=distributions(space), value=value))
    return get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=0.5))
