"""CIFAR-10: finding, downloading, reading and splitting its files."""
