"""Gradient checks: the gradients of a ``backward`` against difference quotients of its ``forward``.

    from anynet import gradcheck

    gradcheck.check(gradcheck.of_layer(MyLayer(5))).require()
    print(gradcheck.check(gradcheck.of_net(net, x, labels, l2=1e-3)))

A `Subject` is a function with its gradients and a point. `of_layer`, `of_loss` and `of_net` make subjects on any
backend; ``Subject(value, gradients, point)`` makes one of any function. `check` compares the gradients with
differences, `sweep` shows how their error depends on the step.
"""

from anynet.gradcheck.check import check
from anynet.gradcheck.check_result import GradientError, Result
from anynet.gradcheck.compared_array import Entry
from anynet.gradcheck.differences import METHODS, Method
from anynet.gradcheck.make_subject import of_layer, of_loss, of_net
from anynet.gradcheck.step_sweep import sweep
from anynet.gradcheck.subject import Subject

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
