"""Nets trained on CuPy: kernels are run here on a CPU, and given to NVIDIA's compiler."""

import numpy as np
import pytest
from cuda_on_cpu import ORDERS
from fake_cupy import put_in_place

import anynet as an
from anynet.backends import Backend, backend
