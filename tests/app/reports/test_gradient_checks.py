"""The page of the reports' gradient checks, on a few small images."""

import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from anynet.app.reports import checked_nets, gradient_checks, overfitting
from anynet.data import Batches, Split
from anynet.data.synthetic import draw
from anynet.gradcheck import check, sweep


@pytest.fixture
def batch(rng):
    return Split(rng.integers(0, 256, (60, 12), np.uint8), rng.integers(0, 10, 60))


@pytest.fixture(autouse=True)
def few_probes(monkeypatch):
    monkeypatch.setattr(gradient_checks, "check", lambda subject, **how: check(subject, **how | {"probes": 6}))
    monkeypatch.setattr(gradient_checks, "sweep", partial(sweep, probes=1))


def cells(table):
    """The rows of a Markdown table, each as a list of its cells."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_one_sided_means_are_half_a_step_of_the_second_derivative(batch):
    """The penalty's is 2 λ = 2, a softmax's p (1 - p) x²; at the start all p are near 0.1, and x² is 1 on average."""
    for _, name, _, finite, _, central in cells(gradient_checks.garcia_sanz(batch)):
        expected = -0.5e-6 * ((2 if name == "W" else 0) + 0.09)
        assert float(finite) == pytest.approx(expected, rel=0.05)
        assert abs(float(central)) < 1e-9


def test_the_other_one_layer_reports_are_met(batch):
    assert all(float(here) < 1e-7 for *_, here in cells(gradient_checks.sneltvedt(batch)))
    for method, _, report, here, best in cells(gradient_checks.herrera_sarrias(batch)):
        if method == "finite":
            assert float(here) == pytest.approx(float(report), rel=0.2)
        else:  # rounding alone, decided by the darkest pixel
            assert float(best) < float(here) < 1e-6


def test_batch_normalisation_passes_where_its_report_did_not(batch):
    rows = cells(gradient_checks.harish_kumar(batch))
    assert {row[-1] for row in rows} == {"yes"}
    failed = [float(row[3]) for row in rows if row[2] == "1.0"]
    passed = [float(row[3]) for row in rows if row[0].endswith("with") and row[2] not in ("", "1.0")]
    assert len(failed) == 12
    assert min(failed) >= 1
    assert max(passed) < 1e-6


def test_statistics_are_held_at_those_of_the_batch(batch):
    """So the cost is the same at the point itself, and another beside it."""
    right, held = checked_nets.deep(batch, 3, 0.0, batch_norm=True), checked_nets.constant_statistics(batch, 3)
    assert held.value(held.point) == pytest.approx(right.value(right.point), rel=1e-12)
    assert not check(held, probes=4).passed


def test_the_whole_page(tmp_path, monkeypatch):
    for name in ("garcia_sanz", "sneltvedt", "herrera_sarrias", "harish_kumar"):  # which have tests of their own
        monkeypatch.setattr(gradient_checks, name, lambda batch: "| a |\n| --- |\n| b |")
    monkeypatch.setattr(gradient_checks, "deep", lambda batch, depth, l2, **how: checked_nets.deep(batch, 2, l2, **how))
    monkeypatch.setattr(overfitting, "EPOCHS", 2)
    monkeypatch.setattr(overfitting, "IMAGES", 20)
    batches = draw(0, per_batch=40)
    batches = replace(batches, x=batches.x[:, :12].copy(), shape=(1, 3, 4))
    monkeypatch.setattr(gradient_checks, "find", lambda source: ("synthetic", batches))
    gradient_checks.gradient_page("synthetic", tmp_path / "page", "drawn pictures")
    page = (tmp_path / "page" / "README.md").read_text(encoding="utf-8")
    assert "data_batch_1 of drawn pictures, 40 images" in page
    assert not re.search(r"\{\w+\}", page)
    for picture in re.findall(r"\]\((\w+\.png)\)", page):
        assert (tmp_path / "page" / picture).stat().st_size > 1000
    assert "<table>" in (tmp_path / "page" / "index.html").read_text(encoding="utf-8")


def test_other_images_than_those_of_the_reports_are_refused(tmp_path, monkeypatch):
    other = Batches(np.zeros((4, 1), np.uint8), np.arange(4) % 2, {"train": 3, "test": 1}, ("a", "b"), False, (1, 1, 1))
    monkeypatch.setattr(gradient_checks, "find", lambda data: ("mine", other))
    with pytest.raises(ValueError, match="--data: expected images in CIFAR-10's files, as the reports have"):
        gradient_checks.gradient_page("mine", tmp_path / "page", "mine")
    assert not (tmp_path / "page").exists()
