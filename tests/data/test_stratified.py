"""Orders in which classes are mixed evenly."""

import numpy as np
import pytest

from anynet.data.stratified import hold_out, stratified_order

LABELS = np.asarray([0] * 60 + [3] * 7 + [1] * 2 + [2] + [5] * 15)


@pytest.mark.parametrize("seed", range(5))
def test_any_part_has_its_share_of_each_class(seed):
    order = stratified_order(LABELS, np.random.default_rng(seed))
    np.testing.assert_array_equal(np.sort(order), np.arange(len(LABELS)))
    sizes = np.bincount(LABELS)
    for end in range(len(LABELS) + 1):
        share = sizes * end / len(LABELS)
        assert (np.abs(np.bincount(LABELS[order[:end]], minlength=6) - share) <= 1.5).all()


def test_the_order_within_a_class_is_random():
    first, second = (stratified_order(np.zeros(50, int), np.random.default_rng(seed)) for seed in (0, 1))
    assert first.tolist() != second.tolist()
    assert first.tolist() != sorted(first)


def test_a_sixth_of_each_class_is_held_out_the_same_every_time():
    train, test = hold_out(LABELS)
    assert np.bincount(LABELS[test], minlength=6).tolist() == [10, 0, 0, 1, 0, 3]
    assert set(LABELS[train]) == set(LABELS)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(len(LABELS)))
    for again, before in zip(hold_out(LABELS), (train, test), strict=True):
        np.testing.assert_array_equal(again, before)
