"""The notebook of examples runs, and each object that a cell ends with is shown as HTML or as a picture."""

import re
from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

NOTEBOOK = Path(__file__).parents[2] / "docs" / "examples" / "first_steps.ipynb"


def read():
    return nbformat.read(NOTEBOOK, nbformat.NO_CONVERT)


def test_the_notebook_is_valid_and_has_no_outputs():
    notebook = read()
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)


@pytest.mark.slow
def test_every_cell_shows_what_it_ends_with(tmp_path, monkeypatch):
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    resources = {"metadata": {"path": str(tmp_path)}}
    done = nbclient.NotebookClient(read(), timeout=120, resources=resources).execute()
    for cell in (cell for cell in done.cells if cell.cell_type == "code"):
        streams = [o.text for o in cell.outputs if o.output_type == "stream"]
        results = [o for o in cell.outputs if o.output_type == "execute_result"]
        assert not streams, cell.source
        assert len(results) == 1, cell.source
        assert {"text/html", "image/png"} & results[0].data.keys(), cell.source
        lines = results[0].data["text/plain"].splitlines()
        assert max(map(len, lines)) <= 80, cell.source
        if "an.fit(" in cell.source:
            bar = next(o.data["text/plain"] for o in cell.outputs if o.output_type == "display_data")
            assert re.match(r"100%\|█+\| <00:00, epoch 5/5: loss [\d.]+, accuracy [\d.]+%, validation [\d.]+%$", bar)
        if "LivePlot" in cell.source:
            assert any("image/png" in o.data for o in cell.outputs)
