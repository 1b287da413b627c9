"""Histories: columns, the best epoch, files, means and deviations."""

import re
import statistics

import numpy as np
import pytest

from anynet.core.epoch import Epoch
from anynet.core.errors import FileError
from anynet.core.history import History, mean_and_deviation, mean_history

ACCURACIES = [0.25, 0.5, 0.5, 0.4]


def history(accuracies=ACCURACIES, shift=0.0):
    return History(
        Epoch(i, 0.1 / i, 2.1 + shift, 2.0, 1 / 3, 2.2, 2.1, accuracy, 1.5 * i)
        for i, accuracy in enumerate(accuracies, 1)
    )


def test_it_is_a_sequence_of_epochs():
    whole = history()
    assert len(whole) == 4
    assert [row.epoch for row in whole] == [1, 2, 3, 4]
    assert whole[-1] is list(whole)[3]
    assert isinstance(whole[1:3], History)
    assert list(whole[1:3]) == list(whole)[1:3]
    assert whole[2] in whole
    assert not History()


def test_columns_go_by_name():
    np.testing.assert_array_equal(history()["val_accuracy"], ACCURACIES)
    assert history()["epoch"].dtype == np.float64
    assert History()["lr"].shape == (0,)
    with pytest.raises(KeyError, match='no column "val_acuracy"; did you mean "val_accuracy"'):
        history()["val_acuracy"]


def test_the_best_is_the_first_of_the_highest():
    assert history().best == history()[1]
    assert history([0.5, 0.1]).best.epoch == 1
    with pytest.raises(ValueError, match="an empty history has no best epoch"):
        _ = History().best


def test_of_equal_accuracies_the_lower_loss_is_better_and_of_equal_losses_the_first():
    losses = [2.0, float("nan"), 1.0, 1.0]
    rows = [Epoch(i, 0.1, 2.0, 2.0, 0.3, 2.2, loss, 0.5, 1.0) for i, loss in enumerate(losses, 1)]
    assert [History(rows[:n]).best.epoch for n in (1, 2, 3, 4)] == [1, 1, 3, 3]
    numbers = [row._replace(train_accuracy=None, val_accuracy=None) for row in rows]
    assert History(numbers).best.epoch == 3
    unmeasured = [row._replace(val_cost=None, val_loss=None, val_accuracy=None) for row in rows]
    assert History(unmeasured).best.epoch == 4


def test_it_is_a_value():
    assert history() == history()
    assert hash(history()) == hash(history())
    assert history() != history()[:3]
    assert history() != list(history())
    assert repr(history()) == "History(4 epochs, best 2 with validation accuracy 50.00%)"
    assert repr(history()[:1]) == "History(1 epoch, best 1 with validation accuracy 25.00%)"
    assert repr(History()) == "History()"


def test_a_printed_epoch_is_rounded_and_names_no_cost_that_is_the_loss():
    epoch = Epoch(12345, 1 / 3, 2 / 3, 2 / 3, 1 / 3, 200 / 3, 200 / 3, None, 1e5 / 3)
    text = "Epoch(epoch=12345, lr=0.3333, train_loss=0.6667, train_accuracy=0.3333, val_loss=66.67, seconds=33333)"
    assert repr(epoch).replace("\n    ", " ") == text
    assert epoch.train_cost == 2 / 3
    assert "val_cost=66.68, val_loss=66.67" in repr(epoch._replace(val_cost=66.68))


@pytest.mark.parametrize("n", [0, 1, 4])
def test_a_file_holds_all_of_it(tmp_path, n):
    path, written = tmp_path / "history.csv", history()[:n]
    path.write_text("old")
    written.write_csv(path, "drawn, 2")
    assert History.read_csv(path) == written
    assert len(path.read_text().splitlines()) == 1 + n
    assert [file.name for file in tmp_path.iterdir()] == ["history.csv"]


HEADER = ",".join(Epoch._fields)
ROW = "1,2,3,4,.5,6,7,.8,9"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'line 1: expected a column "epoch", got none'),
        ("half a line", 'line 1: expected a column "epoch", got half a line'),
        (HEADER.replace("val_cost", "cost"), 'line 1: expected a column "val_cost", got epoch, lr, train_cost,'),
        (f"{HEADER},val_cost\n{ROW},8", 'line 1: expected one column "val_cost", got 2'),
        (f"{HEADER}\n{ROW}\n2,0.1,1", "line 3, column train_loss: expected a value, got nothing"),
        (f"{HEADER}\n{ROW},1", "line 2: expected 9 fields, got more"),
        (f"{HEADER},dataset\n{ROW}", "line 2, column dataset: expected a value, got nothing"),
        (f"{HEADER}\n1,2,3,4,.5,6,x7,.8,9", 'line 2, column val_loss: expected a number, got "x7"'),
        (f"{HEADER}\n1.5,2,3,4,.5,6,7,.8,9", 'line 2, column epoch: expected epoch 1, got "1.5"'),
        (f"{HEADER}\n{ROW}\n{ROW}", 'line 3, column epoch: expected epoch 2, got "1"'),
        (f"{HEADER}\n1,,3,4,.5,6,7,.8,9", "line 2, column lr: expected a finite number, got nothing"),
        (f"{HEADER}\n1,nan,3,4,.5,6,7,.8,9", 'line 2, column lr: expected a finite number, got "nan"'),
        (f"{HEADER}\n1,2,inf,4,.5,6,7,.8,9", 'line 2, column train_cost: expected a finite number, got "inf"'),
        (f"{HEADER}\n1,2,3,4,nan,6,7,.8,9", "line 2, column train_accuracy: expected a fraction from 0 to 1, got"),
        (f"{HEADER}\n1,2,3,4,.5,6,7,8,9", 'line 2, column val_accuracy: expected a fraction from 0 to 1, got "8"'),
        (f"{HEADER}\n1,2,3,4,.5,6,\x1b[2J,.8,9", 'line 2, column val_loss: expected a number, got "?[2J"'),
        (f"{HEADER}\n{'x' * 200_000}", "line 1: expected CSV, got an error: field larger than field limit"),
    ],
)
def test_errors_name_file_line_and_column(tmp_path, text, message):
    path = tmp_path / "history.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}, {message}')}"):
        History.read_csv(path)


def test_a_file_that_is_no_text_is_named(tmp_path):
    path = tmp_path / "history.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match=r"history\.csv, line 1: expected text in UTF-8, got byte 0xff; mend the line"):
        History.read_csv(path)


def test_a_validation_cost_may_overflow(tmp_path):  # while the training goes on
    path = tmp_path / "history.csv"
    path.write_text(f"{HEADER}\n1,2,3,4,.5,inf,nan,.8,9\n")
    (row,) = History.read_csv(path)
    assert row.val_cost == np.inf
    assert np.isnan(row.val_loss)


def test_paths_may_be_texts_and_files_may_begin_with_a_mark(tmp_path):
    path = tmp_path / "history.csv"
    history().write_csv(str(path), "drawn")
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert History.read_csv(str(path)) == history()


def test_columns_come_in_any_order(tmp_path):
    path, (row, *_) = tmp_path / "history.csv", history()
    names = [*reversed(Epoch._fields), "note"]
    path.write_text(f"{','.join(names)}\n{','.join(str(row._asdict().get(name, 'a')) for name in names)}\n")
    assert list(History.read_csv(path)) == [row]


def test_the_deviation_divides_by_n_less_one():
    values = [0.1, 0.4, 0.25]
    mean, deviation = mean_and_deviation(values)
    assert (float(mean), float(deviation)) == pytest.approx((statistics.mean(values), statistics.stdev(values)))
    mean, deviation = mean_and_deviation([[1.0, 2.0]])
    np.testing.assert_array_equal([mean, deviation], [[1, 2], [0, 0]])


@pytest.mark.filterwarnings("error")
def test_the_deviation_of_what_is_infinite_is_unknown():
    mean, deviation = mean_and_deviation([np.inf, 1.0])
    assert mean == np.inf
    assert np.isnan(deviation)


def test_means_over_the_epochs_that_all_have():
    one, other = history(), history([0.75, 0.6], shift=1.0)
    mean, deviation = mean_history([one, other])
    assert [row.epoch for row in mean] == [row.epoch for row in deviation] == [1, 2]
    np.testing.assert_allclose(mean["val_accuracy"], [0.5, 0.55])
    np.testing.assert_allclose(deviation["train_cost"], [0.5**0.5] * 2)
    assert mean_history([one]).mean == one
    assert set(mean_history([one]).deviation["seconds"]) == {0}
    assert mean_history([one, History()]).mean == History()
