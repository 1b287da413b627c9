"""Recorded steps run by NumPy and, if it is installed, LLVM."""

from anynet.compiler.numpy.target import NumpyTarget

__all__ = ["NumpyTarget"]
