"""Recorded steps run by PyTorch."""
