"""Order of a recorded step's operations: what runs together."""

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import numpy as xp

from anynet.compiler.schedule import schedule
from anynet.compiler.tape import trace


def groups(function, *arrays):
    """Operations of each group."""
    return [[node.op for node in group] for group in schedule(trace(function, xp, *arrays), lambda node: True)]


def test_operations_on_a_vector_stay_together_whatever_is_computed_of_single_numbers():
    """As in Adam, whose number of steps is counted before the moments, and used after them."""

    def update(vector, count):
        count = count + 1
        moment = vector * 0.9
        return moment * array_namespace(count).sqrt(count), count

    assert groups(update, np.ones(5), np.ones(())) == [["add", "sqrt"], ["multiply", "multiply"]]


def test_single_numbers_of_a_vector_that_is_not_computed_yet_wait():
    def update(vector, count):
        return vector * 2 - 1, count + 1, vector + count

    assert groups(update, np.ones(5), np.ones(())) == [["add"], ["multiply", "subtract", "add"]]


def test_smaller_operations_stay_together_whatever_single_numbers_they_need():
    """As in dropout, whose random numbers need a key of one element, while a layer's output waits for them."""

    def step(x, numbers, key):
        y = x * 2.0
        numbers = numbers + key
        numbers = numbers * (key + 1.0)
        numbers = numbers + key * 3.0
        return (y + 1.0) * 2.0, numbers

    graph = trace(step, xp, np.ones((6, 2)), np.ones(8), np.ones(1))
    made = schedule(graph, lambda node: node.shape != (1,))
    order = [node for group in made for node in group]
    assert sorted(map(id, order)) == sorted(map(id, graph.nodes))
    for i, node in enumerate(order):
        assert not set(node.inputs).intersection(order[i:])
    expected = [["add", "multiply", "add"], ["multiply", "add", "multiply"]]
    assert [[node.op for node in group] for group in made if group[0].shape != (1,)] == expected
