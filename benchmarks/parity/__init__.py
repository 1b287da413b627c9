"""Accuracies of the same recipes by anynet and by plain PyTorch on CIFAR-10: ``python -m benchmarks.parity``."""
