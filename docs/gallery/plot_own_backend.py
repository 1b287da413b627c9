"""
A backend of your own
=====================

A backend says how arrays are moved to a library and back. The mathematics asks for no more: layers call functions of
the array API on whatever arrays they are given. This one wraps NumPy's arrays, and counts what is done with them.
"""

from collections import Counter

import array_api_compat.numpy as xp
import matplotlib.pyplot as plt
import numpy as np

import anynet as an
from anynet.plots import STYLE

plt.style.use(STYLE)
calls = Counter()

# %%
# The arrays
# ----------
# NumPy tells a subclass of its arrays about each function: ``__array_ufunc__`` about operators and elementwise
# functions, ``__array_function__`` about all others.


class CountedArray(np.ndarray):
    """Array of NumPy that counts the functions that are called with it."""

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return call(ufunc.__name__, getattr(ufunc, method), inputs, options)

    def __array_function__(self, function, types, inputs, options):
        return call(function.__name__, function, inputs, options)


def call(name, function, inputs, options):
    """Count a function, call it with plain arrays, and return an array that counts."""
    calls[name] += 1
    result = function(*plain(inputs), **{name: plain(value) for name, value in options.items()})
    is_array = isinstance(result, np.ndarray | np.generic)
    return np.asarray(result).view(CountedArray) if is_array else result


def plain(value):
    """Return arrays, also in lists and tuples, as plain ones."""
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value))
    return value.view(np.ndarray) if isinstance(value, CountedArray) else value


# %%
# The backend
# -----------
# Six methods are required. ``fit`` takes the backend itself in the place of its name. Without a ``target``, which
# would record the steps, they run as they are written.


class Counted(an.Backend):
    """NumPy with arrays that count."""

    xp = xp

    def asarray(self, host):
        """Return a NumPy array as one that counts; both have the same memory."""
        return host.view(CountedArray)

    def to_host(self, array):
        """Return a copy as an array of NumPy."""
        return np.array(array)

    def wait(self, result):
        """Do nothing: nothing runs in the background."""

    def memory(self):
        """Return None: unknown."""

    def devices(self):
        """Return the only device, with unknown memory."""
        return {"cpu": (None, None)}


# %%
# The same result
# ---------------
# Counting changes nothing: after three epochs all parameters are those of NumPy, bit for bit.

data, counted = an.data.load("digits", train=500), Counted("counted", "cpu")
net = an.Sequential(an.Linear(30), an.BatchNorm(), an.ReLU(), an.Linear(10))
settings = {"epochs": 3, "batch_size": 50, "compile": "off", "seed": 0}
ours = an.fit(net, data, an.SGD(0.1), backend=counted, **settings)
numpys = an.fit(net, data, an.SGD(0.1), backend="numpy", **settings)
for run in (ours, numpys):
    print(f"{run.backend}: test accuracy {run.test.accuracy:.1%}")
assert np.array_equal(counted.to_host(ours.params), numpys.params)

# %%
# The calls of a step
# -------------------
# ``an.setup`` makes a training ready without running it, so that the ten steps of an epoch can be counted alone. Five
# of the calls are products of matrices: one of each linear layer on the way forward; on the way back two of the second
# layer, and one of the first, since nobody needs the gradient with respect to the images. All others are cheap, but
# each of them goes over its arrays once: this is why anynet fuses them where it records steps.

ready = an.setup(net, data, an.SGD(0.1), backend=counted, batch_size=50)
carry, batches, rates = ready.carry, ready.batches(0), ready.rates(0)
calls.clear()
ready.loop(carry, ready.fixed, batches, rates)
names, numbers = zip(*reversed(calls.most_common()), strict=True)
products = calls["matmul"] / 10
print(f"{calls.total() / 10:.0f} calls in a step, {products:.0f} of them products of matrices")
assert calls["matmul"] == 50

figure, axes = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
axes.barh(names, np.asarray(numbers) / 10)
axes.set(xlabel="calls in a training step", ylabel="function of NumPy")
plt.show()
