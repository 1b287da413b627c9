"""Loss functions of estimators."""

from anynet.core.checks import nearest
from anynet.nn.losses import BY_NAME, Loss


def loss_of(chosen: Loss | str | None, usual: Loss) -> Loss:
    """Return a loss function.

    Parameters
    ----------
    chosen : callable, str or None
        Setting of the estimator: a function as in `anynet.losses`, or the name of one.
    usual : callable
        Loss without a choice.

    Returns
    -------
    callable

    Raises
    ------
    ValueError
        If there is no loss of this name.
    """
    if not isinstance(chosen, str):
        return usual if chosen is None else chosen
    if chosen not in BY_NAME:
        raise ValueError(f'loss: there is no "{chosen}"{nearest(chosen, BY_NAME)}')
    return BY_NAME[chosen]
