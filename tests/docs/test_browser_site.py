"""The JupyterLite site of the documentation has the notebook, and the wheel that its first cell installs."""

import hashlib
import json
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("jupyterlite_pyodide_kernel")

ROOT = Path(__file__).parents[2]
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"


@pytest.mark.slow
def test_the_site_offers_the_wheel_of_this_checkout(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_extensions"))
    import browser

    site = tmp_path / "lite"
    browser.write_lite(site)
    settings = json.loads((site / "jupyter-lite.json").read_text(encoding="utf-8"))["jupyter-config-data"]
    indices = settings["litePluginSettings"][KERNEL]["pipliteUrls"]
    index = json.loads((site / urlsplit(indices[0]).path).read_text(encoding="utf-8"))
    ((release,),) = index["anynet-array"]["releases"].values()
    wheel = site / "pypi" / release["filename"]
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == release["digests"]["sha256"]
    with zipfile.ZipFile(wheel) as packed:
        assert packed.read("anynet/__init__.py") == (ROOT / "anynet" / "__init__.py").read_bytes()

    notebook = ROOT / browser.NOTEBOOK
    assert json.loads((site / "files" / notebook.name).read_bytes()) == json.loads(notebook.read_bytes())
    listed = json.loads((site / "api" / "contents" / "all.json").read_bytes())["content"]
    assert [each["path"] for each in listed] == [notebook.name]
    assert not list(site.rglob("*.map"))
    assert sum(path.stat().st_size for path in site.rglob("*")) < 40e6
