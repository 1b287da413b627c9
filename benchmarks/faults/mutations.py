"""Damage to files: random changes of bytes and lines, and changes of values that keep the format."""

import csv
import gzip
import io
import json
import pickletools
import re
import struct
import tomllib
import zlib
from contextlib import suppress
from random import Random
from typing import Any

import safetensors.numpy
import tomli_w

from anynet.core.tensor_file import DIGEST, digest

NUMBERS = (b"nan", b"-1", b"inf", b"1e999", b"0", b"2", b"1.5", b"99999999999999999999", b"9" * 5000, b"", b"\xd9\xa3")
"""Replacements for a number of a text."""
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 3, 2**31, 2**63, 10**30, 0.5, 1e300, float("nan"), float("inf")),
    *("", "x", "\x1b[2J", "a\nb", "1", "../..", "λ" * 300, [], [[]], {}, {"a": 1}, [1, "x", None]),
)
"""Replacements for a value of JSON."""
SIZES = (0, 1, 255, 2**15, 2**27, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**64 - 1)


def mutate(content: bytes, random: Random) -> bytes:
    """Return a content with one to four changes."""
    changed = bytearray(content)
    for _ in range(random.randint(1, 4)):
        random.choice(CHANGES)(changed, random)
    return bytes(changed)


def _span(content: bytearray, random: Random) -> slice:
    start = random.randint(0, len(content))
    return slice(start, min(len(content), start + random.choice((1, 2, 8, 40, 400, 4000))))


def _flip(content: bytearray, random: Random) -> None:
    if content:
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)


def _cut(content: bytearray, random: Random) -> None:
    del content[random.randint(0, len(content)) :]


def _delete(content: bytearray, random: Random) -> None:
    del content[_span(content, random)]


def _repeat(content: bytearray, random: Random) -> None:
    span = _span(content, random)
    content[span.start : span.start] = content[span] * random.choice((1, 1, 2, 100))


def _insert(content: bytearray, random: Random) -> None:
    at = random.randint(0, len(content))
    content[at:at] = random.choice((random.randbytes(random.randint(1, 20)), b"\0" * 9, b"[" * 2000, b'"', b"\n", b","))


def _size(content: bytearray, random: Random) -> None:
    at, width = random.randint(0, len(content)), random.choice((1, 2, 4, 8))
    number = random.choice(SIZES) % 256**width
    content[at : at + width] = number.to_bytes(width, random.choice(("little", "big")))


def _number(content: bytearray, random: Random) -> None:
    found = list(re.finditer(rb"[-+.\d]+(e[-+]?\d+)?", content[:100_000]))
    if found:
        span = random.choice(found).span()
        content[slice(*span)] = random.choice(NUMBERS)


def _lines(content: bytearray, random: Random) -> None:
    lines = bytes(content).splitlines(keepends=True)
    if len(lines) > 1:
        at = random.randrange(len(lines))
        line = lines[at]
        choices: tuple[list[bytes], ...] = (
            [],
            [line, line],
            [line[: len(line) // 2]],
            [line[: len(line) // 2] + b"\n"],
            [b"\n"],
        )
        lines[at : at + 1] = random.choice(choices)
        content[:] = b"".join(lines)


CHANGES = (_flip, _cut, _delete, _repeat, _insert, _size, _number, _lines)


def change_json(content: bytes, random: Random) -> bytes:
    """Return JSON in which one value is another, missing, or has a new neighbour."""
    tree = json.loads(content)
    change_tree(tree, random)
    return json.dumps(tree).encode()


def change_json_line(content: bytes, random: Random) -> bytes:
    """Return lines of JSON, one of them changed."""
    lines = content.splitlines(keepends=True)
    at = random.randrange(len(lines))
    lines[at] = change_json(lines[at], random) + b"\n"
    return b"".join(lines)


def change_tree(tree: Any, random: Random) -> None:
    """Change one place of a tree of dictionaries and lists."""
    places = [(tree, key) for key in (tree if isinstance(tree, dict) else range(len(tree)))]
    node, key = random.choice(places) if places else (tree, None)
    if key is not None and isinstance(node[key], dict | list) and node[key] and random.random() < 0.7:
        change_tree(node[key], random)
    elif key is None or random.random() < 0.15:
        if isinstance(node, dict):
            node[random.choice(("extra", "", "a.b", "diverged"))] = random.choice(VALUES)
        else:
            node.append(random.choice(VALUES))
    elif random.random() < 0.3:
        del node[key]
    else:
        node[key] = random.choice(VALUES)


def change_toml(content: bytes, random: Random) -> bytes:
    """Return TOML in which one setting is another, missing or new."""
    settings = tomllib.loads(content.decode())
    change_tree(settings, random)
    try:
        return tomli_w.dumps(settings).encode()
    except TypeError:  # TOML has no null
        return content.replace(b"=", b"= {a = 1}  #", 1)


def change_csv(content: bytes, random: Random) -> bytes:
    """Return a table in which one cell is another, missing or new."""
    rows = list(csv.reader(io.StringIO(content.decode())))
    row = random.choice(rows)
    at = random.randrange(len(row))
    row[at : at + 1] = random.choice(([], [row[at], "x"], [random.choice(NUMBERS).decode()], ["../.."], ['a"\n,']))
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def change_tensors(content: bytes, random: Random) -> bytes:
    """Return a safetensors file with a changed header of the right length."""
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    name = random.choice([*header])
    if name == "__metadata__":
        metadata = header[name]
        if random.random() < 0.7 and "run" in metadata:
            metadata["run"] = change_json(metadata["run"].encode(), random).decode()
        elif random.random() < 0.9 and "state" in metadata:
            metadata["state"] = change_json(metadata["state"].encode(), random).decode()
        else:
            key = random.choice([*metadata])
            metadata[key] = random.choice(("", "x", "[]", '["a", 3]', "{}", "[" * 2000, "\x1b[2J", "null"))
    elif random.random() < 0.5:
        header[name]["dtype"] = random.choice(
            ("BF16", "F16", "F8_E4M3", "F8_E5M2", "I32", "U8", "BOOL", "F64", "C64", "Q")
        )
    elif random.random() < 0.5:
        header[name]["shape"] = random.choice(
            ([], [1, *header[name]["shape"]], [-1], [2**40, 2**40], [0], header[name]["shape"][::-1])
        )
    elif random.random() < 0.5:
        header[random.choice(("extra", "best.9.W", "last.0.b", ""))] = header.pop(name)
    else:
        start, end = header[name]["data_offsets"]
        value = struct.pack("<d", random.choice((float("nan"), float("inf"), -1.0)))[-min(8, end - start) :]
        data = data[:start] + value + data[start + len(value) :]
    changed = _tensor_file(header, data)
    if random.random() < 0.9 and isinstance(header.get("__metadata__"), dict):
        with suppress(Exception):  # the file is none
            metadata = {key: text for key, text in header["__metadata__"].items() if key != DIGEST}
            header["__metadata__"] = metadata | {DIGEST: digest(safetensors.numpy.load(changed), metadata)}
            changed = _tensor_file(header, data)  # or else the digest alone would be refused
    return changed


def _tensor_file(header: dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def change_png(content: bytes, random: Random) -> bytes:
    """Return a PNG file with a damaged chunk whose length and checksum are right; other files are damaged anywhere."""
    if not content.startswith(b"\x89PNG"):
        return mutate(content, random)
    chunks, at = [], 8
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    chosen = random.randrange(len(chunks))
    kind, data = chunks[chosen]
    chunks[chosen] = (kind, mutate(data, random))
    if random.random() < 0.2:
        chunks.insert(chosen, random.choice(chunks))
    return content[:8] + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def pickle_program(content: bytes, random: Random) -> bytes:
    """Return a pickle with operations of all kinds inserted, or one of these alone."""
    program = b"".join(_operation(random) for _ in range(random.randint(1, 60)))
    if random.random() < 0.5:
        return b"\x80\x04}" + program + b"."
    starts = [position for _, _, position in pickletools.genops(content)]
    at = random.choice(starts)
    return content[:at] + program[: random.randint(1, 30)] + content[at:]


def _operation(random: Random) -> bytes:
    opcode = random.choice(pickletools.opcodes)
    arguments = {
        "uint1": bytes([random.choice((0, 1, 2, 255))]),
        "uint2": struct.pack("<H", random.choice((0, 7, 2**16 - 1))),
        "int4": struct.pack("<i", random.choice((0, 1, -1, 2**31 - 1))),
        "uint4": struct.pack("<I", random.choice((0, 1, 2**27, 2**32 - 1))),
        "uint8": struct.pack("<Q", random.choice((0, 1, 2**62, 2**64 - 1))),
        "float8": struct.pack(">d", 1.5),
        "long1": b"\x01\x07",
        "long4": struct.pack("<i", random.choice((0, -1, 2**31 - 1))),
        "string1": b"\x04data",
        "bytes1": b"\x06labels",
        "unicodestring1": b"\x05numpy",
        "stringnl_noescape_pair": random.choice((b"numpy\ndtype\n", b"os\nsystem\n", b"_codecs\nencode\n")),
        "decimalnl_short": random.choice((b"0\n", b"1\n", b"-1\n", b"x\n")),
        "decimalnl_long": b"7L\n",
    }
    argument = "" if opcode.arg is None else opcode.arg.name
    data = arguments.get(argument, struct.pack("<Q", 3) if argument.endswith("8") else struct.pack("<I", 3) + b"abc")
    return opcode.code.encode("latin1") + (b"" if opcode.arg is None else data)


def change_gzip(content: bytes, random: Random) -> bytes:
    """Return a gzip file of a changed content."""
    return gzip.compress(mutate(gzip.decompress(content), random), mtime=0)
