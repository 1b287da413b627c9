"""Layers of images, whose numbers of rows and columns may be those of the input."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, Self, TypeVar

from anynet.core.checks import store, whole_number
from anynet.nn.layer import INFERRED, Layer
from anynet.nn.layer_text import short

Kind = TypeVar("Kind", bound=type)

Size = tuple[int, int]
"""Rows and columns."""


@dataclass(frozen=True)
class ImageLayer(Layer):
    """Base class of layers for which the places of pixels matter: frozen dataclasses, with `image` among their fields.

    Input and output have shape (..., N * H * W, C): the pixels of an image are samples, one after another, row by row.
    A new layer overrides `size_out` if it gives images of another size, or features.

    Parameters
    ----------
    image : (int, int)
        Rows and columns of the input. Default: those of the input, in a `Sequential` with an `input_shape`.

    Raises
    ------
    TypeError, ValueError
        If they are no whole numbers, or less than 1; or by `size_out`, which is called with them.
    """

    image: Size = field(default=INFERRED, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.image is not INFERRED:
            store(self, "image", pair(f"{short(self)}: image", self.image))
            self.size_out()  # which refuses images that are too small

    @property
    def takes_images(self) -> bool:
        """True."""
        return True

    def with_image(self, rows: int, columns: int) -> Self:
        """Return the layer for images of this size; itself if it has a size."""
        return replace(self, image=(rows, columns)) if self.image is INFERRED else self

    def image_out(self, image: Size | None) -> Size | None:
        """Return `size_out`; None if the size of the input is not known."""
        return None if self.image is INFERRED else self.size_out()

    def size_out(self) -> Size | None:
        """Return the rows and columns of the output, by default those of the input; None if it has features instead."""
        return self.size_in()

    def size_in(self) -> Size:
        """Return the rows and columns of the input.

        Returns
        -------
        (int, int)

        Raises
        ------
        ValueError
            If they are not known: the layer is used by itself, or in a net that does not know them.
        """
        if self.image is INFERRED:
            raise ValueError(
                f"{short(self)}: expected the size of its images, got none; give the net an input_shape, such as "
                "Sequential(..., input_shape=(3, 32, 32)); a layer by itself needs image=(32, 32), and Conv2d n_in=3"
            )
        return self.image


def pair(name: str, value: Any, least: int = 1) -> Size:
    """Return two whole numbers, of rows and of columns.

    Parameters
    ----------
    name : str
        Name in error messages.
    value : int or (int, int)
        One number stands for both.
    least : int
        Smallest number.

    Returns
    -------
    (int, int)

    Raises
    ------
    TypeError, ValueError
        If it is anything else.

    Examples
    --------
    >>> pair("kernel", 3), pair("kernel", (1, 2))
    ((3, 3), (1, 2))
    """
    both = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(both) != 2:
        raise ValueError(f"{name}: expected one number, or one of rows and one of columns, got {len(both)}")
    rows, columns = (whole_number(name, each) for each in both)
    if min(rows, columns) < least:
        raise ValueError(f"{name}: expected {least} or more, got {value}")
    return rows, columns


def short_pair(name: str, value: Any) -> int | Size:
    """Return two whole numbers as `pair` does, but one if they are equal."""
    rows, columns = pair(name, value)
    return rows if rows == columns else (rows, columns)


def by_place(most: int, advice: str) -> Callable[[Kind], Kind]:
    """Return a decorator of dataclasses that says more than Python does where too many settings are given by place.

    Parameters
    ----------
    most : int
        Number of settings that may be given by place.
    advice : str
        End of the message, with ``{0}``, ``{1}``, ... for the settings.

    Returns
    -------
    callable
    """

    def decorate(kind: Kind) -> Kind:
        init = kind.__init__  # type: ignore[misc]

        @wraps(init)
        def checked(self: object, *given: Any, **settings: Any) -> None:
            if len(given) > most:
                raise TypeError(
                    f"{kind.__name__}{given}: expected {most} by place, the others by name; {advice.format(*given)}"
                )
            init(self, *given, **settings)

        kind.__init__ = checked  # type: ignore[misc]
        return kind

    return decorate
