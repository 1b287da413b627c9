"""All that only a machine with a GPU can show, in one command: ``python -m benchmarks.card``."""
