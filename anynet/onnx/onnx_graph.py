"""An ONNX graph that is being made."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray


class OnnxGraph:
    """Nodes and constants of a graph.

    Attributes
    ----------
    nodes : list of NodeProto
        In the order in which they run.
    constants : dict of ndarray
        Initializers by name.
    domains : dict of int
        Versions of operator sets besides ONNX's own, by name.
    """

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, NDArray[Any]] = {}
        self.domains: dict[str, int] = {}

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node with one output.

        Parameters
        ----------
        kind : str
            Operator of ONNX.
        inputs : list of str
            Names of values.
        output : str
            Name of the result, and of the node.
        **attributes
            Attributes of the operator.

        Returns
        -------
        str
            `output`.
        """
        self.nodes.append(onnx.helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, value: Any) -> str:
        """Add a constant, and return its name."""
        self.constants[name] = np.asarray(value)
        return name

    def reshape(self, x: str, shape: list[int], output: str) -> str:
        """Add a node that gives a value another shape, of which one size may be -1."""
        return self.node("Reshape", [x, self.constant(f"{output}.shape", np.asarray(shape, np.int64))], output)
