"""
The same net on NumPy, PyTorch and JAX
======================================

Layers, losses and optimizers are written once, with functions of the array API standard that all array libraries have.
A seed gives the same initial weights and the same batches everywhere, so that the trainings can be compared number by
number.
"""

import matplotlib.pyplot as plt
import numpy as np

import anynet as an
from anynet.plots import STYLE

plt.style.use(STYLE)

# %%
# Three trainings
# ---------------
# In float64 the libraries differ by rounding alone: they sum up in another order.

data = an.data.load("digits", train=500)
net = an.Sequential(an.Linear(30), an.BatchNorm(), an.ReLU(), an.Linear(10))
settings = {"epochs": 20, "batch_size": 50, "dtype": "float64", "seed": 0}
names = "numpy", "torch:cpu", "jax:cpu"
runs = {name: an.fit(net, data, an.Adam(0.01), backend=name, **settings) for name in names}
for name, run in runs.items():
    print(f"{name}: {type(run.params).__module__}.{type(run.params).__name__}, {run.execution}")
    loss, accuracy = run.history[-1].train_loss, run.test.accuracy
    print(f"    training loss {loss:.15f}, test accuracy {accuracy:.1%}")

# %%
# Where they differ
# -----------------
# On the left three curves lie on each other. On the right is their distance from NumPy's. It is about 1e-12, which is
# ten thousand times the rounding of one operation, and much less than anybody would see in a loss.

epochs = np.arange(1, 21)
numpy_loss = runs["numpy"].history["train_loss"]
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
for (name, run), style in zip(runs.items(), ("-", "--", ":"), strict=True):
    loss = run.history["train_loss"]
    left.semilogy(epochs, loss, style, linewidth=2.5, label=name)
    if name != "numpy":
        distance = np.abs(loss - numpy_loss) / numpy_loss
        color = left.lines[-1].get_color()
        right.semilogy(epochs, distance, marker=".", label=name, color=color)
        assert distance.max() < 1e-9
left.set(xlabel="epoch", ylabel="training loss", xticks=range(0, 21, 5))
right.set(xlabel="epoch", ylabel="relative difference from NumPy", xticks=range(0, 21, 5))
left.legend()
right.legend()
plt.show()
