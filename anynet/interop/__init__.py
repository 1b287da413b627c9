"""Trained nets in the names and layouts of other programs, as NumPy arrays."""

from anynet.interop.single_net import single_net
from anynet.interop.state_arrays import from_state_arrays, state_arrays
from anynet.interop.write_safetensors import write_safetensors

__all__ = ["from_state_arrays", "single_net", "state_arrays", "write_safetensors"]
