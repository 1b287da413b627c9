"""
One layer and its templates
===========================

A net of one linear layer compares an image with one template for each class, and answers with the class whose template
fits best. The templates are the columns of the weight matrix, so they can be looked at.
"""

import matplotlib.pyplot as plt
import numpy as np

import anynet as an
from anynet.plots import STYLE

plt.style.use(STYLE)

# %%
# Handwritten digits
# ------------------
# The images are those of scikit-learn: 8 x 8 pixels, with values from 0 to 255. ``normalize="center"`` subtracts the
# mean image of the training samples. The penalty ``l2`` keeps weights small where a pixel says nothing.

data = an.data.load("digits")
net = an.Sequential(an.Linear(10))
settings = {"epochs": 30, "batch_size": 50, "l2": 3e-3, "normalize": "center", "seed": 0}
run = an.fit(net, data, an.SGD(0.1, momentum=0.9), **settings)
print(f"accuracy on {len(data.test)} test images: {run.test.accuracy:.1%}")
assert run.test.accuracy > 0.9

# %%
# The templates
# -------------
# Each picture is a column of the weight matrix. A bright pixel speaks for the class, a dark one against it. The
# template of 0 has a dark center and a bright ring.

run.plot_weights()

# %%
# How an image is compared
# ------------------------
# The score of a class is the sum over all pixels of normalized pixel times weight, plus a bias. The products are drawn
# for one image and the three classes with the highest scores. Red adds to the score, blue takes from it. The template
# of the right class gets most from the strokes that make the difference to the others.

weights = run.net.layout.split(run.best.params)
W, b = weights["0.W"], weights["0.b"]
number = int(np.flatnonzero(data.test.y == 3)[0])
pixels = data.test.x[number : number + 1].reshape(1, -1)
x = pixels * run.normalization.scale + run.normalization.shift
scores = (x @ W + b)[0]
probabilities = np.exp(scores) / np.exp(scores).sum()
np.testing.assert_allclose(run.predict_proba(pixels)[0], probabilities, atol=1e-5)

best = np.argsort(-scores)[:3]
products = [np.reshape(x[0] * W[:, k], (8, 8)) for k in best]
limit = np.abs(products).max()
figure, axes = plt.subplots(1, 4, figsize=(8, 2.2), layout="constrained")
axes[0].imshow(pixels.reshape(8, 8), cmap="gray")
axes[0].set_title(f"image of a {data.test.y[number]}")
for panel, k, product in zip(axes[1:], best, products, strict=True):
    shown = panel.imshow(product, cmap="RdBu_r", vmin=-limit, vmax=limit)
    panel.set_title(f"class {data.classes[k]}: score {scores[k]:.1f}")
for panel in axes:
    panel.set_axis_off()
figure.colorbar(shown, ax=axes, label="pixel times weight").ax.grid(visible=False)
plt.show()
