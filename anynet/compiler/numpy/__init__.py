"""Recorded steps run by NumPy and, if it is installed, Numba."""

from anynet.compiler.numpy.target import NumpyTarget

__all__ = ["NumpyTarget"]
