"""Layers, nets, losses, the L2 penalty and initializers."""

from anynet.nn.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from anynet.nn.batch_norm import BatchNorm
from anynet.nn.layer import Layer, Parameter
from anynet.nn.linear import Linear
from anynet.nn.sequential import Sequential

__all__ = ["BatchNorm", "Layer", "LeakyReLU", "Linear", "Parameter", "ReLU", "Sequential", "Sigmoid", "Tanh"]
