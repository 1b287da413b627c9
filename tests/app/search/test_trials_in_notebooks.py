"""Trials of a search: a line in terminals, a table of the best ones and a picture in notebooks."""

from notebooks import shown, table, title

from anynet.app.search import Range, Trial, Trials

SPACE = {"lr": Range(1e-3, 1e-1)}


def trial(number, accuracy, stage="coarse", state="finished"):
    return Trial(number, stage, "digits", state, {"lr": 0.01 * number}, accuracy, 3, 0.9, 0.8, 0.75, 1.0, "")


def test_trials_are_shown_with_the_columns_that_differ():
    trials = Trials((trial(2, 0.5), trial(1, 0.25)), SPACE)
    assert repr(trials) == "Trials(2 trials, 'digits', best validation accuracy 50.00% with lr 0.02)"
    tree = shown(trials)
    assert title(tree) == "Trials: 2 trials, 'digits', best validation accuracy 50.00% with lr 0.02"
    assert table(tree) == [
        ["trial", "lr", "validation", "epoch", "test"],
        ["2", "0.02", "50.00%", "3", "75.00%"],
        ["1", "0.01", "25.00%", "3", "75.00%"],
    ]
    assert tree.find("img") is not None
    assert repr(trials[0]) == "Trial(coarse 2, finished, validation accuracy 50.00%, lr 0.02)"


def test_stages_and_states_are_shown_where_they_differ_and_the_best_of_many():
    many = Trials((*(trial(k, 0.5, "fine") for k in range(1, 12)), trial(1, None, state="diverged")), SPACE)
    tree = shown(many)
    assert table(tree)[0][:2] == ["stage", "trial"]
    assert len(table(tree)) == 1 + 10
    assert tree.find("table/caption").text == "the best 10"
    assert table(shown(many[-1:])) == [
        ["trial", "lr", "epoch", "test", "state"],
        ["1", "0.01", "3", "75.00%", "diverged"],
    ]
    assert (repr(many[:0]), title(shown(many[:0]))) == ("Trials(0 trials)", "Trials: none")
