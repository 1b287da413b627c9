"""Steps of large nets: in several threads, sums in the groups that compute what they add, memory used again."""

from unittest.mock import patch

import pytest
from drawn_steps import Drawn, steps
from hypothesis import given
from hypothesis import strategies as st
from loops import PLAIN, RECORDED
from test_drawn_steps import assert_same, examples

pytest.importorskip("llvmlite")

from anynet.compiler import memory, without_values
from anynet.compiler.numpy.native import joins, native_program, shares


@pytest.fixture
def everything_is_large(monkeypatch):
    for where in (memory, without_values, joins, shares):
        monkeypatch.setattr(where, "LARGE", 1)
    monkeypatch.setattr(joins, "NARROW", 0)
    monkeypatch.setattr(shares, "UNIT", 4)
    return monkeypatch


@pytest.mark.usefixtures("everything_is_large")
@given(drawn=steps(), parts=st.integers(1, 3))
@examples(40)
def test_drawn_steps(drawn: Drawn, parts: int) -> None:
    with patch.object(native_program, "threads", lambda: parts):
        assert_same(drawn, RECORDED, PLAIN)


@pytest.mark.slow
@pytest.mark.usefixtures("everything_is_large")
@given(drawn=steps(), parts=st.integers(1, 3))
@examples(1000)
def test_more_drawn_steps(drawn: Drawn, parts: int) -> None:
    with patch.object(native_program, "threads", lambda: parts):
        assert_same(drawn, RECORDED, PLAIN)
