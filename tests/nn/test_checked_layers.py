"""What layers of others return is checked: shapes that fit by broadcasting are wrong answers otherwise."""

import re
from dataclasses import dataclass

import numpy as np
import pytest

import anynet as an
from anynet.nn.initializers import Ones

N, FEATURES = 4, 3

ALTERED = {
    "forward": {
        "y, cache": (lambda y, cache, state: (y, cache), "(y, cache, state), got a tuple"),
        "y alone": (lambda y, cache, state: y, "(y, cache, state), got shape {y}"),
        "no y": (lambda y, cache, state: (None, cache, state), "y of shape (..., 4, 3), got None"),
        "a mean": (lambda y, cache, state: (y[..., :1, :], cache, state), "y of shape (..., 4, 3), got shape {one}"),
        "wide": (lambda y, cache, state: (y[..., :2], cache, state), "y of shape (..., 4, 3), got shape {wide}"),
        "other dtype": (
            lambda y, cache, state: (y.astype("f4"), cache, state),
            "y of dtype float64, as it was given, got float32",
        ),
        "no state": (lambda y, cache, state: (y, cache, None), "a dict of state of ['mean'], got None"),
        "other state": (lambda y, cache, state: (y, cache, {}), "a dict of state of ['mean'], got those of []"),
    },
    "backward": {
        "a list": (lambda dx, grads: [dx, grads], "(dx, grads), got a list"),
        "dx alone": (lambda dx, grads: dx, "(dx, grads), got shape {y}"),
        "no dx": (lambda dx, grads: (None, grads), "dx of shape {y}, got None"),
        "one feature": (lambda dx, grads: (dx[..., :1], grads), "dx of shape {y}, got shape {narrow}"),
        "a sum": (lambda dx, grads: (dx.sum(-2), grads), "dx of shape {y}, got shape {sum}"),
        "other dtype": (
            lambda dx, grads: (dx.astype("f4"), grads),
            "dx of dtype float64, as it was given, got float32",
        ),
        "no grads": (lambda dx, grads: (dx, None), "a dict of gradients of ['s'], got None"),
        "other grads": (lambda dx, grads: (dx, {"t": grads["s"]}), "a dict of gradients of ['s'], got those of ['t']"),
        "a number": (lambda dx, grads: (dx, {"s": 1.0}), "gradients of s of shape {sum}, got 1.0"),
        "one number": (
            lambda dx, grads: (dx, {"s": grads["s"].sum(-1, keepdims=True)}),
            "gradients of s of shape {sum}, got shape {one_number}",
        ),
        "rows": (lambda dx, grads: (dx, {"s": dx}), "gradients of s of shape {sum}, got shape {y}"),
    },
}


@dataclass(frozen=True)
class Altered(an.Layer):
    """A scale whose results are altered."""

    method: str = ""
    how: str = ""

    def features(self):
        return FEATURES, FEATURES

    def parameters(self):
        return {"s": an.Parameter((FEATURES,), Ones())}

    def state(self):
        return {"mean": an.Parameter((FEATURES,), Ones())}

    def _returned(self, method, *results):
        return ALTERED[method][self.how][0](*results) if method == self.method else results

    def forward(self, params, state, x, *, train):
        return self._returned("forward", params["s"][..., None, :] * x, x, state)

    def backward(self, params, cache, dy):
        return self._returned("backward", params["s"][..., None, :] * dy, {"s": (cache * dy).sum(-2)})


def there_and_back(layer, members, first):
    net = an.Sequential(layer, an.Tanh()) if first else an.Sequential(an.Linear(2, 3), an.Residual(layer))
    params, state = net.init([1] * members[0] if members else 1, like=np.zeros(1))
    y, cache, _ = net.forward(params, state, np.ones((*members, N, net.n_in)), train=True)
    return net.backward(params, cache, y)


@pytest.mark.parametrize("members", [(), (2,)], ids=["single", "members"])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("method", "how"), [(method, how) for method, rows in ALTERED.items() for how in rows])
def test_what_is_returned_is_checked(method, how, members, first):
    there_and_back(Altered(), members, first)
    y = (*members, N, FEATURES)
    shapes = {
        "y": y, "one": (*members, 1, FEATURES), "wide": (*members, N, 2), "narrow": (*members, N, 1),
        "sum": (*members, FEATURES), "one_number": (*members, 1),
    }  # fmt: skip
    message = ALTERED[method][how][1].format(**shapes)
    with pytest.raises(
        ValueError, match=rf"^layer 0, Altered\(.*\): expected {method} to return {re.escape(message)}$"
    ):
        there_and_back(Altered(method, how), members, first)


def test_a_layer_that_states_no_features_keeps_them():
    class Half(an.Layer):
        def forward(self, params, state, x, *, train):
            return x[..., :1], None, state

    net = an.Sequential(an.Linear(2, 3), Half(), an.Linear(3, 2))
    params, state = net.init(1, like=np.zeros(1))
    message = r"^layer 1, Half\(\): expected forward to return y of shape \(\.\.\., 4, 3\), got shape \(4, 1\)$"
    with pytest.raises(ValueError, match=message):
        net.forward(params, state, np.ones((N, 2)), train=True)


def test_gradients_alone_are_checked():
    class Wrong(Altered):
        def parameter_gradients(self, params, cache, dy):
            return {"s": dy}

    net = an.Sequential(Wrong())
    params, state = net.init(1, like=np.zeros(1))
    y, cache, _ = net.forward(params, state, np.ones((N, FEATURES)), train=True)
    net.backward(params, cache, y)
    message = r"expected parameter_gradients to return gradients of s of shape \(3,\), got shape \(4, 3\)$"
    with pytest.raises(ValueError, match=rf"^layer 0, Wrong\(\): {message}"):
        net.parameter_gradients(params, cache, y)


def test_a_layer_that_states_no_features_keeps_their_number():
    class Wide(an.Layer):
        def forward(self, params, state, x, *, train):
            return x[..., [0, 0, 1, 2]], x, state

    with pytest.raises(ValueError, match=r"^layer 0, .*Wide.*: expected forward to return y of shape \(..., 4, 3\)"):
        there_and_back(Wide(), (), first=False)


@pytest.mark.parametrize("how", ["one feature", "rows"])
def test_a_training_ends_before_its_first_step(backend_here, how):
    x, y = np.ones((20, FEATURES)), np.arange(20) % 2
    net = an.Sequential(an.Linear(FEATURES, FEATURES), Altered("backward", how), an.Linear(FEATURES, 2))
    with pytest.raises(ValueError, match=r"^layer 1, Altered\(.*\): expected backward to return "):
        an.fit(net, (x, y), an.SGD(0.1), epochs=1, batch_size=5, progress=False, backend=backend_here)


def test_own_layers_cost_no_checks():
    net = an.Sequential(an.Linear(2, 3), an.Residual(Altered()), an.ReLU())
    assert [one is other for one, other in zip(net._checked, net.layers, strict=True)] == [True, True, True]
    assert net[1]._branch._checked[0] is not net[1][0]
