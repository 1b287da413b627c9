"""Progress bars in notebooks: of widgets where there are any, else of text; no warning about what is missing."""

import sys
import warnings

import pytest
from notebooks import pretend_kernel
from tqdm import tqdm

from anynet.core.notebook import in_notebook
from anynet.core.streams import progress_bar


def test_a_kernel_is_a_notebook_and_a_terminal_is_none(monkeypatch):
    assert not in_notebook()
    pretend_kernel(monkeypatch, kernel=False)
    assert not in_notebook()
    pretend_kernel(monkeypatch)
    assert in_notebook()


@pytest.mark.parametrize("disable", [None, False, True])
def test_a_bar_of_text_is_shown_where_there_are_no_widgets(disable, monkeypatch, capsys):
    texts = pretend_kernel(monkeypatch)
    for name in ("tqdm.auto", "tqdm.autonotebook", "tqdm.notebook"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "ipykernel.zmqshell", object())
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with warnings.catch_warnings(action="error"), progress_bar(total=3, unit="image", disable=disable) as bar:
        bar.update(3)
    assert [text.partition("|")[0] for text in texts[-1:]] == ([] if disable else ["100%"])
    assert disable or "\N{FULL BLOCK}" in texts[-1]
    assert capsys.readouterr() == ("", "")


def test_a_bar_of_widgets_is_chosen_where_there_are_any(monkeypatch):
    made = []

    class Widgets(tqdm):
        @staticmethod
        def status_printer(file, *rest):
            return lambda text: made.append(text)

    pretend_kernel(monkeypatch)
    monkeypatch.setitem(sys.modules, "tqdm.auto", type(sys)("tqdm.auto"))
    monkeypatch.setattr(sys.modules["tqdm.auto"], "tqdm", Widgets, raising=False)
    with progress_bar(total=2, disable=None) as bar:
        bar.update(2)
    assert isinstance(bar, Widgets)
    assert "2/2" in made[-1]
