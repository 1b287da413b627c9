"""Image files as inputs of a net, against arrays that are computed by hand for each mode of pixels."""

import io
import os
import struct
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anynet.core.errors import FileError
from anynet.data.image_files import MAX_BYTES, MAX_PIXELS, image_size, is_gray, read_image

PINK = (200, 100, 50)
GENERATOR = np.random.default_rng(0)
COLORS = GENERATOR.integers(0, 256, (32, 32, 3), np.uint8)
GRAY = GENERATOR.integers(0, 256, (32, 32), np.uint8)
ALPHA = GENERATOR.integers(0, 256, (32, 32), np.uint8)
DEEP = np.linspace(0, 65535, 1024).astype(np.uint16).reshape(32, 32)
LOSSLESS = [("png", {}), ("webp", {"lossless": True, "exact": True}), ("bmp", {}), ("tif", {})]


def pixels(file, background=(255, 255, 255)):
    """Return the pixels that a net is given, in shape (32, 32, 3)."""
    return read_image(file, background)[0].reshape(3, 32, 32).transpose(1, 2, 0)


def gray(values):
    return np.repeat(np.asarray(values)[:, :, None], 3, axis=2)


def over(colors, alpha, background):
    """Return colors composited on a background by the equation of Porter and Duff."""
    part = alpha[:, :, None] / 255
    return colors * part + np.asarray(background) * (1 - part)


def scaled(values, top):
    return gray(np.rint(values * (255 / top)))


def png(header, *chunks):
    """Return a PNG file of 32 x 32 pixels, chunk by chunk; `header` is bit depth and color type."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 32, 32, *header, 0, 0, 0)), *chunks, (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def rows(values):
    """Return the chunk of a PNG file's pixels: each row after a byte for its filter, none."""
    return (b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in values)))


@pytest.mark.parametrize(("suffix", "options"), LOSSLESS)
def test_colors_are_given_as_they_are(tmp_path, suffix, options):
    Image.fromarray(COLORS).save(tmp_path / f"a.{suffix}", **options)
    np.testing.assert_array_equal(pixels(tmp_path / f"a.{suffix}"), COLORS)


def test_jpeg_is_within_its_loss(tmp_path):
    smooth = np.broadcast_to(np.arange(0, 256, 8, dtype=np.uint8)[:, None, None], (32, 32, 3))
    Image.fromarray(np.ascontiguousarray(smooth)).save(tmp_path / "a.jpg", quality=95)
    np.testing.assert_allclose(pixels(tmp_path / "a.jpg"), smooth.astype(int), atol=3)


@pytest.mark.parametrize("suffix", ["png", "gif", "bmp", "tif"])
@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.fromarray(GRAY), gray(GRAY)),
        (Image.fromarray(GRAY > 127), gray(np.where(GRAY > 127, 255, 0))),
    ],
    ids=["L", "1"],
)
def test_gray_values_are_given_in_three_channels(tmp_path, suffix, image, expected):
    image.save(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(pixels(tmp_path / f"a.{suffix}"), expected)


@pytest.mark.parametrize("suffix", ["png", "gif", "bmp", "tif"])
def test_palette_is_looked_up(tmp_path, suffix):
    palette = GENERATOR.integers(0, 256, (256, 3), np.uint8)
    image = Image.fromarray(GRAY, "L")
    image.putpalette(palette.tobytes())
    image.save(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(pixels(tmp_path / f"a.{suffix}"), palette[GRAY])


def test_cmyk_is_light_that_the_inks_let_through(tmp_path):
    inks = GENERATOR.integers(0, 256, (32, 32, 4), np.uint8)
    Image.fromarray(inks, "CMYK").save(tmp_path / "a.tif")
    left = 255.0 - inks
    np.testing.assert_allclose(pixels(tmp_path / "a.tif"), left[..., :3] * left[..., 3:] / 255, atol=1)


@pytest.mark.parametrize("background", [(255, 255, 255), (0, 0, 0), PINK])
@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_alpha_is_composited_on_the_background(tmp_path, suffix, background):
    options = dict(LOSSLESS)[suffix]
    Image.fromarray(np.dstack([COLORS, ALPHA])).save(tmp_path / f"a.{suffix}", **options)
    expected = over(COLORS, ALPHA, background)
    np.testing.assert_allclose(pixels(tmp_path / f"a.{suffix}", background), expected, atol=1)


def test_gray_with_alpha_is_composited_on_the_background(tmp_path):
    Image.fromarray(np.dstack([GRAY, ALPHA])).save(tmp_path / "a.png")
    np.testing.assert_allclose(pixels(tmp_path / "a.png", PINK), over(gray(GRAY), ALPHA, PINK), atol=1)


@pytest.mark.parametrize("size", [(32, 32), (97, 61)])
@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_colors_that_alpha_hides_make_no_difference(tmp_path, suffix, size):
    shown = GENERATOR.integers(0, 256, (*size, 4), np.uint8)
    shown[..., 3] = np.where(shown[..., 3] < 100, 0, shown[..., 3])
    found = []
    for hidden in (0, 255):
        colors = shown.copy()
        colors[shown[..., 3] == 0, :3] = hidden
        Image.fromarray(colors).save(tmp_path / f"{hidden}.{suffix}", **dict(LOSSLESS)[suffix])
        found.append(pixels(tmp_path / f"{hidden}.{suffix}"))
    assert (tmp_path / f"0.{suffix}").read_bytes() != (tmp_path / f"255.{suffix}").read_bytes()
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_transparent_color_of_a_palette_is_the_background(tmp_path, suffix):
    palette = GENERATOR.integers(0, 256, (256, 3), np.uint8)
    image = Image.fromarray(GRAY, "L")
    image.putpalette(palette.tobytes())
    key = int(GRAY[3, 5])
    image.save(tmp_path / f"a.{suffix}", transparency=key)
    expected = palette[GRAY]
    expected[key == GRAY] = PINK
    np.testing.assert_array_equal(pixels(tmp_path / f"a.{suffix}", PINK), expected)


def test_alphas_of_a_palette_are_composited(tmp_path):
    palette, alphas = GENERATOR.integers(0, 256, (256, 3), np.uint8), GENERATOR.integers(0, 256, 256, np.uint8)
    chunks = [(b"PLTE", palette.tobytes()), (b"tRNS", alphas.tobytes()), rows(GRAY)]
    (tmp_path / "a.png").write_bytes(png((8, 3), *chunks))
    np.testing.assert_allclose(pixels(tmp_path / "a.png", PINK), over(palette[GRAY], alphas[GRAY], PINK), atol=1)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("transparent", [False, True])
def test_gray_png_of_every_depth_and_its_transparent_value(tmp_path, bits, transparent):
    top = 2**bits - 1
    values = DEEP.astype(">u2") if bits == 16 else GRAY.astype(">u2") % 2**bits
    if bits < 8:
        packed = np.packbits(np.unpackbits(values.astype(np.uint8)[..., None], axis=-1)[..., -bits:].reshape(32, -1))
        packed = packed.reshape(32, -1)
    else:
        packed = values if bits == 16 else values.astype(np.uint8)
    key = int(values[7, 9])
    chunks = [(b"tRNS", struct.pack(">H", key))] if transparent else []
    (tmp_path / "a.png").write_bytes(png((bits, 0), *chunks, rows(packed)))
    expected = scaled(values, top)
    if transparent:
        expected[values == key] = PINK
    np.testing.assert_array_equal(pixels(tmp_path / "a.png", PINK), expected)


def test_transparent_color_is_the_background(tmp_path):
    key = tuple(int(value) for value in COLORS[4, 4])
    Image.fromarray(COLORS).save(tmp_path / "a.png", transparency=key)
    expected = COLORS.copy()
    expected[(key == COLORS).all(axis=2)] = PINK
    np.testing.assert_array_equal(pixels(tmp_path / "a.png", PINK), expected)


def test_sixteen_bit_colors_are_scaled(tmp_path):
    values = GENERATOR.integers(0, 2**16, (32, 32, 3)).astype(">u2")
    (tmp_path / "a.png").write_bytes(png((16, 2), rows(values)))
    np.testing.assert_allclose(pixels(tmp_path / "a.png"), values / 257, atol=1)


def test_sixteen_bit_colors_with_a_transparent_one_are_refused(tmp_path):
    values = np.zeros((32, 32, 3), ">u2")
    (tmp_path / "a.png").write_bytes(png((16, 2), (b"tRNS", struct.pack(">HHH", 0, 0, 1)), rows(values)))
    with pytest.raises(FileError, match="expected a transparent color of 8 bits per channel, got one of 16 bits"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize(("mode", "dtype"), [("I;16", "<u2"), ("I;16B", ">u2")])
def test_sixteen_bit_tiff_of_both_byte_orders_is_scaled(tmp_path, mode, dtype):
    Image.frombytes(mode, (32, 32), DEEP.astype(dtype).tobytes()).save(tmp_path / "a.tif")
    assert (tmp_path / "a.tif").read_bytes()[:2] == (b"II" if mode == "I;16" else b"MM")
    np.testing.assert_array_equal(pixels(tmp_path / "a.tif"), scaled(DEEP, 65535))


def tiff(bits, photometric, data):
    """Return a TIFF file of 32 x 32 gray values in one strip."""
    tags = [(256, 32), (257, 32), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1), (278, 32)]
    entries = [*(struct.pack("<HHII", tag, 3, 1, value) for tag, value in tags)]
    entries.append(struct.pack("<HHII", 279, 4, 1, len(data)))
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory


def test_twelve_bit_tiff_is_scaled_by_its_own_range(tmp_path):
    values = np.linspace(0, 4095, 1024).astype(int).reshape(32, 32)
    first, second = values[:, ::2], values[:, 1::2]
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=-1).astype(np.uint8)
    (tmp_path / "a.tif").write_bytes(tiff(12, 1, packed.tobytes()))
    np.testing.assert_array_equal(pixels(tmp_path / "a.tif"), scaled(values, 4095))


@pytest.mark.parametrize(("bits", "values"), [(8, GRAY), (16, DEEP)])
def test_tiff_in_which_zero_is_white(tmp_path, bits, values):
    (tmp_path / "a.tif").write_bytes(tiff(bits, 0, values.tobytes()))
    np.testing.assert_array_equal(pixels(tmp_path / "a.tif"), 255 - scaled(values, 2**bits - 1))


@pytest.mark.parametrize(
    ("values", "mode"),
    [(DEEP.astype(np.float32), "F"), (DEEP.astype(np.int32), "I")],
)
def test_values_of_an_unknown_range_are_refused(tmp_path, values, mode):
    Image.fromarray(values).save(tmp_path / "a.tif")
    with pytest.raises(FileError, match=f"got values of mode {mode}, whose range is unknown; scale them and save"):
        read_image(tmp_path / "a.tif")


TURNS = [
    lambda a: a,
    lambda a: a[:, ::-1],
    lambda a: a[::-1, ::-1],
    lambda a: a[::-1],
    lambda a: a.transpose(1, 0, 2),
    lambda a: a.transpose(1, 0, 2)[:, ::-1],
    lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    lambda a: a.transpose(1, 0, 2)[::-1],
]
"""Upright images from stored ones, by orientation (from 1 on), as the EXIF standard draws them."""


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_exif_orientation_is_applied(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(COLORS).save(tmp_path / f"a.{suffix}", exif=exif, **dict(LOSSLESS)[suffix])
    np.testing.assert_array_equal(pixels(tmp_path / f"a.{suffix}"), TURNS[orientation - 1](COLORS))
    Image.fromarray(COLORS[:20, :7]).save(tmp_path / f"b.{suffix}", exif=exif, **dict(LOSSLESS)[suffix])
    assert image_size(tmp_path / f"b.{suffix}") == TURNS[orientation - 1](COLORS[:20, :7]).shape[:2]


@pytest.mark.parametrize(
    ("mode", "gray"),
    [("1", True), ("L", True), ("LA", True), ("I;16", True), ("RGB", False), ("RGBA", False), ("P", False)],
)
def test_the_header_says_whether_an_image_is_gray(tmp_path, mode, gray):
    image = Image.fromarray(DEEP) if mode == "I;16" else Image.fromarray(COLORS).convert(mode)
    image.save(tmp_path / "a.png")
    assert is_gray(tmp_path / "a.png") == gray
    assert image_size(tmp_path / "a.png") == (32, 32)


def test_sixteen_bit_image_is_rotated_too(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(DEEP).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), TURNS[5](scaled(DEEP, 65535)))


@pytest.mark.parametrize("suffix", ["png", "gif", "webp", "tif"])
def test_first_image_of_several_is_taken_and_reported(tmp_path, suffix):
    frames = [Image.new("RGB", (32, 32), color) for color in (PINK, (0, 0, 255), (0, 255, 0))]
    options = dict(LOSSLESS).get(suffix, {})
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], **options)
    found, several = read_image(tmp_path / f"a.{suffix}")
    assert several
    np.testing.assert_array_equal(found.reshape(3, -1), np.tile(np.array(PINK)[:, None], 1024))
    frames[0].save(tmp_path / f"b.{suffix}", **options)
    assert not read_image(tmp_path / f"b.{suffix}")[1]


@pytest.mark.parametrize("name", ["a", "a.jpg", "a.txt"])
def test_format_is_told_by_content(tmp_path, name):
    Image.fromarray(COLORS).save(tmp_path / name, format="PNG")
    np.testing.assert_array_equal(pixels(tmp_path / name), COLORS)


@pytest.mark.parametrize("other", ["PPM", "ICO", "TGA", "PCX", "SGI", "PDF", "EPS"])
def test_other_formats_are_refused(tmp_path, other):
    Image.fromarray(COLORS).save(tmp_path / "a.png", format=other)
    with pytest.raises(FileError, match="in PNG, JPEG, GIF, WebP, BMP or TIFF format, got one that begins with b"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "bmp", "tif"])
def test_file_cut_anywhere_is_refused_or_read_whole(tmp_path, suffix):
    Image.fromarray(COLORS).save(tmp_path / f"a.{suffix}")
    whole = (tmp_path / f"a.{suffix}").read_bytes()
    expected, errors = pixels(tmp_path / f"a.{suffix}"), []
    for length in range(1, len(whole), 1 + len(whole) // 40):
        (tmp_path / "cut").write_bytes(whole[:length])
        try:
            np.testing.assert_array_equal(pixels(tmp_path / "cut"), expected)
        except FileError as error:
            errors.append(str(error))
    assert len(errors) > 30
    assert all(error.startswith(f"{tmp_path / 'cut'}: expected ") and "\n" not in error for error in errors)


def test_damaged_tiff_writes_nothing_to_stderr(tmp_path, capfd):
    Image.fromarray(COLORS).save(tmp_path / "a.tif", compression="tiff_adobe_deflate")
    whole = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(whole[:100] + bytes(500) + whole[600:])
    with pytest.raises(FileError):
        read_image(tmp_path / "a.tif")
    assert capfd.readouterr() == ("", "")
    print("seen", file=sys.stderr)
    assert capfd.readouterr().err == "seen\n"


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "bmp", "tif"])
def test_garbage_gives_an_image_or_one_error(tmp_path, suffix):
    Image.fromarray(COLORS).save(tmp_path / f"a.{suffix}")
    whole = np.frombuffer((tmp_path / f"a.{suffix}").read_bytes(), np.uint8)
    generator, refused = np.random.default_rng(1), 0
    for _ in range(100):
        damaged = whole.copy()
        places = generator.integers(0, min(len(whole), 400), 3)
        damaged[places] = generator.integers(0, 256, 3)
        (tmp_path / "b").write_bytes(damaged.tobytes())
        try:
            assert read_image(tmp_path / "b")[0].shape == (3072,)
        except FileError:
            refused += 1
    assert refused > 0


def test_an_end_of_memory_is_no_damaged_image(tmp_path, monkeypatch):
    def exhausted(*args, **options):
        raise MemoryError

    Image.fromarray(COLORS).save(tmp_path / "a.png")
    monkeypatch.setattr("PIL.ImageOps.fit", exhausted)
    with pytest.raises(MemoryError):
        read_image(tmp_path / "a.png")


def test_what_is_no_file_is_refused_before_it_is_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty.png").touch()
    for path, got in [
        (tmp_path / "none.png", "no such file"),
        (tmp_path, "a folder"),
        (tmp_path / "empty.png", "an empty one"),
        (tmp_path / "pipe", "a device or a pipe"),
        (tmp_path / "empty.png" / "a.png", "an error"),
        (tmp_path.joinpath("a" * 300), "an error"),
    ]:
        with pytest.raises(FileError, match=f"expected an image file in .* format, got {got}") as caught:
            read_image(path)
        assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no such device")
def test_endless_device_is_refused():
    with pytest.raises(FileError, match=r"/dev/zero: .* got a device or a pipe"):
        read_image(Path("/dev/zero"))


def bomb(width, height):
    """Return a small PNG file that claims many pixels, with the first rows."""
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    data = (b"IDAT", zlib.compress(bytes(1000)))
    packed = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in (header, data)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize(
    ("size", "got"),
    [
        ((5001, 5000), "25,005,000"),
        ((13_000, 13_000), "169,000,000"),
        ((65_535, 65_535), "more than [0-9,]+"),
        ((2**31 - 1, 2**31 - 1), "more than [0-9,]+"),
    ],
)
def test_images_beyond_the_limit_are_refused_before_they_are_decoded(tmp_path, size, got):
    (tmp_path / "a.png").write_bytes(bomb(*size))
    start = time.monotonic()
    with pytest.raises(FileError, match=f"expected at most 25,000,000 pixels, got {got}; save a smaller version"):
        read_image(tmp_path / "a.png")
    assert time.monotonic() - start < 1


def saved(suffix, **options):
    """Return the bytes of a small image file."""
    file = io.BytesIO()
    Image.new("L", (32, 32)).save(file, suffix, **options)
    return file.getvalue()


def chunks(kind):
    return png((8, 0), *[(kind, b"")] * 150_000, rows(np.zeros((32, 32), np.uint8)))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: saved("JPEG")[:2] + b"\xff\xee\0\2" * 200_000 + saved("JPEG")[2:], id="JPEG segments"),
        pytest.param(lambda: saved("JPEG")[:2] + b"\xff" * 400_000 + saved("JPEG")[2:], id="JPEG padding"),
        pytest.param(lambda: chunks(b"tIME"), id="PNG chunks"),
        pytest.param(lambda: chunks(b"IDAT"), id="PNG data"),
        pytest.param(lambda: saved("GIF")[:-1] + b"\x21\xfe\1a\0" * 200_000 + b";", id="GIF extensions"),
    ],
)
def test_files_of_too_many_empty_parts_are_refused(tmp_path, content):
    (tmp_path / "a").write_bytes(content())
    with pytest.raises(FileError, match="expected a whole image, got more than 300,000 parts; save it again"):
        read_image(tmp_path / "a")


def test_progressive_jpeg_of_many_scans_is_refused_at_once(tmp_path):
    whole = saved("JPEG", progressive=True)
    last_scan = whole[whole.rindex(b"\xff\xda") : -2]
    few, many = (whole[:-2] + last_scan * count + whole[-2:] for count in (80, 1000))
    (tmp_path / "few.jpg").write_bytes(few)
    assert (pixels(tmp_path / "few.jpg") == 0).all()
    (tmp_path / "many.jpg").write_bytes(many)
    with pytest.raises(
        FileError, match=r"expected at most 100 scans of a progressive JPEG, got 1,0\d\d; save it again"
    ):
        read_image(tmp_path / "many.jpg")


def test_limit_is_the_largest_that_is_decoded(tmp_path):
    (tmp_path / "a.png").write_bytes(bomb(5000, 5000))
    assert MAX_PIXELS == 5000 * 5000
    with pytest.raises(FileError, match="expected a whole image, got a damaged one"):
        read_image(tmp_path / "a.png")


def test_large_file_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "a.png").open("wb") as file:
        file.write(bomb(32, 32))
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(FileError, match="expected at most 100,000,000 bytes, got 100,000,001; save a smaller version"):
        read_image(tmp_path / "a.png")
