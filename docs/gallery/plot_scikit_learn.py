"""
Digits with scikit-learn
========================

`anynet.sklearn.NetClassifier` is an estimator: it has ``fit`` and ``predict``, and works in pipelines, in
cross-validation and in searches, beside or in the place of scikit-learn's own ``MLPClassifier``.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from anynet.plots import STYLE
from anynet.sklearn import NetClassifier, NetSearchCV

plt.style.use(STYLE)
X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# In a pipeline
# -------------
# Both nets have the same settings, and the folds of the cross-validation are the same. A difference that is smaller
# than the deviation between the folds is chance.

settings = {"batch_size": 50, "tol": 5e-3, "random_state": 0}
ours = NetClassifier((30,), lr=0.01, **settings)
theirs = MLPClassifier((30,), learning_rate_init=0.01, **settings)
pipelines = {
    "anynet": make_pipeline(StandardScaler(), ours),
    "scikit-learn": make_pipeline(StandardScaler(), theirs),
}
scores = {name: cross_val_score(pipeline, X, y, cv=3) for name, pipeline in pipelines.items()}
for name, of_folds in scores.items():
    mean, deviation = of_folds.mean(), of_folds.std(ddof=1)
    print(f"{name}: {mean:.1%} ± {deviation:.1%} over {len(of_folds)} folds")
assert scores["anynet"].mean() > scores["scikit-learn"].mean() - 0.01

# %%
# In a search
# -----------
# `anynet.sklearn.NetSearchCV` is a ``GridSearchCV`` that trains candidates as one net where they differ in numbers
# such as the learning rate and the penalty: here all twelve, once for each fold. Look where the bars, the deviation
# over the folds, do not overlap: only there the search has found something.

rates, penalties = [0.001, 0.003, 0.01, 0.03], [0, 0.001, 0.01]
grid = {"netclassifier__lr": rates, "netclassifier__l2": penalties}
search = NetSearchCV(pipelines["anynet"], grid, cv=3).fit(X, y)
print(search.best_params_)
print(f"accuracy on {len(y_test)} test images: {search.score(X_test, y_test):.1%}")

figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
results = search.cv_results_
for l2, marker, shift in zip(penalties, "osv", (0.95, 1, 1.05), strict=True):
    chosen = np.asarray([params["netclassifier__l2"] == l2 for params in results["params"]])
    means = 100 * results["mean_test_score"][chosen]
    deviations = 100 * results["std_test_score"][chosen]
    places = shift * np.asarray(rates)
    axes.errorbar(places, means, deviations, marker=marker, capsize=3, label=f"l2 = {l2:g}")
axes.set(xscale="log", xlabel="learning rate", ylabel="accuracy over the folds (%)")
axes.legend()
plt.show()
