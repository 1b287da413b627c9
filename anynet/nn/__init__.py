"""Layers, nets, losses, the L2 penalty and initializers."""

from anynet.nn.activations import ELU, LeakyReLU, ReLU, Sigmoid, Softplus, Softsign, Tanh
from anynet.nn.batch_norm import BatchNorm
from anynet.nn.conv2d import Conv2d
from anynet.nn.dropout import Dropout
from anynet.nn.flatten import Flatten
from anynet.nn.gated_activations import GELU, Hardswish, SiLU
from anynet.nn.image_layer import ImageLayer
from anynet.nn.layer import Layer, Parameter
from anynet.nn.linear import Linear
from anynet.nn.patch_whitening import PatchWhitening
from anynet.nn.pooling import AvgPool2d, GlobalPool, MaxPool2d
from anynet.nn.residual import Residual
from anynet.nn.sample_norms import GroupNorm, LayerNorm
from anynet.nn.scale import Scale
from anynet.nn.sequential import Sequential

__all__ = [
    "ELU",
    "GELU",
    "AvgPool2d",
    "BatchNorm",
    "Conv2d",
    "Dropout",
    "Flatten",
    "GlobalPool",
    "GroupNorm",
    "Hardswish",
    "ImageLayer",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "MaxPool2d",
    "Parameter",
    "PatchWhitening",
    "ReLU",
    "Residual",
    "Scale",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Tanh",
]
