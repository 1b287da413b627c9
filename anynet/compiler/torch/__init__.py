"""Recorded steps run by PyTorch."""

from anynet.compiler.torch.target import TorchTarget

__all__ = ["TorchTarget"]
