"""Messages about a backend that cannot be used."""

import pytest

from anynet import BackendError, backend


def refusal(name: str | None = "cupy") -> str:
    """Return why a backend is refused: always one line."""
    with pytest.raises(BackendError) as caught:
        backend(name)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message
