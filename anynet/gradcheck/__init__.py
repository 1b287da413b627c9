"""Proof of derivatives: what a ``backward`` says against differences of its ``forward``.

    from anynet import gradcheck

    gradcheck.check(gradcheck.of_layer(MyLayer(5))).require()
    print(gradcheck.check(gradcheck.of_net(net, x, labels, l2=1e-3)))

A subject is a function, its gradients and a point: ``of_layer``, ``of_loss`` and ``of_net`` make one, on any backend,
and ``Subject(value, gradients, point)`` makes one of any function. ``check`` compares the two, ``sweep`` shows how the
error depends on the step.
"""

from anynet.gradcheck.check import check
from anynet.gradcheck.differences import METHODS, Method
from anynet.gradcheck.result import Entry, GradientError, Result
from anynet.gradcheck.subjects import Subject, of_layer, of_loss, of_net
from anynet.gradcheck.sweep import sweep

__all__ = [
    "METHODS",
    "Entry",
    "GradientError",
    "Method",
    "Result",
    "Subject",
    "check",
    "of_layer",
    "of_loss",
    "of_net",
    "sweep",
]
