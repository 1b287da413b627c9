"""Training throughput of anynet and other libraries: ``python -m benchmarks``."""
