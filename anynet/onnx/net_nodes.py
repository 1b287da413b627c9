"""ONNX's nodes for a net."""

from anynet.interop.feature_orders import FeatureOrders, feature_orders
from anynet.interop.state_arrays import state_arrays
from anynet.nn import Layer, Residual, Sequential
from anynet.nn.container import Container
from anynet.nn.layer_text import short
from anynet.nn.shortcut import Shortcut
from anynet.onnx.layer_nodes import NODES, Given, flatten_images
from anynet.onnx.onnx_graph import OnnxGraph
from anynet.onnx.own_nodes import own_nodes
from anynet.training.trained_net import TrainedNet


def net_nodes(graph: OnnxGraph, trained: TrainedNet, x: str, width: int) -> str:
    """Add the nodes and constants of a net in evaluation.

    Parameters
    ----------
    graph : OnnxGraph
    trained : TrainedNet
    x : str
        Name of its input: normalized rows (N, width), or images (N, width, H, W) if the net takes them.
    width : int

    Returns
    -------
    str
        Name of its output.

    Raises
    ------
    ValueError
        If a layer has no form in ONNX.
    """
    net = trained.net
    for name, array in state_arrays(trained).items():
        graph.constant(name, array.astype("float32"))
    image = None if net.image_shape is None else net.image_shape[1:]
    return _chain(graph, dict(enumerate(net.layers)), "", Given("", x, width, image), feature_orders(net)).x


def _chain(graph: OnnxGraph, chain: dict[int, Layer], ahead: str, given: Given, orders: FeatureOrders) -> Given:
    """Add the nodes of layers that run one after another, and return what a layer behind them is given."""
    for i, layer in chain.items():
        here = given._replace(name=f"{ahead}{i}")
        y = _layer(graph, layer, here, orders)
        taken, own = layer.features()
        given = Given("", y, own or taken or given.width, layer.image_out(given.image))
    return given


def _layer(graph: OnnxGraph, layer: Layer, given: Given, orders: FeatureOrders) -> str:
    if isinstance(layer, Container):
        if type(layer) not in (Sequential, Shortcut, Residual):
            raise ValueError(
                f"layer {given.name}, {short(layer)}: expected Sequential or Residual, got another container"
            )
        ends = [_chain(graph, chain, f"{given.name}.", given, orders).x for chain in layer._chains()]
        if type(layer) is not Residual:
            return ends[0]
        branch, *shortcut = ends
        return graph.node("Add", [*(shortcut or [given.x]), branch], given.name)
    if given.name in orders.channels_last:
        return flatten_images(graph, given, channels_last=True)
    return NODES.get(type(layer), own_nodes)(graph, layer, given)
