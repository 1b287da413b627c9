"""Trained nets as ONNX files."""

from anynet.interop.needed import need

need("onnx")

from anynet.onnx.export_run import OPSET, export

__all__ = ["OPSET", "export"]
