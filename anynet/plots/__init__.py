"""Pictures of what a net learnt and how. Each function returns a Matplotlib figure."""

from anynet.plots.differences import step_errors
from anynet.plots.first_layer import templates_of_members, weights
from anynet.plots.over_epochs import bands, curves, curves_of_members

__all__ = ["bands", "curves", "curves_of_members", "step_errors", "templates_of_members", "weights"]
