"""CIFAR-10 and CIFAR-100: file formats and reading."""
