"""Recorded steps as CUDA kernels, their products by cuBLAS, the whole captured as a graph.

Importing this package needs CuPy.
"""

from anynet.compiler.cuda.target import CudaTarget, find_products

__all__ = ["CudaTarget", "find_products"]
