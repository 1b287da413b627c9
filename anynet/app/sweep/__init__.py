"""Sweeps: nets that differ in some settings, trained as one stack, and the folder of their results."""

from anynet.app.sweep.points import sweep_points
from anynet.app.sweep.train_sweep import train_sweep

__all__ = ["sweep_points", "train_sweep"]
