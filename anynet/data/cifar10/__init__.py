"""CIFAR-10: download, file formats, reading and splitting."""
