"""
Gradient check and its step size
================================

A gradient that is written by hand may be wrong, and a net with a wrong gradient often still learns, only worse. A
gradient check compares it with difference quotients of the function itself.
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
# A right and a wrong derivative
# ------------------------------
# The derivative of tanh is 1 - tanh². The second layer forgets the square, which is easily overlooked: both are 1 at
# 0.


@dataclass(frozen=True)
class WrongTanh(an.Layer):
    """Hyperbolic tangent with a wrong derivative."""

    def forward(self, params, state, x, *, train):
        """Return tanh x, and keep it for `backward`."""
        y = array_namespace(x).tanh(x)
        return y, y, state

    def backward(self, params, cache, dy):
        """Return the gradient with respect to x, but wrong."""
        return (1 - cache) * dy, {}


right = gradcheck.check(gradcheck.of_layer(an.Tanh()))
wrong = gradcheck.check(gradcheck.of_layer(WrongTanh()))
print(right)
print(wrong)
assert right.passed
assert not wrong.passed

# %%
# The V of step sizes
# -------------------
# A difference quotient needs a step h. If it is large, the function is no line over the step; if it is small, the
# difference is lost in rounding, of about 1e-16 in float64. So the error over the step has the form of a V.
#
# * On the right, the truncation error: proportional to h for one-sided differences (``finite``), and to h² for
#   ``central`` ones.
# * On the left, the rounding error: proportional to 1/h for both.
# * The best steps are where the two meet, near 1e-8 and 1e-5: the square root and the cube root of 1e-16.

rng = np.random.default_rng(0)
net = an.Sequential(an.Linear(6, 8), an.Tanh(), an.Linear(8, 3))
x, labels = rng.standard_normal((10, 6)), rng.integers(0, 3, 10)
subject = gradcheck.of_net(net, x, labels, l2=1e-3, backend="numpy")
steps = np.logspace(-13, 0, 27)
errors = gradcheck.sweep(subject, steps)

figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for method, marker in {"finite": "o", "central": "s"}.items():
    axes.loglog(steps, errors[method], marker=marker, markersize=4, label=method)
    best = np.nanargmin(errors[method])
    smallest = errors[method][best]
    print(f"{method} differences: smallest error {smallest:.0e}, with step {steps[best]:.0e}")
axes.set(xlabel="step h", ylabel="relative error of the gradient")
axes.legend()
plt.show()

# %%
# The slopes on the right side are the orders of the two methods.

right = (steps > 1e-4) & (steps < 1e-2)
for method, order in {"finite": 1, "central": 2}.items():
    slope = np.polyfit(np.log(steps[right]), np.log(errors[method][right]), 1)[0]
    print(f"{method} differences: the error is proportional to h to the power {slope:.2f}")
    assert abs(slope - order) < 0.1
