"""Nets trained on CuPy: kernels are run here on a CPU, and given to NVIDIA's compiler."""
