"""Layers, nets, losses, the L2 penalty and initializers."""

from anynet.nn.activations import ELU, LeakyReLU, ReLU, Sigmoid, Softplus, Tanh
from anynet.nn.batch_norm import BatchNorm
from anynet.nn.dropout import Dropout
from anynet.nn.flatten import Flatten
from anynet.nn.gated_activations import GELU, Hardswish, SiLU
from anynet.nn.layer import Layer, Parameter
from anynet.nn.linear import Linear
from anynet.nn.residual import Residual
from anynet.nn.sample_norms import GroupNorm, LayerNorm
from anynet.nn.scale import Scale
from anynet.nn.sequential import Sequential

__all__ = [
    "ELU",
    "GELU",
    "BatchNorm",
    "Dropout",
    "Flatten",
    "GroupNorm",
    "Hardswish",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "Parameter",
    "ReLU",
    "Residual",
    "Scale",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Tanh",
]
