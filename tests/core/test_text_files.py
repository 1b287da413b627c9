"""Text files that are damaged: each error names file, place, what was expected and what came."""

import os
import re

import pytest

from anynet.core.errors import FileError
from anynet.core.text_files import read_json, read_json_list, read_text, read_toml


def refused(read, path, content: bytes, most=1000) -> str:
    path.write_bytes(content)
    with pytest.raises(FileError) as caught:
        read(path, most, "make it again")
    message = str(caught.value)
    assert message.startswith(f"{path}")
    assert message.endswith("; make it again")
    assert message.isprintable()
    return message


@pytest.mark.parametrize("read", [read_text, read_json, read_toml])
def test_a_file_of_another_encoding_or_size_is_refused_by_all(tmp_path, read):
    path = tmp_path / "file"
    assert "line 2: expected text in UTF-8, got byte 0xff" in refused(read, path, b"a = 1\nb = \xff")
    assert "expected at most 1,000 bytes, got 1,001" in refused(read, path, b"#" * 1001)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda path: os.mkfifo(path), "a device or a pipe"),
        (os.mkdir, "a folder"),
        (lambda path: path.symlink_to("/dev/zero"), "a device or a pipe"),
    ],
)
def test_what_may_never_end_is_not_opened(tmp_path, make, kind):
    make(tmp_path / "file")
    with pytest.raises(FileError, match=rf"file: expected a file, got {kind}; make it again$"):
        read_text(tmp_path / "file", 1000, "make it again")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: expected JSON, got an error: Expecting value"),
        (b'{"a": 1,\n"b"', "line 2: expected JSON, got an error: Expecting ':' delimiter"),
        (b"[1]", "expected a JSON object, got a list"),
        (b"[" * 9000, "expected JSON, got an error"),
        (b'{"a":' * 400 + b"1" + b"}" * 400, "expected JSON of at most 100 levels, got more"),
        (b'{"a": {"b": 1, "c": 1, "b": 1}}', 'expected JSON, got an error: the key "b" is there twice'),
        (b'{"a": ' + b"9" * 309 + b"}", "expected JSON, got an error: a number of 309 digits, 99999"),
    ],
)
def test_json_that_is_none_is_refused(tmp_path, content, message):
    assert message in refused(read_json, tmp_path / "file", content, most=10_000)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = ", "expected TOML, got an error: Invalid value (at end of document)"),
        (b"a = 1\na = 2", "Cannot overwrite a value (at end of document)"),
        (b"a = " + b"[" * 9000, "expected TOML, got an error"),
        (b"a = " + b"9" * 5000, "expected TOML, got an error: Exceeds the limit"),
        (b"a = 2020-99-99", "expected TOML, got an error"),
    ],
)
def test_toml_that_is_none_is_refused(tmp_path, content, message):
    assert message in refused(read_toml, tmp_path / "file", content, most=10_000)


def test_a_list_is_read_where_one_is_expected(tmp_path):
    (tmp_path / "file").write_text('[{"a": 1}]')
    assert read_json_list(tmp_path / "file", 100, "") == [{"a": 1}]
    for content, message in ((b"{}", "expected a JSON list, got a dict"), (b"[" * 9000, "expected JSON, got an error")):
        assert message in refused(read_json_list, tmp_path / "file", content, most=10_000)


def test_a_mark_at_the_start_is_left_out(tmp_path):
    (tmp_path / "file").write_text('{"a": "λ"}', encoding="utf-8-sig")
    assert read_json(tmp_path / "file", 100, "") == {"a": "λ"}
    assert re.fullmatch(r'{"a": "λ"}', read_text(tmp_path / "file", 100, ""))
