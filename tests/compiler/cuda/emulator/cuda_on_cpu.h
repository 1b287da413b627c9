// The part of CUDA C that anynet's kernels use, for a C++ compiler; cuda_on_cpu.cpp runs the kernels.
#pragma once

#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __shared__ static __attribute__((section("cuda_shared")))
#define __forceinline__ inline
#define __launch_bounds__(...)

struct uint3 { unsigned x, y, z; };
struct float2 { float x, y; };
struct __attribute__((aligned(16))) float4 { float x, y, z, w; };
struct __attribute__((aligned(16))) double2 { double x, y; };
typedef uint3 dim3;
typedef __SIZE_TYPE__ size_t;

inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline double2 make_double2(double x, double y) { return {x, y}; }

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
static const int warpSize = 32;

// Barriers and shuffles. Each occurrence in the source has a number, because threads must wait at the same one.

namespace cuda_on_cpu {

void barrier(int place);
unsigned long long exchange(int place, unsigned mask, unsigned long long value, int lane);
int lane();

template <class T> T shuffle(int place, unsigned mask, T value, int from) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles are of 4 or 8 bytes");
    unsigned long long bits = 0;
    __builtin_memcpy(&bits, &value, sizeof(T));
    bits = exchange(place, mask, bits, from);
    __builtin_memcpy(&value, &bits, sizeof(T));
    return value;
}

template <class T> T shfl(int place, unsigned mask, T value, int from, int width = 32) {
    return shuffle(place, mask, value, (lane() & ~(width - 1)) | (from & (width - 1)));
}

template <class T> T shfl_up(int place, unsigned mask, T value, unsigned delta, int width = 32) {
    int within = lane() & (width - 1);
    return shuffle(place, mask, value, within >= int(delta) ? lane() - int(delta) : lane());
}

template <class T> T shfl_down(int place, unsigned mask, T value, unsigned delta, int width = 32) {
    int within = lane() & (width - 1);
    return shuffle(place, mask, value, within + int(delta) < width ? lane() + int(delta) : lane());
}

template <class T> T shfl_xor(int place, unsigned mask, T value, int bits, int width = 32) {
    int from = lane() ^ bits;
    return shuffle(place, mask, value, from < (lane() & ~(width - 1)) + width ? from : lane());
}

inline void syncwarp(int place, unsigned mask = 0xffffffffu) { exchange(place, mask, 0, lane()); }

}  // namespace cuda_on_cpu

#define __syncthreads() cuda_on_cpu::barrier(__COUNTER__)
#define __syncwarp(...) cuda_on_cpu::syncwarp(__COUNTER__ __VA_OPT__(,) __VA_ARGS__)
#define __shfl_sync(...) cuda_on_cpu::shfl(__COUNTER__, __VA_ARGS__)
#define __shfl_up_sync(...) cuda_on_cpu::shfl_up(__COUNTER__, __VA_ARGS__)
#define __shfl_down_sync(...) cuda_on_cpu::shfl_down(__COUNTER__, __VA_ARGS__)
#define __shfl_xor_sync(...) cuda_on_cpu::shfl_xor(__COUNTER__, __VA_ARGS__)

// Mathematics: overloaded by the argument's type, or with the suffix f for float.

#define CUDA_ON_CPU_1(name)                                          \
    inline float name(float x) { return __builtin_##name##f(x); }    \
    inline double name(double x) { return __builtin_##name(x); }     \
    inline float name##f(float x) { return __builtin_##name##f(x); }
#define CUDA_ON_CPU_2(name)                                                          \
    inline float name(float x, float y) { return __builtin_##name##f(x, y); }        \
    inline double name(double x, double y) { return __builtin_##name(x, y); }        \
    inline float name##f(float x, float y) { return __builtin_##name##f(x, y); }

CUDA_ON_CPU_1(acos) CUDA_ON_CPU_1(acosh) CUDA_ON_CPU_1(asin) CUDA_ON_CPU_1(asinh) CUDA_ON_CPU_1(atan)
CUDA_ON_CPU_1(atanh) CUDA_ON_CPU_1(cbrt) CUDA_ON_CPU_1(ceil) CUDA_ON_CPU_1(cos) CUDA_ON_CPU_1(cosh)
CUDA_ON_CPU_1(erf) CUDA_ON_CPU_1(exp) CUDA_ON_CPU_1(exp2) CUDA_ON_CPU_1(expm1) CUDA_ON_CPU_1(fabs)
CUDA_ON_CPU_1(floor) CUDA_ON_CPU_1(log) CUDA_ON_CPU_1(log10) CUDA_ON_CPU_1(log1p) CUDA_ON_CPU_1(log2)
CUDA_ON_CPU_1(rint) CUDA_ON_CPU_1(round) CUDA_ON_CPU_1(sin) CUDA_ON_CPU_1(sinh) CUDA_ON_CPU_1(sqrt)
CUDA_ON_CPU_1(tan) CUDA_ON_CPU_1(tanh) CUDA_ON_CPU_1(trunc)
CUDA_ON_CPU_2(atan2) CUDA_ON_CPU_2(copysign) CUDA_ON_CPU_2(fmax) CUDA_ON_CPU_2(fmin) CUDA_ON_CPU_2(fmod)
CUDA_ON_CPU_2(hypot) CUDA_ON_CPU_2(pow)

inline float fma(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline double fma(double x, double y, double z) { return __builtin_fma(x, y, z); }
inline float fmaf(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline float rsqrt(float x) { return 1 / __builtin_sqrtf(x); }
inline double rsqrt(double x) { return 1 / __builtin_sqrt(x); }

#define CUDA_ON_CPU_FLOAT(T)                                                       \
    inline bool isfinite(T x) { return __builtin_isfinite(x); }                    \
    inline bool isinf(T x) { return __builtin_isinf(x); }                          \
    inline bool isnan(T x) { return __builtin_isnan(x); }                          \
    inline bool signbit(T x) { return __builtin_signbit(x); }                      \
    inline T abs(T x) { return fabs(x); }                                          \
    inline T max(T x, T y) { return fmax(x, y); } /* NaN only where both are */    \
    inline T min(T x, T y) { return fmin(x, y); }
#define CUDA_ON_CPU_INT(T)                                                         \
    inline T max(T x, T y) { return x > y ? x : y; }                               \
    inline T min(T x, T y) { return x < y ? x : y; }

CUDA_ON_CPU_FLOAT(float) CUDA_ON_CPU_FLOAT(double)
CUDA_ON_CPU_INT(int) CUDA_ON_CPU_INT(unsigned) CUDA_ON_CPU_INT(long) CUDA_ON_CPU_INT(unsigned long)
CUDA_ON_CPU_INT(long long) CUDA_ON_CPU_INT(unsigned long long)
inline int abs(int x) { return x < 0 ? -x : x; }
inline long abs(long x) { return x < 0 ? -x : x; }
inline long long abs(long long x) { return x < 0 ? -x : x; }

#define CUDA_ON_CPU_BITS(name, To, From)                                           \
    inline To name(From x) { To y; __builtin_memcpy(&y, &x, sizeof(y)); return y; }
CUDA_ON_CPU_BITS(__float_as_int, int, float)
CUDA_ON_CPU_BITS(__int_as_float, float, int)
CUDA_ON_CPU_BITS(__float_as_uint, unsigned, float)
CUDA_ON_CPU_BITS(__uint_as_float, float, unsigned)
CUDA_ON_CPU_BITS(__double_as_longlong, long long, double)
CUDA_ON_CPU_BITS(__longlong_as_double, double, long long)

template <class T> T __ldg(const T *address) { return *address; }

// Calls a kernel with the addresses of its arguments, as CUDA does, and describes its parameters.

namespace cuda_on_cpu {

template <int... I> struct Numbers {};
template <int N, int... I> struct Count : Count<N - 1, N - 1, I...> {};
template <int... I> struct Count<0, I...> { typedef Numbers<I...> type; };

template <class T> struct Kind { static const char value = T(0.5) != T(0) && T(2) != T(1) ? 'f' : T(-1) < T(0) ? 'i' : 'u'; };
template <> struct Kind<bool> { static const char value = 'b'; };
template <class T> struct Kind<T *> { static const char value = 'p'; };

template <class... A, int... I> void call(void (*kernel)(A...), void **args, Numbers<I...>) {
    kernel(*(A *)args[I]...);
}

template <class... A> void call(void (*kernel)(A...), void **args) {
    call(kernel, args, typename Count<sizeof...(A)>::type());
}

template <class... A> const char *kinds(void (*)(A...)) {
    static const char text[] = {Kind<A>::value..., 0};
    return text;
}

template <class... A> const char *sizes(void (*)(A...)) {
    static const char text[] = {char('0' + sizeof(A))..., 0};
    return text;
}

}  // namespace cuda_on_cpu

#define CUDA_ON_CPU_KERNEL(name)                                                         \
    extern "C" void name##__run(void **args) { cuda_on_cpu::call(name, args); }          \
    extern "C" const char *name##__kinds() { return cuda_on_cpu::kinds(name); }          \
    extern "C" const char *name##__sizes() { return cuda_on_cpu::sizes(name); }
#define CUDA_ON_CPU_MODULE                                                               \
    extern "C" __attribute__((weak, visibility("hidden"))) char __start_cuda_shared[];   \
    extern "C" __attribute__((weak, visibility("hidden"))) char __stop_cuda_shared[];    \
    extern "C" char *cuda_shared_start() { return __start_cuda_shared; }                 \
    extern "C" char *cuda_shared_stop() { return __stop_cuda_shared; }
