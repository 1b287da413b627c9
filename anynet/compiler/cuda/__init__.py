"""Run recorded steps on a GPU: as generated kernels and products by cuBLAS, captured as a CUDA graph.

`target` decides how each operation runs. `lowering` makes phases of operations: parallel loops over the elements of a
result, with the `expressions` of single elements. `kernels` puts phases together, where the `dependences` between them
allow it, `launch` compiles and launches them, and `capture` makes a graph of all. `matmul` multiplies with `cublas`.
`convolution_calls` multiplies what windows see of images, which `window_phases` copy. For bf16, `rounding` rounds the
operands of products, and `storage` chooses what is stored in bfloat16.

A `CudaTarget` that fails is followed by slower ones: kernels without a graph, then a graph of CuPy's own kernels
(`cupy_steps`); `failures` explains why, and `probe` finds out at the start which of them works.

Importing this package needs CuPy.
"""

from anynet.compiler.cuda.capturing import CAPTURING
from anynet.compiler.cuda.cublas import cublas_handle
from anynet.compiler.cuda.failures import cache_advice, lacks_toolkit, out_of_memory, toolkit
from anynet.compiler.cuda.matmul import MatrixProduct
from anynet.compiler.cuda.probe import fastest_target
from anynet.compiler.cuda.target import CudaTarget

__all__ = [
    "CAPTURING",
    "CudaTarget",
    "MatrixProduct",
    "cache_advice",
    "cublas_handle",
    "fastest_target",
    "lacks_toolkit",
    "out_of_memory",
    "toolkit",
]
