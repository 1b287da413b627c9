"""Predictions of one net, or of several."""

from typing import TYPE_CHECKING, Any

from anynet.core.typing import ConcreteArray
from anynet.data.dataset import Label
from anynet.training.net_pictures import draw_confused_images
from anynet.training.predictor import Predictor

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Predictions:
    """Base class of what has a `predictor`."""

    @property
    def predictor(self) -> Predictor:
        """Predictor with the best parameters."""
        raise NotImplementedError

    def predict_proba(self, x: Any) -> ConcreteArray:
        """Return the probabilities of the classes, with the best parameters: the softmax of the outputs.

        Of an ensemble it is the mean of those of its nets.

        Parameters
        ----------
        x : array_like, shape (N, values) or (N, *shape)
            Array of any library, or what ``numpy.asarray`` takes. uint8 if the net was trained on uint8, as loaded:
            the net's own normalization is applied. Otherwise any real numbers.

        Returns
        -------
        array, shape (N, C)
            In the library and on the device of `x`, NumPy's for what is no array; in the net's dtype.

        Raises
        ------
        TypeError, ValueError
            If the samples are of another dtype or shape or are not finite, or if the net predicts numbers.
        """
        return self.predictor.predict_proba(x)

    def predict(self, x: Any) -> ConcreteArray:
        """Return the label of the most probable class of each sample, or the numbers that the net predicts.

        Parameters
        ----------
        x : array_like, shape (N, values) or (N, *shape)
            As for `predict_proba`.

        Returns
        -------
        array, shape (N,) or (N, m)
            Labels of classes, or the outputs of a net for numbers, of shape (N,) if it has one; of an ensemble, their
            mean. In the library and on the device of `x`; texts are in a NumPy array.

        Raises
        ------
        TypeError, ValueError
            If the samples are of another dtype or shape, or are not finite.
        """
        return self.predictor.predict(x)

    def score(self, x: Any, y: Any) -> float:
        """Return the fraction of labels that are predicted correctly, or R² of predicted numbers.

        Parameters
        ----------
        x : array_like, shape (N, values) or (N, *shape)
            As for `predict_proba`.
        y : array_like, shape (N,) or (N, m)
            Labels or numbers, as trained with; for classes that are texts, class numbers too.

        Returns
        -------
        float
            Accuracy from 0 to 1, or the coefficient of determination: 1 is perfect, and 0 that of the mean.

        Raises
        ------
        TypeError, ValueError
            If samples or targets are of another kind or shape.
        """
        return self.predictor.score(x, y)

    def plot_confused_images(self, x: Any, y: Any, label: Label | None = None) -> "Figure":
        """Draw those images of each class for which a wrong class has the highest probabilities.

        Parameters
        ----------
        x : array_like, shape (N, values) or (N, *shape)
            Images, as for `predict_proba`.
        y : array_like, shape (N,)
            Labels, as for `score`.
        label : str, int or bool, optional
            Draw 40 images of this class alone. Default: 8 of each class, and of more than 20 classes those with the
            lowest accuracy.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        TypeError, ValueError
            If images or labels are of another kind or shape, or if the net takes no images or predicts numbers.
        """
        return draw_confused_images(self.predictor, x, y, label)
