"""
A training loop of your own
===========================

A net is a value: it holds no arrays. Parameters and running statistics go into a call, and come out of it. So a loop
that does something that ``fit`` does not is a few lines. This one looks at the gradients of each layer, in every step.
"""

import matplotlib.pyplot as plt
import numpy as np

import anynet as an
from anynet.plots import STYLE

plt.style.use(STYLE)
data = an.data.load("digits")
x, labels = data.train.x.reshape(len(data.train), -1).astype("float32") / 255, data.train.y
x_test = data.test.x.reshape(len(data.test), -1).astype("float32") / 255
rng = np.random.default_rng(0)

net = an.Sequential(an.Linear(64, 50), an.BatchNorm(50), an.ReLU(), an.Linear(50, 10))
optimizer = an.Adam(0.01)

# %%
# The loop
# --------
# ``params`` is one vector with all parameters, and ``grads`` is one of the same shape: the optimizer needs no more.
# ``net.layout.split`` gives the arrays by name.

params, state = net.init(seed=0, like=x)
momenta = optimizer.init(params)
losses, sizes = [], {"0.W": [], "3.W": []}
for _ in range(8):
    order = rng.permutation(len(x))
    for start in range(0, len(x), 50):
        batch = order[start : start + 50]
        logits, cache, state = net.forward(params, state, x[batch], train=True)
        loss, dlogits = an.losses.softmax_cross_entropy(logits, labels[batch])
        dx, grads = net.backward(params, cache, dlogits)
        params, momenta = optimizer.update(params, grads, momenta)
        losses.append(float(loss))
        arrays = net.layout.split(grads)
        for name, norms in sizes.items():
            norms.append(np.linalg.norm(arrays[name]))

# %%
# In evaluation the net uses the running statistics of batch normalization, which ``state`` has.

logits, _, _ = net.forward(params, state, x_test, train=False)
accuracy = np.mean(np.argmax(logits, axis=1) == data.test.y)
print(f"{len(losses)} steps, accuracy on {len(x_test)} test images: {accuracy:.1%}")
assert accuracy > 0.93

# %%
# What the loop has seen
# ----------------------
# Loss and gradients fall together, and jump together where a batch has an image that is hard. Most of the way is made
# in the first epoch, of which a history by epochs would show one point.

size = (6.4, 4.4)
figure, (above, below) = plt.subplots(2, 1, figsize=size, sharex=True, layout="constrained")
above.semilogy(losses, linewidth=1)
above.set_ylabel("loss of the batch")
for name, norms in sizes.items():
    below.semilogy(norms, linewidth=1, label=f"weights {name}")
below.set(xlabel="step", ylabel="norm of the gradient")
below.legend()
plt.show()
