"""Tests and benchmarks for a machine with a GPU, in one command: ``python -m benchmarks.card``."""
