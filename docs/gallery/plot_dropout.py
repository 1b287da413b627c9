"""
Dropout from scratch
====================

Dropout sets each number to 0 with probability p while the net is trained, and divides the others by 1 - p, so that the
mean stays. This is a layer of a dozen lines, with its derivative: the definition, a check, and what it is good for.
"""

from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from array_api_compat import array_namespace

import anynet as an
from anynet import gradcheck
from anynet.plots import STYLE

plt.style.use(STYLE)

# %%
# The layer
# ---------
# A layer returns its output, what its derivative needs, and its state. Random numbers come from a key, ``rng``, which
# is another one in each step: they are a function of it alone, on every array library.


@dataclass(frozen=True)
class MyDropout(an.Layer):
    """Dropout with probability `p`."""

    p: float = 0.5

    def forward(self, params, state, x, *, train, rng=None):
        """Return x times a random mask, whose mean is 1; in evaluation x itself."""
        if not train:
            return x, 1.0, state
        xp = array_namespace(x)
        uniform = an.random.uniform(rng, x.shape[-2:], x.dtype)
        mask = xp.astype(uniform >= self.p, x.dtype) / (1 - self.p)
        return mask * x, mask, state

    def backward(self, params, cache, dy):
        """Return the gradient with respect to x: the same mask times that of the output."""
        return cache * dy, {}


# %%
# The check
# ---------
# With a fixed key the layer is a function like any other, and its derivative is compared with difference quotients.
# The mean over many numbers stays near 1.

gradcheck.check(gradcheck.of_layer(MyDropout(0.3), rng=an.random.key(0))).require()
ones = np.ones((100, 1000))
y, mask, state = MyDropout(0.3).forward({}, {}, ones, train=True, rng=an.random.key(0))
print(f"{np.mean(y == 0):.1%} are 0, the mean is {y.mean():.3f}")
np.testing.assert_allclose([np.mean(y == 0), y.mean()], [0.3, 1], atol=0.01)

# %%
# Wrong labels
# ------------
# A fifth of the training labels are drawn at random. A net with enough weights learns them by heart, and its
# validation loss, on labels that are right, rises again. With dropout no unit can rely on the others, which makes
# learning by heart hard: the right labels are learned first, and most of the wrong ones not in these 40 epochs.

data, rng = an.data.load("digits", train=600, val=300), np.random.default_rng(0)
wrong = rng.random(600) < 0.2
labels = np.where(wrong, rng.integers(0, 10, 600), data.train.y)
x, x_val = (part.x.reshape(len(part), -1) / np.float32(255) for part in (data.train, data.val))
hidden = an.Linear(300), an.ReLU()
nets = {
    "without dropout": an.Sequential(*hidden, an.Linear(10)),
    "with dropout": an.Sequential(MyDropout(0.2), *hidden, MyDropout(0.5), an.Linear(10)),
}
settings = {"epochs": 40, "batch_size": 50, "normalize": "center", "seed": 0}
arrays = x, labels, x_val, data.val.y
runs = {name: an.fit(nets[name], arrays, an.Adam(0.003), **settings) for name in nets}

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
for color, (name, run) in zip(("C0", "C1"), runs.items(), strict=True):
    last = run.history[-1]
    print(f"{name}: training {last.train_accuracy:.1%}, validation {last.val_accuracy:.1%}")
    for axes, column, scale in ((left, "loss", 1), (right, "accuracy", 100)):
        for split, style in (("val", "-"), ("train", ":")):
            label = f"{name}, {'validation' if split == 'val' else 'training'}"
            values = scale * run.history[f"{split}_{column}"]
            axes.plot(range(1, 41), values, style, color=color, label=label)
left.set(xlabel="epoch", ylabel="loss")
right.set(xlabel="epoch", ylabel="accuracy (%)", ylim=(60, 101))
right.legend()
plt.show()
without = runs["without dropout"].history["val_loss"]
assert runs["with dropout"].history[-1].val_loss < without.min()
