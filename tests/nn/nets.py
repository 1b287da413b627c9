"""The nets under test: a deep one, and others for the edges."""

from anynet import BatchNorm, LeakyReLU, Linear, ReLU, Sequential, Sigmoid, Tanh

N, FEATURES, CLASSES = 7, 5, 3
NET = Sequential(Linear(FEATURES, 4), BatchNorm(4), ReLU(), Linear(4, 6), Tanh(), Linear(6, CLASSES))
PARAMETERS = {
    "0.W": (5, 4),
    "0.b": (4,),
    "1.gamma": (4,),
    "1.beta": (4,),
    "3.W": (4, 6),
    "3.b": (6,),
    "5.W": (6, 3),
    "5.b": (3,),
}

NESTED = Sequential(
    Sequential(Linear(FEATURES, 4), Sequential(BatchNorm(4), ReLU())),
    Linear(4, 6),
    Sequential(Tanh(), Linear(6, CLASSES)),
)
"""The same layers as in NET."""

NETS = {
    "one layer": Sequential(Linear(3, 2)),
    "no gaps": Sequential(Linear(16, 32)),
    "deep": NET,
    "nested": NESTED,
    "no weights": Sequential(BatchNorm(17)),
    "activation first": Sequential(Sigmoid(), Linear(3, 5), LeakyReLU(), Linear(5, 16)),
    "more than ten layers": Sequential(*(Linear(4, 4) for _ in range(12))),
}


def draw_parts(net, rng, members=()):
    return {name: rng.standard_normal((*members, *p.shape)) for name, p in net.parameters().items()}
