"""Nets that differ in some settings, trained at once, from what is typed to the folder of their results."""

from anynet.sweeps.points import points
from anynet.sweeps.train import train

__all__ = ["points", "train"]
