"""Layers: each a frozen dataclass with its function and its derivative side by side."""

from anynet.layers.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from anynet.layers.base import Layer, Parameter
from anynet.layers.batch_norm import BatchNorm
from anynet.layers.linear import Linear
from anynet.layers.sequential import Sequential

__all__ = ["BatchNorm", "Layer", "LeakyReLU", "Linear", "Parameter", "ReLU", "Sequential", "Sigmoid", "Tanh"]
