"""From a configuration to its loss."""

from anynet.app.config import Config
from anynet.nn.losses import BY_NAME, CrossEntropy, Loss


def make_loss(config: Config) -> Loss:
    """Return the loss of a configuration. Raises ValueError for smoothed labels of another loss than cross-entropy."""
    if not config.label_smoothing:
        return BY_NAME[config.loss]
    if config.loss != "cross-entropy":
        raise ValueError(f"--label-smoothing: expected --loss cross-entropy with it, got {config.loss}")
    return CrossEntropy(config.label_smoothing)
