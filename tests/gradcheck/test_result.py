"""What a result says of its entries: in numbers, as a table, as a file, and as an error."""

import csv
import re

import numpy as np
import pytest
from formulas import ABSOLUTE, SMOOTH
from notebooks import shown, table

from anynet import BatchNorm, Linear, ReLU, Sequential
from anynet.gradcheck import GradientError, Subject, check, of_layer, of_net

A, B = np.asarray([[0.5, -1.0], [2.0, 0.25]]), np.asarray([1.0, 2.0, 3.0])


def two_arrays(wrong=0.0):
    """sin of a and the squares of b, with an error in the last element of b's gradient."""

    def value(point):
        return np.concatenate([np.sin(point["a"]).ravel(), np.square(point["b"])])

    def gradients(point):
        return {"a": np.cos(point["a"]), "b": 2 * point["b"] + np.asarray([0, 0, wrong])}

    return Subject(value, gradients, {"a": A, "b": B}, {"b": "the second"})


def test_entries_hold_the_slopes_in_the_arrays_order():
    result = check(two_arrays())
    assert result.passed
    assert list(result.entries) == ["a", "b"]
    entry = result.entries["a"]
    assert (entry.size, entry.name, entry.tolerance) == (4, "a", 1e-6)
    assert [str(line) for line in entry.lines] == ["[0,0]", "[0,1]", "[1,0]", "[1,1]"]
    np.testing.assert_array_equal(entry.analytical, np.cos(A).ravel())
    np.testing.assert_allclose(entry.numerical, np.cos(A).ravel(), rtol=1e-8)
    assert not entry.kinks.any()
    result.require()


def test_the_worst_place_is_named_with_both_values_there():
    result = check(two_arrays(wrong=0.5))
    assert not result.passed
    assert result.entries["a"].passed
    row = result.entries["b"].row()
    assert row["array"] == "b"
    assert row["at"] == "[2]"
    assert row["analytical"] == 6.5
    assert row["numerical"] == pytest.approx(6, rel=1e-8)
    assert row["largest absolute error"] == pytest.approx(0.5, rel=1e-7)
    assert row["largest relative error"] == pytest.approx(0.5 / 6.5, rel=1e-7)
    assert (row["size"], row["probes"], row["kinks"], row["passed"]) == (3, 3, 0, False)


def test_errors_are_relative_to_the_larger_slope_and_nought_at_kinks():
    entry = check(ABSOLUTE.spoilt(lambda g: g + 1).at(np.asarray([-1.0, 0.0, 4.0]))).entries["x"]
    np.testing.assert_array_equal(entry.analytical, [0, 1, 2])
    np.testing.assert_array_equal(entry.kinks, [False, True, False])
    np.testing.assert_allclose(entry.absolute, [1, 0, 1], rtol=1e-8)
    np.testing.assert_allclose(entry.relative, [1, 0, 0.5], rtol=1e-8)
    assert str(entry.lines[entry.worst]) == "[0]"
    assert entry.row()["probes"] == 3


def test_what_rounding_explains_is_no_error():
    subject = SMOOTH["sin"].at(np.asarray([0.5, np.pi / 2]))  # where the slope is 0, and its relative error 1
    entry = check(subject).entries["x"]
    assert abs(entry.numerical[1]) <= entry.noise
    assert entry.relative[1] <= 1e-6
    assert entry.passed


def test_a_csv_file_has_a_line_for_each_array(tmp_path):
    result = check(two_arrays(wrong=0.5))
    result.write_csv(tmp_path / "check.csv")
    with (tmp_path / "check.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{column: str(value) for column, value in e.row().items()} for e in result.entries.values()]
    assert [row["passed"] for row in rows] == ["True", "False"]
    assert float(rows[1]["numerical"]) == result.entries["b"].row()["numerical"]  # no digit is lost


@pytest.mark.parametrize("method", ["finite", "central", "directional"])
def test_a_table_has_every_array_with_its_verdict(method):
    text = str(check(two_arrays(wrong=0.5), method=method))
    a, b = (next(line for line in text.splitlines() if re.search(rf"^{name} ", line)) for name in "ab")
    assert "✓" in a
    assert "✗" not in a
    assert "✗" in b
    assert f"{method} differences" in text
    assert "the second" in text
    assert "wrong gradient with respect to b" in text


def test_a_table_says_that_all_agree():
    text = str(check(two_arrays()))
    assert "all gradients agree to 1e-06" in text
    assert "✗" not in text


def test_a_table_says_how_many_were_compared_and_how_many_left_out():
    subject = ABSOLUTE.at(np.concatenate([np.linspace(-2, -1, 1500), [0.0, 0.0]]))
    row = next(line for line in str(check(subject, method="finite", probes=1502)).splitlines() if line.startswith("x"))
    assert row.split()[:3] == ["x", "1,502", "2"]


def test_a_nets_table_names_its_layers_and_arrays(rng):
    net = Sequential(Linear(3, 4), Sequential(BatchNorm(4), ReLU()), Linear(4, 2))
    text = str(check(of_net(net, rng.standard_normal((5, 3)), [0, 1, 0, 1, 1])))
    for name in (*net.layout.slots, "input", "0 Linear", "1.0 BatchNorm", "2 Linear"):
        assert name in text
    assert "ReLU" not in text


def test_a_notebook_shows_the_worst_array_first():
    right, wrong = check(two_arrays()), check(two_arrays(wrong=0.5))
    text = "Result(failed, 2 arrays, central differences,\n    largest relative error 7.7e-02 in b)"
    assert repr(wrong) == text  # 0.5 of 6.5
    assert repr(right).startswith("Result(passed, 2 arrays, ")
    assert repr(wrong.entries["b"]) == "Entry('b', 3 probes, largest relative error 7.7e-02, failed)"
    assert repr(two_arrays()) == "Subject(a (2, 2), b (3,))"
    tree = shown(wrong)
    assert tree.findall("p")[1].text == "wrong gradient with respect to b"
    header, *rows = table(tree)
    assert [row[:2] for row in rows] == [["the second", "b"], ["", "a"]]
    assert header[5:7] == ["largest error", "relative error"]
    assert [row[-1] for row in rows] == ["✗", "✓"]
    shown(right)


# ---- the error


@pytest.mark.parametrize("method", ["finite", "central", "directional"])
def test_the_error_has_inputs_direction_and_both_gradients(method):
    result = check(two_arrays(wrong=0.5), method=method)
    with pytest.raises(GradientError) as error:
        result.require()
    text, entry = str(error.value), result.entries["b"]
    assert text.startswith("wrong gradient with respect to b\n\nb, ")
    assert f"{method} differences with step {entry.step:g}" in text
    assert f"input a, shape (2, 2):\n{A}\ninput b, shape (3,):\n{B}" in text
    line = entry.lines[entry.worst]
    assert f"at {line}: analytical {entry.analytical[entry.worst]:.12e}" in text
    with np.printoptions(precision=6):
        assert f"analytical:\n{entry.analytical}\nnumerical:\n{entry.numerical}" in text
        assert (f"direction:\n{line.unit}" if method == "directional" else "at [2]") in text


def test_an_error_is_short_whatever_the_size_of_the_arrays():
    large = Subject(lambda x: np.square(x["x"]), lambda x: {"x": np.ones((40, 30))}, {"x": np.full((40, 30), 2.0)})
    with pytest.raises(
        GradientError, match=r"(?s)analytical:\n\[1\. 1\. \.\.\. 1\. 1\.\]\n.*\(40, 30\):\n\[\[2\. 2\."
    ) as error:
        check(large).require()
    assert len(str(error.value).splitlines()) < 20


def test_the_error_reports_each_array_that_failed_and_no_other():
    class Negated(Linear):
        def backward(self, params, cache, dy):
            return -super().backward(params, cache, dy)[0], self.parameter_gradients(params, cache, dy)

        def parameter_gradients(self, params, cache, dy):
            grads = super().parameter_gradients(params, cache, dy)
            return grads | {"b": -grads["b"]}

    with pytest.raises(GradientError) as error:
        check(of_layer(Negated(3, 2))).require()
    text = str(error.value)
    assert text.startswith("wrong gradient with respect to b, input\n\n")
    assert len(re.findall(r"^analytical:$", text, re.MULTILINE)) == 2
    assert isinstance(error.value, AssertionError)
