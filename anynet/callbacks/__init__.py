"""Callbacks for `fit`: a log for TensorBoard, and a plot that is drawn while a net is trained."""

from anynet.callbacks.live_plot import LivePlot
from anynet.callbacks.tensorboard import TensorBoard
from anynet.training.callback import Callback, Training, by_member

__all__ = ["Callback", "LivePlot", "TensorBoard", "Training", "by_member"]
