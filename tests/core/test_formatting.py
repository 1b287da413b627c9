"""Settings in words."""

import pytest

from anynet.core.formatting import format_value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "yes"),
        (False, "no"),
        (0.0, "0"),
        (0.00005, "5e-05"),
        (0.012721, "0.012721"),
        (1 / 3, "0.333333"),
        (100, "100"),
        (1000000, "1000000"),
        ("50,30", "50,30"),
        ("", "none"),
    ],
)
def test_values(value, words):
    assert format_value(value) == words
