"""Trained nets as modules and state dicts of PyTorch, and back."""

from anynet.interop.needed import need

need("torch")

from anynet.torch.save_program import save_program
from anynet.torch.state_dict import from_state_dict, to_state_dict
from anynet.torch.to_module import to_module

__all__ = ["from_state_dict", "save_program", "to_module", "to_state_dict"]
