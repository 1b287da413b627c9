"""Pages whose pictures are not drawn, which takes most of the time."""

import pytest
from markupsafe import Markup

from anynet.app.run_report.inline_svg import InlinePictures


@pytest.fixture
def empty_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures on pages are empty."""
    monkeypatch.setattr(InlinePictures, "add", lambda pictures, figure, label: Markup("<svg></svg>"))
