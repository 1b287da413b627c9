"""A net, and the results of its training, in short lines for titles."""

from collections import Counter
from collections.abc import Sequence

from anynet.nn import Linear, Sequential

MOST_KINDS = 5
"""Number of kinds of layers that are named."""


def net_in_short(net: Sequential) -> str:
    """Return the kinds of a net's layers: widths of a net of linear layers, otherwise numbers of layers.

    Parameters
    ----------
    net : Sequential

    Returns
    -------
    str

    Examples
    --------
    >>> from anynet import BatchNorm, Conv2d, Flatten, Linear, ReLU, Sequential
    >>> net_in_short(Sequential(Linear(3072, 50), BatchNorm(50), ReLU(), Linear(50, 10)))
    '3072-50-10, BatchNorm, ReLU'
    >>> net_in_short(Sequential(Conv2d(8, 3), ReLU(), Flatten(), Linear(2), input_shape=(1, 4, 4)))
    'Conv2d, ReLU, FlattenImages, Linear; 338 parameters'
    """
    leaves = net.named_layers().values()
    kinds = Counter(type(leaf).__name__ for leaf in leaves)
    linear = [leaf for leaf in leaves if isinstance(leaf, Linear)]
    if linear and len(linear) == sum("W" in leaf.parameters() for leaf in leaves):
        widths = "-".join(f"{width}" for width in (linear[0].n_in, *(leaf.n_out for leaf in linear)))
        return ", ".join([widths, *_first([kind for kind in kinds if kind != "Linear"])])
    named = _first([f"{n} {kind}" if n > 1 else kind for kind, n in kinds.items()])
    return f"{', '.join(named)}; {net.n_parameters:,} parameters"


def results_in_short(
    epochs: int,
    best: int | None,
    tests: Sequence[tuple[float | None, float | None] | None] = (None, None),
    ended: str = "",
) -> str:
    """Return the best epoch, and the test results after it and after the last.

    Parameters
    ----------
    epochs : int
        Number of completed epochs.
    best : int or None
        Number of the best one; None if nothing was validated.
    tests : (results, results)
        Accuracy, a fraction, and loss after the best epoch and after the last, each None if it is not known.
    ended : str
        Why there are not more epochs, such as "interrupted".

    Returns
    -------
    str

    Examples
    --------
    >>> results_in_short(20, 14, [(0.5531, 1.403), (0.549, 1.411)])
    'best epoch 14 of 20: test accuracy 55.31%, loss 1.403; after the last: 54.90%, loss 1.411'
    >>> results_in_short(8, None, [None, (0.9, 0.31)], "interrupted")
    'interrupted after epoch 8: test accuracy 90.00%, loss 0.31'
    """
    after_best, after_last = (None if results is None else _scores(*results) for results in tests)
    last = f"{ended or 'ended'} after epoch {epochs}"
    if best is None or best == epochs:
        when = last if best is None else f"{last}, the best"
        scores = after_last or after_best
        return when + (f": test {scores}" if scores else "")
    text = f"best epoch {best} of {epochs}" + (f", {ended}" if ended else "")
    text += f": test {after_best}" if after_best else ""
    return text + (f"; after the last: {after_last.removeprefix('accuracy ')}" if after_last else "")


def _scores(accuracy: float | None, loss: float | None) -> str:
    return ", ".join(
        ([] if accuracy is None else [f"accuracy {accuracy:.2%}"]) + ([] if loss is None else [f"loss {loss:.4g}"])
    )


def _first(names: Sequence[str]) -> list[str]:
    """Return the first of many names."""
    return [*names[:MOST_KINDS], *["..."] * (len(names) > MOST_KINDS)]
