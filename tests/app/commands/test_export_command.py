"""``python -m anynet export``, from what is typed to the file."""

import importlib.util
import sys

import numpy as np
import pytest
from commands import refused
from safetensors.numpy import load_file

import anynet as an
from anynet.app import cli

pytestmark = pytest.mark.usefixtures("few_pictures")


def test_a_run_is_written_with_pytorchs_names(trained, capsys):
    cli.main(["export", f"{trained.folder}", "--out", "net.safetensors"])
    said = "the net, for samples of uint8 of shape (N, 3, 32, 32), is in net.safetensors\n"
    assert capsys.readouterr() == (said, "")
    there, run = load_file("net.safetensors"), an.load(trained.folder)
    assert np.array_equal(there["0.weight"], run.net.layout.split(run.best.params)["0.W"].T)


def test_a_run_is_written_as_onnx(trained, capsys):
    onnxruntime = pytest.importorskip("onnxruntime")
    cli.main(["export", f"{trained.folder}", "--out", "mine", "--format", "onnx"])
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 32, 32), np.uint8)
    (found,) = onnxruntime.InferenceSession("mine").run(["probabilities"], {"input": images})
    np.testing.assert_allclose(found, an.load(trained.folder).predict_proba(images), atol=1e-5)


def test_what_cannot_be_written_is_refused_in_one_line(trained, seeded, tmp_path, capsys, monkeypatch):
    find = importlib.util.find_spec
    missing = {"onnx", "keras"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else find(name))
    for name in [name for name in sys.modules if name.startswith(("anynet.onnx", "anynet.keras"))]:
        monkeypatch.delitem(sys.modules, name)
    run = f"{trained.folder}"
    for tokens, message in (
        ([run, "--out", "net.pkl"], "--out net.pkl: expected a name with .onnx, .pt2, .keras, .safetensors at its end"),
        ([run, "--out", "net.k", "--format", "keras"], "--out net.k: expected a name with .keras at its end"),
        ([run, "--out", "none/net.onnx"], "none/net.onnx: its folder none does not exist"),
        ([f"{seeded.folder}", "--out", "net.onnx"], "expected one net, got 3; give a member-N folder in it"),
        ([f"{tmp_path}", "--out", "net.onnx"], "config.toml"),
        ([run, "--out", "net.onnx"], "anynet.onnx needs onnx; install it with: pip install '.[onnx]'"),
        ([run, "--out", "net.keras"], "anynet.keras needs keras; install it with: pip install '.[keras]'"),
    ):
        said = refused(capsys, "export", *tokens)
        assert message in said
        assert said.count("\n") == 1
    assert not [path for path in tmp_path.iterdir() if path.is_file()]
