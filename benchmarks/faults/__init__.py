"""Faults on purpose: damaged files and killed processes; see ``python -m benchmarks.faults --help``."""
