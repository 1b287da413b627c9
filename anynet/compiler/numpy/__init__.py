"""Recorded steps run by NumPy and, where it is installed, Numba."""
