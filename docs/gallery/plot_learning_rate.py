"""
Effect of the learning rate
===========================

The learning rate is the first setting to choose. Too small, and the net has hardly moved when the training ends; too
large, and each step overshoots, so that the loss stays above that of guessing.
"""

import math

import matplotlib.pyplot as plt

import anynet as an
from anynet.plots import STYLE

plt.style.use(STYLE)
data = an.data.load("digits")
net = an.Sequential(an.Linear(50), an.ReLU(), an.Linear(10))
optimizer = an.SGD(momentum=0.9)
settings = {"batch_size": 50, "normalize": "center"}

# %%
# Five rates at once
# ------------------
# The nets are members of one training: they have the same initial weights and are given the same batches, and differ
# in the learning rate alone. Look at how the curves begin and how they end: 0.1 falls fast and smoothly, 1 jumps up
# and down for ten epochs before it falls, and here ends lowest; 0.01 and 0.001 would get there with many more epochs,
# and 10 does not learn.

rates = (0.001, 0.01, 0.1, 1.0, 10.0)
runs = an.fit(net, data, optimizer, members=[{"lr": lr} for lr in rates], epochs=15, **settings)

figure, axes = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
for lr, run in zip(rates, runs, strict=True):
    axes.semilogy(range(1, 16), run.history["train_loss"], marker=".", label=f"{lr:g}")
    print(f"learning rate {lr:g}: {run.history.best.val_accuracy:.1%} in validation")
axes.axhline(math.log(10), color="0.5", linestyle=":", label="guessing")
axes.set(xlabel="epoch", ylabel="training loss")
axes.legend(title="learning rate", loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

last = [run.history[-1].train_loss for run in runs]
assert last[0] > last[1] > last[2]
assert last[4] > math.log(10)

# %%
# A first guess
# -------------
# ``find_rate`` trains a hundred steps, each with a higher rate, and suggests the one at which the loss falls fastest.
# That is the place to start a search from, with factors of three to either side.

found = an.find_rate(net, data, optimizer, **settings)
print(f"suggestion: {found.suggestion:.2g}")
found.plot()
