"""
Stopping a training and going on
================================

A training that writes checkpoints can be stopped at any time, by Control-C, by a scheduler or by a power cut, and goes
on later. The result is that of a training that was never stopped, not nearly, but bit for bit.
"""

from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np

import anynet as an
from anynet.plots import STYLE

plt.style.use(STYLE)
data = an.data.load("digits")
net = an.Sequential(an.Linear(50), an.BatchNorm(), an.ReLU(), an.Dropout(0.2), an.Linear(10))
optimizer = an.SGD(an.schedules.Cosine(0.1, epochs=12), momentum=0.9)
settings = {"epochs": 12, "batch_size": 50, "seed": 0}

whole = an.fit(net, data, optimizer, **settings)

# %%
# Stopped after five epochs
# -------------------------
# The function raises ``KeyboardInterrupt``, which is what Control-C does. ``fit`` then returns what it has. The
# checkpoint holds all that the rest depends on: parameters, running statistics, the momenta of the optimizer, and the
# history. Random numbers, here those of dropout and of the order of the images, follow from the seed and the number of
# the step.


def stop(epoch):
    """Interrupt the training after the fifth epoch."""
    if epoch.epoch == 5:
        raise KeyboardInterrupt


with TemporaryDirectory() as folder:
    first = an.fit(net, data, optimizer, **settings, checkpoint=folder, on_epoch=stop)
    print(f"first call: {first.status} after {len(first.history)} epochs")
    both = an.fit(net, data, optimizer, **settings, checkpoint=folder, resume=True)
    print(f"second call: {both.status} after {len(both.history)} epochs")

# %%
# Compared with the whole
# -----------------------
# All parameters and all losses are equal in all bits.

differing = int(np.sum(both.params.view("uint32") != whole.params.view("uint32")))
print(f"parameters that differ in a bit: {differing} of {len(whole.params):,}")
assert differing == 0
assert np.array_equal(both.history["val_loss"], whole.history["val_loss"])

figure, axes = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
epochs, loss = np.arange(1, 13), both.history["train_loss"]
losses = whole.history["train_loss"]
axes.semilogy(epochs, losses, color="0.75", linewidth=6, label="not stopped")
axes.semilogy(epochs[:5], first.history["train_loss"], marker="o", label="first call")
axes.semilogy(epochs[4:], loss[4:], marker="s", linestyle="--", label="second call")
axes.axvline(5, color="0.5", linestyle=":", label="stop")
axes.set(xlabel="epoch", ylabel="training loss")
axes.legend()
plt.show()
