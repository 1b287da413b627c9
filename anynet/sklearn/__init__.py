"""Estimators with scikit-learn's interface: classification, regression, and a search that trains nets as one stack."""

from anynet.sklearn.net_classifier import NetClassifier
from anynet.sklearn.net_regressor import NetRegressor
from anynet.sklearn.net_search import NetSearchCV

__all__ = ["NetClassifier", "NetRegressor", "NetSearchCV"]
