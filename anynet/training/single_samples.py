"""Batches of a single sample, which batch normalization maps to its shift whatever it is."""

from anynet.nn import BatchNorm, Sequential


def refuse_single_samples(net: Sequential, batch_size: int) -> None:
    """Raise ValueError for a net with batch normalization and batches of one sample.

    Parameters
    ----------
    net : Sequential
    batch_size : int
    """
    normalized = _first_batch_norm(net)
    if batch_size == 1 and normalized is not None:
        raise ValueError(
            f"batch_size: expected 2 or more, since batch normalization (layer {normalized}) maps a single sample to "
            "its shift, got 1"
        )


def last_sample_warning(net: Sequential, samples: int, batch_size: int) -> str:
    """Return a warning if the last batch of an epoch is one sample that is normalized, otherwise "".

    Parameters
    ----------
    net : Sequential
    samples : int
        Number of training samples.
    batch_size : int

    Returns
    -------
    str
    """
    normalized = _first_batch_norm(net)
    if normalized is None or samples % batch_size != 1:
        return ""
    return (
        f"the last batch of each epoch is a single sample ({samples} samples in batches of {batch_size}), which batch "
        f"normalization (layer {normalized}) maps to its shift; drop_last=True (--drop-last) leaves it out, or choose "
        "another batch size"
    )


def _first_batch_norm(net: Sequential) -> str | None:
    return next((name for name, layer in net.named_layers().items() if isinstance(layer, BatchNorm)), None)
