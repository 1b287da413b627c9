"""
A trained net as an ONNX file
=============================

A trained net becomes a file that other programs run, without anynet and without Python. It has everything from the
pixels to the label: normalization, layers, probabilities.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime

import anynet as an
from anynet.plots import STYLE

plt.style.use(STYLE)
data = an.data.load("digits")
convolution = an.Conv2d(16, 3), an.BatchNorm(), an.ReLU(), an.MaxPool2d(2)
net = an.Sequential(*convolution, an.Flatten(), an.Linear(10))
run = an.fit(net, data, an.Adam(0.01), epochs=5, batch_size=50, seed=0)

# %%
# The file
# --------
# The input is uint8, as the images were loaded. Names and shapes say what another program has to know; N is any number
# of images.

with TemporaryDirectory() as folder:
    path = Path(folder) / "digits.onnx"
    an.onnx.export(run, path)
    print(f"{path.stat().st_size:,} bytes")
    session = onnxruntime.InferenceSession(path)
for name, values in (("input", session.get_inputs()), ("output", session.get_outputs())):
    for value in values:
        print(f"{name} {value.name!r}: {value.type}, {value.shape}")

# %%
# The same answers
# ----------------
# onnxruntime knows nothing of anynet. On the right are the differences between the two for all test images and
# classes: they are of the size of rounding in float32.

images = data.test.x.reshape(-1, *run.shape)
theirs, labels = session.run(["probabilities", "label"], {"input": images})
ours = run.predict_proba(images)
difference = np.abs(theirs - ours)
scores = np.mean(labels.astype(int) == data.test.y), run.score(images, data.test.y)
print(f"accuracy of {len(images)} images: onnxruntime {scores[0]:.1%}, anynet {scores[1]:.1%}")
print(f"largest difference of a probability: {difference.max():.0e}")
assert difference.max() < 1e-5
assert np.array_equal(labels, run.predict(images))

number = int(np.argmin(ours.max(axis=1)))  # the image that the net is least sure of
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
left.bar(np.arange(10) - 0.2, ours[number], width=0.4, label="anynet")
left.bar(np.arange(10) + 0.2, theirs[number], width=0.4, label="onnxruntime")
left.set(xlabel="class", ylabel="probability", xticks=range(10))
left.set_title("the image that is least certain")
left.legend()
right.semilogy(np.sort(difference.max(axis=1)), label="largest difference of an image")
eps = np.finfo("float32").eps
right.axhline(eps, color="C1", linestyle="--", label="rounding of a float32 near 1")
right.set(xlabel="test images, sorted", ylabel="difference of probabilities")
right.set_ylim(1e-11, 1e-4)
right.legend(loc="upper left")
plt.show()
