"""Nets that differ in some settings, trained at once, from what is typed to the folder of their results."""

from anynet.app.sweep.points import points
from anynet.app.sweep.train import train

__all__ = ["points", "train"]
