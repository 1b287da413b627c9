"""Predictions of one trained net, and pictures of its layers."""

from typing import TYPE_CHECKING, Any

from anynet.training.net_pictures import draw_feature_maps, draw_weights
from anynet.training.predictions import Predictions
from anynet.training.snapshot import Snapshot

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class OneNet(Predictions):
    """Base class of `Run`: pictures of its net with the best parameters."""

    best: Snapshot

    def plot_weights(self) -> "Figure":
        """Draw the kernels of the first convolution, or the columns of a first linear layer, as images.

        The parameters are the best ones.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ValueError
            If the first layer with weights is another one, or a linear layer of other samples than gray or colored
            images.
        """
        return draw_weights(self.predictor, f" after epoch {self.best.epoch}")

    def plot_feature_maps(self, x: Any, layer: str | int) -> "Figure":
        """Draw images, each with the outputs of a layer for it, with the best parameters.

        Parameters
        ----------
        x : array_like, shape (N, values) or (N, *shape)
            Images, as for `predict_proba`; the first 8 are drawn.
        layer : str or int
            Dotted name of a layer, as in ``run.net.summary()``, such as 3 or "4.0". Of pixels there is a tile for each
            of the first 64 channels, otherwise a cell for each of the first 1,024 features.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        TypeError, ValueError
            If the images are of another dtype or shape or are not finite, if the net takes no images, or if there is no
            such layer.
        """
        return draw_feature_maps(self.predictor, x, layer, f", after epoch {self.best.epoch}")
