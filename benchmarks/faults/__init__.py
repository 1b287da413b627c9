"""Faults on purpose: damaged files; see ``python -m benchmarks.faults --help``."""
