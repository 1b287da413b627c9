"""Seconds from the start of a process to test accuracies on CIFAR-10: ``python -m benchmarks.time_to_accuracy``."""
