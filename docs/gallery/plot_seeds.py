"""
Ten seeds as one training
=========================

The seed decides the initial weights. Training again with other seeds shows how much of a result is chance. anynet
trains the ten nets as one: their arrays have one more axis, and every batch is read once for all.
"""

import matplotlib.pyplot as plt
import numpy as np

import anynet as an
from anynet.plots import STYLE

plt.style.use(STYLE)
data = an.data.load("digits", train=300)
net = an.Sequential(an.Linear(30), an.ReLU(), an.Linear(10))
settings = {"epochs": 20, "batch_size": 50}
runs = an.fit(net, data, an.Adam(0.01), seeds=range(10), **settings)

# %%
# Mean and deviation
# ------------------
# The lines are means over the ten nets, the bands one standard deviation. A difference between two settings that is
# smaller than the band says nothing when each was trained once.

runs.plot()

# %%
# One of them alone
# -----------------
# Each net is the one that it would be alone. The order of the batches is that of ``order_seed``, which all ten share.

alone = an.fit(net, data, an.Adam(0.01), seed=3, order_seed=42, **settings)
difference = np.abs(alone.history["train_loss"] - runs[3].history["train_loss"]).max()
print(f"seed 3 alone and among ten: the training losses differ by {difference:.0e} at most")
assert difference < 1e-4

# %%
# Ten opinions are better than one
# --------------------------------
# The nets make different mistakes. The mean of their probabilities is wrong less often than a single net is on
# average, and here less often than most of them.

accuracy = np.asarray([100 * run.best_test.accuracy for run in runs])
together = 100 * runs.ensemble.test_accuracy
mean, deviation = accuracy.mean(), accuracy.std(ddof=1)
print(f"{mean:.1f} ± {deviation:.1f} % of the test images each, {together:.1f} % together")
assert together > accuracy.mean()

figure, axes = plt.subplots(figsize=(6.4, 2.8), layout="constrained")
axes.plot(range(10), accuracy, "o", label="one net")
axes.axhline(accuracy.mean(), linestyle="--", label="mean of the nets")
axes.axhline(together, color="C1", label="ensemble: mean of their probabilities")
axes.set(xlabel="seed", ylabel="test accuracy (%)", xticks=range(10))
axes.legend(loc="lower left")
plt.show()
