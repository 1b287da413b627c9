"""
Convolution seen from inside
============================

A convolution moves a small kernel of weights over an image, and sums up weight times pixel at each place. Where the
image looks like the kernel, the sum is large. Here are kernels that a net has learned, what they respond to, and the
definition as plain loops beside the layer.
"""

import matplotlib.pyplot as plt
import numpy as np

import anynet as an
from anynet.plots import STYLE

plt.style.use(STYLE)

# %%
# Lines in four directions
# ------------------------
# Each image has a line at a random place, under noise. What tells the classes apart is its direction alone.

rng = np.random.default_rng(0)
rows, columns = np.mgrid[:16, :16]
angles = {"horizontal": 0, "rising": 45, "vertical": 90, "falling": 135}


def draw(angle):
    """Return an image, shape (16, 16), of a line with this angle in degrees."""
    (row, column), turn = rng.uniform(5, 10, 2), np.deg2rad(angle)
    along = (columns - column) * np.cos(turn) - (rows - row) * np.sin(turn)
    across = (columns - column) * np.sin(turn) + (rows - row) * np.cos(turn)
    return np.exp(-(across**2)) * (np.abs(along) < 5) + rng.normal(0, 0.15, (16, 16))


labels = np.repeat(list(angles), 150)
images = np.asarray([draw(angles[label]) for label in labels], "float32")
images = images[:, None]  # shape (images, channels, rows, columns)

# %%
# The kernels
# -----------
# Six kernels of 5 x 5 pixels. ``GlobalPool``, the mean over the whole image, does not say where something is, so that
# the kernels have to find the direction at any place. Positive weights are red, negative ones blue. Some kernels are
# lines with the opposite sign at both sides; others are edges, red on one side and blue on the other.

net = an.Sequential(an.Conv2d(6, 5), an.ReLU(), an.GlobalPool(), an.Linear(4))
settings = {"val": 0.2, "epochs": 15, "batch_size": 30, "normalize": "none", "seed": 0}
run = an.fit(net, (images, labels), an.Adam(0.02), **settings)
print(f"accuracy on validation images: {run.history.best.val_accuracy:.1%}")
assert run.history.best.val_accuracy > 0.95
run.plot_weights()

# %%
# What they respond to
# --------------------
# One image of each class, with the outputs of the six kernels. Red places look like the kernel. Each direction has
# kernels that respond along the whole line, and others that do not.

run.plot_feature_maps(images[::150], "0")

# %%
# The definition beside the layer
# -------------------------------
# Output channel c at row i and column j is the sum over the rows a and columns b of the kernel of weight times pixel,
# with zeros beyond the border of the image. anynet computes the same numbers, as one matrix product for all places.

arrays = run.net.layout.split(run.best.params)
W = arrays["0.W"]  # shape (rows, columns, input channels, output channels)
b = arrays["0.b"]
image = images[0, 0]
padded, plain = np.pad(image, 2), np.zeros((16, 16, 6))
for i, j, c in np.ndindex(16, 16, 6):
    plain[i, j, c] = np.sum(W[:, :, 0, c] * padded[i : i + 5, j : j + 5]) + b[c]

# Pixels are samples: a row for each pixel, a column for each channel.
layer = an.Conv2d(6, 5, n_in=1, image=(16, 16))
y, cache, state = layer.forward({"W": W, "b": b}, {}, np.reshape(image, (256, 1)), train=False)
difference = np.abs(np.reshape(y, (16, 16, 6)) - plain).max()
print(f"largest difference between layer and definition: {difference:.0e}")
np.testing.assert_allclose(np.reshape(y, (16, 16, 6)), plain, atol=1e-4)

strongest = int(np.argmax(plain.max(axis=(0, 1))))
kernel = W[:, :, 0, strongest]
pictures = {"image": image, f"kernel {strongest}": kernel, "output": plain[..., strongest]}
figure, axes = plt.subplots(1, 3, figsize=(7, 2.2), layout="constrained")
for panel, (name, picture) in zip(axes, pictures.items(), strict=True):
    limit = np.abs(picture).max()
    shown = panel.imshow(picture, cmap="RdBu_r", vmin=-limit, vmax=limit)
    panel.set_title(name)
    panel.set_axis_off()
    figure.colorbar(shown, ax=panel).ax.grid(visible=False)
plt.show()
