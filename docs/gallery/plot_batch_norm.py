"""
Batch normalization on and off
==============================

A deep net of sigmoid layers is hard to train: on their way back through the layers the gradients shrink, until the
first layers learn next to nothing. Batch normalization scales each feature to mean 0 and deviation 1 over the batch
before the sigmoid, where its derivative is largest.
"""

import matplotlib.pyplot as plt
import numpy as np

import anynet as an
from anynet.plots import STYLE

plt.style.use(STYLE)


def deep(norm):
    """Return a net of six sigmoid layers, with or without batch normalization."""
    hidden = an.Linear(30, init=an.Xavier()), *norm, an.Sigmoid()
    layers = [layer for _ in range(6) for layer in hidden]
    return an.Sequential(*layers, an.Linear(10), input_shape=(1, 8, 8))


nets = {"with batch normalization": deep([an.BatchNorm()]), "without": deep([])}
data = an.data.load("digits")

# %%
# Gradients before training
# -------------------------
# One step forward and back with the initial weights. Without normalization the gradient of the first layer is some
# thousand times smaller than that of the last one; with it, all are alike.

x = (data.train.x[:200].reshape(200, -1) / 255 - 0.5).astype("float32")
labels = data.train.y[:200]
sizes = {}
for name, net in nets.items():
    params, state = net.init(seed=0, like=x)
    logits, cache, state = net.forward(params, state, x, train=True)
    loss, dlogits = an.losses.softmax_cross_entropy(logits, labels)
    dx, grads = net.backward(params, cache, dlogits)
    arrays = net.layout.split(grads)
    sizes[name] = [np.linalg.norm(arrays[slot]) for slot in arrays if slot.endswith(".W")]
    first, *_, last = sizes[name]
    print(f"{name}: gradient {first:.1e} in the first layer, {last:.1e} in the last")

figure, axes = plt.subplots(figsize=(6.4, 3), layout="constrained")
for name, of_layers in sizes.items():
    axes.semilogy(range(1, 8), of_layers, marker="o", label=name)
axes.set(xlabel="linear layer", ylabel="norm of the gradient of W", title="before training")
axes.legend()
plt.show()

# %%
# Training
# --------
# Three learning rates, as members of one training: ``members`` lists the settings in which nets differ. With batch
# normalization every rate works; without it the loss stays that of guessing, log 10, whatever the rate.

rates = (0.03, 0.1, 0.3)
figure, both = plt.subplots(1, 2, figsize=(8, 3), sharey=True, layout="constrained")
accuracy = {}
for axes, (name, net) in zip(both, nets.items(), strict=True):
    members = [{"lr": lr} for lr in rates]
    runs = an.fit(net, data, an.SGD(momentum=0.9), members=members, epochs=10, batch_size=50)
    for lr, run in zip(rates, runs, strict=True):
        axes.plot(range(1, 11), run.history["train_loss"], label=f"learning rate {lr}")
    axes.axhline(np.log(10), color="0.5", linestyle=":", label="guessing")
    axes.set(xlabel="epoch", xticks=range(0, 11, 2), title=name)
    accuracy[name] = [run.test.accuracy for run in runs]
    print(f"{name}: test accuracy " + ", ".join(f"{each:.1%}" for each in accuracy[name]))
both[0].set_ylabel("training loss")
both[0].legend()
plt.show()
assert min(accuracy["with batch normalization"]) > max(accuracy["without"])
