"""Functions of floating-point numbers as instructions that LLVM vectorizes.

They have neither branches nor tables: an argument is reduced to a short interval, where a polynomial is as precise as
the type, and what is special is selected at the end. Results are within 2 units in the last place; those of zeros,
infinities, NaN and denormal numbers are NumPy's.

References
----------
Cody, Waite (1980), Software manual for the elementary functions: reduction of the argument.
Moshier (1989), Methods and programs for mathematical functions (Cephes): tanh.
Sun Microsystems (1993), FDLIBM: log, log1p.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from anynet.compiler.numpy.native.ir_types import alike, element
from anynet.compiler.numpy.native.ir_values import Value
from anynet.compiler.numpy.native.writer import Function


class _Format(NamedTuple):
    """Constants of a type.

    Parameters
    ----------
    integer : str
        Type of integers of the same size.
    bits : int
        Stored bits of the significand.
    ln2, log_ln2 : tuple of float
        The logarithm of 2 in two parts, the first with so few bits that multiples are exact; for exp and for log.
    least, most : float
        Bounds beyond which exp is 0 and infinity.
    one : float
        Distance from 0 beyond which expm1 is -1 and tanh is 1 or -1.
    exp : tuple of float
        Coefficients of ``(exp(x) - 1 - x) / x**2`` where ``abs(x) <= log(2) / 2``, lowest degree first.
    log : tuple of float
        Coefficients of ``(log((1 + s) / (1 - s)) - 2 * s) / s`` in powers of ``s**2`` from the first on.
    tanh, tanh_divisor : tuple of float
        Coefficients of ``(tanh(x) - x) / x**3`` in powers of ``x**2`` where ``abs(x) <= 0.625``, a quotient.
    """

    integer: str
    bits: int
    ln2: tuple[float, float]
    log_ln2: tuple[float, float]
    least: float
    most: float
    one: float
    exp: tuple[float, ...]
    log: tuple[float, ...]
    tanh: tuple[float, ...]
    tanh_divisor: tuple[float, ...]


_FORMATS = {
    "float": _Format(
        integer="i32",
        bits=23,
        ln2=(6.9314575195e-01, 1.4286067653e-06),
        log_ln2=(6.9313812256e-01, 9.0580006145e-06),
        least=-104.0,
        most=89.0,
        one=18.0,
        exp=(0.5, 0.166665181517601, 0.04166621342301369, 0.00836894754320383, 0.0013950072461739182),
        log=(0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841),
        tanh=(
            *(-3.33332819422e-1, 1.33314422036e-1, -5.37397155531e-2),
            *(2.06390887954e-2, -5.70498872745e-3),
        ),
        tanh_divisor=(1.0,),
    ),
    "double": _Format(
        integer="i64",
        bits=52,
        ln2=(6.93147180369123816490e-01, 1.90821492927058770002e-10),
        log_ln2=(6.93147180369123816490e-01, 1.90821492927058770002e-10),
        least=-746.0,
        most=710.0,
        one=40.0,
        exp=(
            *(0.5000000000000012, 0.16666666666666693, 0.04166666666651538, 0.008333333333310943),
            *(0.001388888894703701, 0.0001984126990979713, 2.4801489899221367e-05, 2.7557222704893214e-06),
            *(2.763130433289562e-07, 2.5115933436336866e-08),
        ),
        log=(
            *(6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01),
            *(2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01),
            1.479819860510658591e-01,
        ),
        tanh=(-1.61468768441708447952e3, -9.92877231001918586564e1, -9.64399179425052238628e-1),
        tanh_divisor=(4.84406305325125486048e3, 2.23548839060100448583e3, 1.12811678491632931402e2, 1.0),
    ),
}


def _exp(f: Function, x: Value) -> Value:
    n, r = _reduced(f, _clamp(f, x, _format(x).least, _format(x).most))
    half = f.op("ashr", n, 1)
    # in two steps, because the result may be denormal
    return (1 + _expm1_reduced(f, r)) * _power_of_two(f, half) * _power_of_two(f, n - half)


def _expm1(f: Function, x: Value) -> Value:
    n, r = _reduced(f, _clamp(f, x, -_format(x).one, _format(x).most))
    half = _power_of_two(f, n - 1)  # which is finite where the power itself may not be
    y = 2 * (half * _expm1_reduced(f, r) + (half - 0.5))
    return f.select(f.compare("olt", f.call("llvm.fabs", x), 1e-30), x, y)


def _log(f: Function, x: Value) -> Value:
    least = 2.0 ** (-126 if element(x.type) == "float" else -1022)
    more = _format(x).bits + 2
    denormal = f.compare("olt", x, least)
    exponent, m = _exponent(f, f.select(denormal, x * 2.0**more, x))
    exponent = exponent - f.select(denormal, float(more), x * 0)
    return _ends_of_log(f, x, x, _log_reduced(f, exponent, m - 1, None))


def _log1p(f: Function, x: Value) -> Value:
    u = 1 + x
    exponent, m = _exponent(f, u)
    near = f.compare("oeq", exponent, 0)
    lost = f.select(f.compare("ogt", x, 1), 1 - (u - x), x - (u - 1)) / u  # by rounding of u
    y = _log_reduced(f, exponent, f.select(near, x, m - 1), f.select(near, 0, lost))
    return f.select(f.compare("oeq", x, 0), x, _ends_of_log(f, x, u, y))


def _tanh(f: Function, x: Value) -> Value:
    form = _format(x)
    a = f.call("llvm.fabs", x)
    n, r = _reduced(f, _clamp(f, 2 * a, None, form.one + 4))
    exp = (1 + _expm1_reduced(f, r)) * _power_of_two(f, n)
    near, square = f.compare("olt", a, 0.625), x * x
    # One quotient for both: that of the polynomials, or that in 1 - 2 / (exp(2 * a) + 1).
    top = f.select(near, a * square * _polynomial(f, square, form.tanh), -2)
    y = f.select(near, a, 1) + top / f.select(near, _polynomial(f, square, form.tanh_divisor), exp + 1)
    return f.call("llvm.copysign", y, x)


def _reduced(f: Function, x: Value) -> tuple[Value, Value]:
    """Return the integer nearest to ``x / log(2)``, and the rest of x."""
    form = _format(x)
    magic = 1.5 * 2.0**form.bits  # a sum with it is rounded to an integer, which is in its last bits
    moved = f.call("llvm.fmuladd", x, 1 / math.log(2), magic)
    n = moved - magic
    rest = f.call("llvm.fmuladd", n, -form.ln2[0], x)
    rest = f.call("llvm.fmuladd", n, -form.ln2[1], rest)
    return f.cast("bitcast", moved, form.integer) - _bits(x, magic), rest


def _expm1_reduced(f: Function, r: Value) -> Value:
    """Return ``exp(r) - 1`` near 0."""
    return f.call("llvm.fmuladd", r * r, _polynomial(f, r, _format(r).exp), r)


def _exponent(f: Function, x: Value) -> tuple[Value, Value]:
    """Return e, as a floating-point number, and m with ``x = m * 2**e`` and ``sqrt(0.5) <= m < sqrt(2)``."""
    form, root = _format(x), _bits(x, math.sqrt(0.5))
    moved = f.cast("bitcast", x, form.integer) - root
    exponent = f.op("ashr", moved, form.bits)
    if form.integer == "i64":
        exponent = f.cast("trunc", exponent, "i32")
    m = f.cast("bitcast", (moved & ((1 << form.bits) - 1)) + root, element(x.type))
    return f.cast("sitofp", exponent, element(x.type)), m


def _log_reduced(f: Function, exponent: Value, x: Value, more: Value | None) -> Value:
    """Return ``exponent * log(2) + log(1 + x) + more`` for x near 0."""
    form = _format(x)
    s = x / (2 + x)
    z, half = s * s, 0.5 * x * x
    tail = exponent * form.log_ln2[1]
    tail = tail if more is None else tail + more
    inner = half - f.call("llvm.fmuladd", s, half + z * _polynomial(f, z, form.log), tail)
    return f.call("llvm.fmuladd", exponent, form.log_ln2[0], x - inner)


def _ends_of_log(f: Function, x: Value, argument: Value, y: Value) -> Value:
    """Return y, or x where it is infinity or NaN, and the logarithms of an argument that is not positive."""
    y = f.select(f.compare("olt", x, math.inf), y, x)
    y = f.select(f.compare("oeq", argument, 0), -math.inf, y)
    return f.select(f.compare("olt", argument, 0), math.nan, y)


def _power_of_two(f: Function, n: Value) -> Value:
    """Return ``2.0**n`` for an integer n."""
    type_ = "float" if element(n.type) == "i32" else "double"
    form = _FORMATS[type_]
    one = f.constant(alike(n.type, type_), 1.0)
    return f.cast("bitcast", (n << form.bits) + _bits(one, 1.0), type_)


def _polynomial(f: Function, x: Value, coefficients: Sequence[float]) -> Value:
    first, *others = reversed(coefficients)
    y = f.operands(x, first)[1]
    for coefficient in others:
        y = f.call("llvm.fmuladd", y, x, coefficient)
    return y


def _clamp(f: Function, x: Value, low: float | None, high: float) -> Value:
    """Return the nearest number within bounds; NaN is kept."""
    x = x if low is None else f.select(f.compare("olt", x, low), low, x)
    return f.select(f.compare("ogt", x, high), high, x)


def _format(x: Value) -> _Format:
    return _FORMATS[element(x.type)]


def _bits(x: Value, number: float) -> int:
    """Return the bits of a number of the type of x."""
    return int(np.float32(number).view(np.int32) if element(x.type) == "float" else np.float64(number).view(np.int64))


def _exact(function: Callable[[Function, Value], Value]) -> Callable[[Function, Value], Value]:
    """Return a function without fast-math flags, which would undo what keeps it precise."""

    def written(f: Function, x: Value) -> Value:
        with f.exact():
            return function(f, x)

    return written


FUNCTIONS: dict[str, Callable[[Function, Value], Value]] = {
    "exp": _exact(_exp),
    "expm1": _exact(_expm1),
    "log": _exact(_log),
    "log1p": _exact(_log1p),
    "tanh": _exact(_tanh),
}
"""``function(f, x)`` by name of the array API; `x` is a float or a double, or a vector of them."""
