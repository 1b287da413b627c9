"""Modes of image files, the kinds of their pixels, and their conversion to red, green and blue."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from anynet.core.errors import FileError

EIGHT_BITS = ("1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "LA", "PA", "RGBA", "La", "RGBa")
"""Modes with a range of 0 .. 255 that Pillow converts to RGB."""

GRAY = ("1", "L", "LA", "La", "I")
"""Modes of gray values, those of 16 bits aside."""

KEY_SCALES = {"L;2": 85, "L;4": 17}
"""Factors by which Pillow scales the pixels of a PNG file, but not its transparent gray value, to 0 .. 255."""

BITS_PER_SAMPLE, PHOTOMETRIC = 258, 262
"""Tags of TIFF."""


def has_gray_mode(image: Image.Image) -> bool:
    """Return True if an image has no colors."""
    return image.mode in GRAY or image.mode.startswith("I;16")


def to_rgb(path: Path, image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    """Decode an image, rotate it, scale its values and composite it on a background.

    Parameters
    ----------
    path : Path
        The image's file, for error messages.
    image : PIL.Image.Image
        Just opened.
    background : tuple of int
        Red, green and blue, in 0 .. 255.

    Returns
    -------
    PIL.Image.Image
        Of mode RGB.

    Raises
    ------
    FileError
        If the range of the values is unknown.
    """
    key = image.info.get("transparency")
    rawmode = image.tile[0][3] if image.format == "PNG" and image.tile else None  # type: ignore[attr-defined]
    if rawmode == "RGB;16B" and key is not None:  # pixels keep 8 of 16 bits, too few to find the transparent ones
        expected, got = "a transparent color of 8 bits per channel", "one of 16 bits"
        raise FileError(path, "", expected, got, "save the image with 8 bits per channel")
    if rawmode in KEY_SCALES and key is not None:
        image.info["transparency"] = key * KEY_SCALES[rawmode]
    table = _gray_table(path, image)
    ImageOps.exif_transpose(image, in_place=True)
    if table is not None:
        image = _to_eight_bits(image, table)
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    layer = image if image.mode == "RGBA" else image.convert("RGBA")
    canvas = Image.new("RGB", layer.size, background)
    canvas.paste(layer, mask=layer)
    return canvas


def _gray_table(path: Path, image: Image.Image) -> NDArray[np.uint8] | None:
    """Return the values in 0 .. 255 of 16-bit gray values, None for an image of 8-bit values."""
    if image.mode in EIGHT_BITS:
        return None
    bits, zero_is_white = 16, False
    if image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]
        bits, zero_is_white = tags[BITS_PER_SAMPLE][0], tags[PHOTOMETRIC] == 0
    if not (image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG")):
        got = f"values of mode {image.mode}, whose range is unknown"
        raise FileError(path, "", "values of 8 bits, or gray values of 16", got, "scale them and save them with 8 bits")
    table = np.rint(np.linspace(0, 255, 2**bits)).astype(np.uint8)
    return table[::-1] if zero_is_white else table


def _to_eight_bits(image: Image.Image, table: NDArray[np.uint8]) -> Image.Image:
    """Replace gray values by those in a table; a transparent value becomes an alpha channel."""
    values = np.asarray(image)
    gray = Image.fromarray(table[values])
    if (key := image.info.get("transparency")) is None:
        return gray
    return Image.merge("LA", (gray, Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8))))
