"""Recorded steps as CUDA kernels, their products by cuBLAS, the whole captured as a graph."""
