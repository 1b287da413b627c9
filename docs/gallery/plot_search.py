"""
Search as a map
===============

Learning rate and momentum have to fit each other. A search trains a net for every pair of values, and draws the result
as a map. Trials that differ only in such numbers are trained as one net, five at a time.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt

import anynet as an
from anynet.plots import STYLE

plt.style.use(STYLE)

# %%
# All pairs
# ---------
# `Config` has the settings of ``python train.py``. The trials go into a folder, from which a search that was stopped
# goes on; here it is a temporary one.

net = {"hidden": "30", "norm": "none", "optimizer": "sgd", "schedule": "constant"}
base = an.search.Config(data="digits", epochs=4, batch_size=50, **net)
space = {
    "lr": an.search.Grid((0.001, 0.003, 0.01, 0.03, 0.1, 0.3)),
    "momentum": an.search.Grid((0.0, 0.5, 0.8, 0.9, 0.95)),
}
with TemporaryDirectory() as folder:
    trials = an.search.search(base, space, Path(folder) / "all", prune=False)
print(trials.best.settings, f"{trials.best.best_val_accuracy:.1%}")

# %%
# The good pairs lie on a diagonal: with momentum m, a step is in the long run the sum of the last 1 / (1 - m) steps,
# so that what counts is the rate divided by 1 - m. With m = 0.9 a tenth of the rate is as good.

trials.plot()

# %%
# Two settings, one number
# ------------------------
# Over lr / (1 - m) the points of all momenta lie on one curve, but for what chance does to a short training. Who knows
# that, searches this number alone, and saves most of the trials.

points = []
for trial in trials:
    lr, momentum = trial.settings["lr"], trial.settings["momentum"]
    points.append((lr, momentum, trial.best_val_accuracy))
figure, axes = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
for momentum, marker in zip(space["momentum"].values, "osv^D", strict=True):
    row = sorted((lr / (1 - m), 100 * accuracy) for lr, m, accuracy in points if m == momentum)
    axes.semilogx(*zip(*row, strict=True), marker=marker, label=f"{momentum:g}")
axes.set(xlabel="learning rate / (1 - momentum)", ylabel="validation accuracy (%)")
axes.legend(title="momentum")
plt.show()

accuracy = {(lr, m): each for lr, m, each in points}
print(f"rate 0.01: {accuracy[0.01, 0.0]:.1%} without momentum")
print(f"rate 0.01: {accuracy[0.01, 0.9]:.1%} with momentum 0.9")
print(f"rate 0.1:  {accuracy[0.1, 0.0]:.1%} without momentum")
assert accuracy[0.01, 0.0] < accuracy[0.01, 0.9]
assert abs(accuracy[0.01, 0.9] - accuracy[0.1, 0.0]) < 0.05
