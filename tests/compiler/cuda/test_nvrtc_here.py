"""NVRTC compiles the sources that run on the emulator."""

import re
from pathlib import Path

import pytest
from cuda_on_cpu import HERE
from nvrtc_here import ARCHITECTURES, CompileError, nvrtc_compile
from test_cuda_on_cpu import DIVERGENT, SUM
from test_fake_cupy import CODE

HEADER = Path(HERE / "cuda_on_cpu.h").read_text()

OTHERS = """
extern "C" __global__ void others(
    float* x, double* y, int* i, const float4* __restrict__ v, const double2* w, float2* u
) {
    __shared__ __attribute__((unused)) float s[32];
    x[0] = fma(x[0], x[1], x[2]) + fmaf(x[0], x[1], x[2]) + rsqrt(x[0]) + abs(x[0]) + max(x[0], x[1]) + min(x[0], x[1]);
    y[0] = fma(y[0], y[1], y[2]) + rsqrt(y[0]) + abs(y[0]) + max(y[0], y[1]) + min(y[0], y[1]);
    i[0] = isfinite(x[0]) + isinf(x[0]) + isnan(x[0]) + signbit(x[0]) + isfinite(y[0]) + isinf(y[0]) + isnan(y[0]);
    i[1] = max(i[0], i[1]) + min(i[0], i[1]) + abs(i[2]) + warpSize;
    i[2] = max(1u, unsigned(i[1])) + max(1l, long(i[1])) + min(1ll, (long long)i[1]) + min(1ull, 2ull) + min(1ul, 2ul);
    i[3] = __float_as_int(x[0]) + __float_as_uint(x[0]) + __double_as_longlong(y[0]) + abs(2l) + abs(2ll);
    x[1] = __int_as_float(i[0]) + __uint_as_float(i[1]) + __longlong_as_double(i[2]) + __ldg(x);
    x[2] = v[1].w + make_float4(1, 2, 3, 4).z + w[1].y + make_double2(1, 2).x;
    u[0] = make_float2(x[0], x[1]);
    size_t n = blockDim.x * gridDim.x;
    __syncwarp();
    __syncwarp(0xff);
    y[n] = __shfl_sync(~0u, y[0], 3, 8) + __shfl_up_sync(~0u, i[0], 2) + __shfl_down_sync(~0u, x[0], 1)
        + __shfl_xor_sync(~0u, 3ll, 1, 16);
}
"""


def calls():
    """Return a kernel with each mathematical function of the header, in both precisions."""
    lines = []
    for n, args in (("1", "x[0]"), ("2", "x[0], x[1]")):
        for name in re.findall(rf"CUDA_ON_CPU_{n}\(([a-z0-9]+)\)", HEADER):
            if name != "name":
                lines += [f"x[2] += {name}({args}) + {name}f({args}); y[2] += {name}({args.replace('x', 'y')});"]
    assert len(lines) > 30
    return 'extern "C" __global__ void calls(float* x, double* y) {' + "\n".join(lines) + "}"


SOURCES = {
    "sums": f"#define real double\n{SUM.replace('BARRIER', '__syncthreads();')}",
    "fake": CODE,
    "functions": calls(),
    "others": OTHERS,
} | {name: f'extern "C" __global__ void f(float* x) {{ {body} }}' for name, body in DIVERGENT.items()}


@pytest.mark.parametrize(
    "arch", [pytest.param(arch, marks=[pytest.mark.slow] * (arch != "sm_90")) for arch in ARCHITECTURES]
)
@pytest.mark.parametrize("name", SOURCES)
def test_it_compiles(name, arch):
    log = nvrtc_compile(SOURCES[name], arch)
    assert "error" not in log


def test_compile_errors():
    with pytest.raises(CompileError, match='identifier "nonsense" is undefined'):
        nvrtc_compile("void f() { nonsense; }")


def test_too_much_shared_memory_is_reported():
    source = 'extern "C" __global__ void f(float* x) { __shared__ float s[12289]; s[threadIdx.x] = x[0]; x[0] = s[1]; }'
    with pytest.raises(CompileError, match="too much shared data"):
        nvrtc_compile(source)
