"""Data for estimators. Without scikit-learn there is nothing to test."""

import numpy as np
import pytest

pytest.importorskip("sklearn.base", reason="scikit-learn is not installed")
collect_ignore = []


@pytest.fixture(scope="session")
def digits():
    """Small gray images, 0 to 1, and their labels."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return (X[:400] / 16).astype(np.float32), y[:400]
