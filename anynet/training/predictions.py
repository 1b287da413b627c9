"""Predictions of one net, or of several, and their analysis."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from anynet.core.checks import whole_number
from anynet.core.typing import ConcreteArray
from anynet.data.dataset import Label
from anynet.data.samples import Split
from anynet.training.analysis import (
    Calibration,
    Classified,
    Confusion,
    LargestErrors,
    LastEvaluated,
    Mistakes,
    PerClass,
    Predicted,
)
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

    @property
    def remembered(self) -> Mapping[str, Split]:
        """Samples of the training by name, "val" and "test"; none of a loaded net."""
        raise NotImplementedError

    def predict_proba(self, x: Any) -> ConcreteArray:
        """Return the probabilities of the classes, with the best parameters: the softmax of the outputs.

        After training with binary cross-entropy they are the sigmoid. Those of an ensemble are the mean of its nets'.

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

    def confusion(self, split: Any = None) -> Confusion:
        """Return how often each class is taken for each other.

        Parameters
        ----------
        split : str, Split or tuple, optional
            "test" or "val" samples of the training, a `Split`, or ``(x, y)`` as for `score`. Default: test samples or,
            without any, validation samples. A loaded net remembers none.

        Returns
        -------
        Confusion
            With the matrix, ``counts``, and ``plot``.

        Raises
        ------
        TypeError, ValueError
            If there are no such samples, they are of another kind or shape, or the net predicts numbers.
        """
        return Confusion.of(self._classified("confusion", split), self.predictor.dataset)

    def per_class(self, split: Any = None) -> PerClass:
        """Return precision, recall and F1 of each class.

        Parameters
        ----------
        split : str, Split or tuple, optional
            As for `confusion`.

        Returns
        -------
        PerClass

        Raises
        ------
        TypeError, ValueError
            As `confusion` does.
        """
        return PerClass.of(Confusion.of(self._classified("per_class", split), self.predictor.dataset))

    def calibration(self, split: Any = None) -> Calibration:
        """Return how often predictions of some probability are right.

        Parameters
        ----------
        split : str, Split or tuple, optional
            As for `confusion`.

        Returns
        -------
        Calibration
            With the expected calibration error, ``error``, and ``plot``, a reliability diagram.

        Raises
        ------
        TypeError, ValueError
            As `confusion` does.
        """
        return Calibration.of(self._classified("calibration", split), self.predictor.dataset)

    def mistakes(self, n: int = 20, split: Any = None) -> Mistakes | LargestErrors:
        """Return the mistakes with the highest probability of a wrong class, or the largest errors of numbers.

        Parameters
        ----------
        n : int, default 20
            Number of samples, at most.
        split : str, Split or tuple, optional
            As for `confusion`.

        Returns
        -------
        Mistakes or LargestErrors
            With numbers of the samples, what was predicted, what is right, and ``plot``.

        Raises
        ------
        TypeError, ValueError
            If there are no such samples, or they are of another kind or shape.
        """
        n, found = whole_number("n", n), self._last_evaluated(split, self.remembered)
        if n < 1:
            raise ValueError(f"n: expected a number of 1 or more, got {n}")
        kind = Mistakes if isinstance(found, Classified) else LargestErrors
        return kind.of(found, n, self.predictor)  # type: ignore[arg-type]

    @cached_property
    def _last_evaluated(self) -> LastEvaluated:
        return LastEvaluated(self.predictor)

    def _classified(self, method: str, split: Any) -> Classified:
        found = self._last_evaluated(split, self.remembered)
        if isinstance(found, Predicted):
            raise ValueError(f"{method}: expected a net of classes, got one that predicts numbers; see mistakes, score")
        return found

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
