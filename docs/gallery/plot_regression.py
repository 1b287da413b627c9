"""
Regression
==========

Targets that are floats are numbers to predict: the loss is then the mean squared error, and the score R². Diabetes has
ten measurements of 442 patients, and how far their disease went on in a year.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

import anynet as an
from anynet.plots import STYLE

plt.style.use(STYLE)
x, y = load_diabetes(return_X_y=True)
x, x_test, y, y_test = train_test_split(x, y, random_state=0)
mean, scale = y.mean(), y.std()  # y is 25 to 346; a net learns numbers around 0 faster
t = (y - mean) / scale

# %%
# The same net in two libraries
# -----------------------------
# scikit-learn trains until the loss improves by less than 0.01, anynet for as many epochs. Features are standardized,
# which in anynet is the default.

features = StandardScaler().fit(x)
settings = {"batch_size": 50, "learning_rate_init": 0.01, "alpha": 0.5, "tol": 0.01}
mlp = MLPRegressor(hidden_layer_sizes=[20], random_state=0, **settings)
mlp.fit(features.transform(x), t)

net = an.Sequential(an.Linear(20), an.ReLU(), an.Linear(1))
run = an.fit(net, (x, t), an.Adam(0.01), l2=0.01, batch_size=50, epochs=mlp.n_iter_, seed=0)

predicted = mean + scale * run.predict(x_test)
ours = r2_score(y_test, predicted)
theirs = r2_score(y_test, mean + scale * mlp.predict(features.transform(x_test)))
print(f"R² of {len(y_test)} test patients: anynet {ours:.3f}, scikit-learn {theirs:.3f}")
assert ours > max(0.25, theirs - 0.06)

# %%
# What R² of a third looks like
# -----------------------------
# Each point is a patient of the test samples. R² is the share of the variance that the net explains: 0 is as good as
# the mean, 1 is perfect. On the left the predictions lie in a narrower range than the truth, as those of an uncertain
# model have to. On the right is the function that the net has learned, over the body mass index, with the nine other
# measurements at their mean.

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8), layout="constrained")
left.plot(y_test, predicted, "o", markersize=4)
left.plot([25, 346], [25, 346], color="0.4", linestyle="--", label="perfect")
left.axhline(mean, color="C1", linestyle=":", label="mean of the training patients")
left.set(xlabel="progress of the disease", ylabel="predicted progress")
left.set(aspect="equal", title=f"R² = {ours:.2f}")
left.legend(loc="upper left")

index = np.linspace(x[:, 2].min(), x[:, 2].max(), 100)
others = np.tile(x.mean(axis=0), (100, 1))
others[:, 2] = index
right.plot(x_test[:, 2], y_test, "o", markersize=4, label="patients")
predicted = mean + scale * run.predict(others)
right.plot(index, predicted, linewidth=2.5, label="net, all else at the mean")
right.set(xlabel="body mass index, centered and scaled", ylabel="progress of the disease")
right.set_ylim(25, 425)
right.legend(loc="upper left")
plt.show()
