"""The notebooks of examples run, and each object that a cell ends with is shown as HTML or as a picture."""

import re
from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
FIRST_STEPS, IN_THE_BROWSER = EXAMPLES / "first_steps.ipynb", EXAMPLES / "in_the_browser.ipynb"


def read(path):
    return nbformat.read(path, nbformat.NO_CONVERT)


@pytest.fixture
def execute(tmp_path, monkeypatch):
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    resources = {"metadata": {"path": str(tmp_path)}}

    def code_cells(path):
        done = nbclient.NotebookClient(read(path), timeout=120, resources=resources).execute()
        return [cell for cell in done.cells if cell.cell_type == "code"]

    return code_cells


@pytest.mark.parametrize("path", [FIRST_STEPS, IN_THE_BROWSER], ids=lambda path: path.stem)
def test_notebooks_are_valid_and_have_no_outputs(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)


@pytest.mark.slow
def test_every_cell_shows_what_it_ends_with(execute):
    for cell in execute(FIRST_STEPS):
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


@pytest.mark.slow
def test_the_notebook_of_the_browser_runs_as_it_is(execute):
    pytest.importorskip("sklearn.base")
    outputs = [output for cell in execute(IN_THE_BROWSER)[1:] for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    assert float(re.match(r"([\d.]+)% of the images", printed)[1]) > 90
