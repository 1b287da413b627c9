"""Training throughput of anynet beside other libraries: ``python -m anynet bench``."""
