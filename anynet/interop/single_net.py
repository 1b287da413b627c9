"""The one trained net that is to be taken elsewhere."""

from typing import Any

from anynet.core.checks import describe
from anynet.training import Run
from anynet.training.predictor import Predictor


def single_net(run: Any) -> Predictor:
    """Return the predictor of a run, which has everything that its predictions need.

    Parameters
    ----------
    run : Run or Predictor
        Of one net; its best parameters are used, as by ``run.predict``.

    Returns
    -------
    Predictor

    Raises
    ------
    TypeError
        If it is anything else, such as runs of members.
    ValueError
        If it is the predictor of several nets.
    """
    predictor = run.predictor if isinstance(run, Run) else run
    if not isinstance(predictor, Predictor):
        raise TypeError(f"run: expected a Run, as from fit or anynet.load, got {describe(run)}; give one of runs")
    if len(predictor.nets) > 1:
        raise ValueError(f"run: expected one net, got {len(predictor.nets)}; give a single run")
    return predictor
