"""The cost of a configuration, as what a gradient check takes."""

from anynet.app.build_loss import make_loss
from anynet.app.config import Config
from anynet.app.experiment import prepare
from anynet.data.normalization import Normalization, normalization
from anynet.gradcheck import Subject, of_net
from anynet.nn import BatchNorm


def gradient_subject(config: Config, samples: int) -> Subject:
    """Return a run's initial cost on its first training images, to be checked by `anynet.gradcheck.check`.

    Parameters
    ----------
    config : Config
        Settings.
    samples : int
        Number of images.

    Returns
    -------
    Subject

    Raises
    ------
    ValueError
        If there are too few images, or as `prepare` does.
    """
    config, net, data, _, backend = prepare(config)
    if samples > len(data.train):
        raise ValueError(f"--samples: expected 1 to {len(data.train)}, the number of training images, got {samples}")
    if samples < 2 and any(isinstance(layer, BatchNorm) for layer in net.named_layers().values()):
        raise ValueError("--samples: expected 2 or more, since batch normalization maps a single image to zeros; got 1")
    images = Normalization(*normalization(config.normalize, data.train.x.reshape(-1, *data.train.shape)))(
        data.train.x[:samples]
    )
    return of_net(
        net,
        images,
        data.train.y[:samples],
        loss=make_loss(config),
        l2=config.l2,
        seed=config.seed,
        backend=backend,
        dtype=config.dtype,
    )
