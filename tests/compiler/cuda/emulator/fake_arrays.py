"""CuPy arrays and functions, implemented with NumPy in the memory of the emulated GPU."""

import operator
from functools import cached_property, wraps
from types import SimpleNamespace
from typing import Any

import numpy as np
from fake_gpu import Gpu, Work
from numpy.lib.mixins import NDArrayOperatorsMixin

VIEWS = """
atleast_1d atleast_2d atleast_3d broadcast_arrays broadcast_to diagonal expand_dims flip fliplr flipud matrix_transpose
moveaxis permute_dims ravel real reshape rollaxis rot90 split squeeze swapaxes transpose
"""
HOST = """
base_repr binary_repr broadcast_shapes can_cast common_type isdtype isscalar iscomplexobj isrealobj issubdtype
may_share_memory min_scalar_type mintypecode ndim promote_types result_type shape shares_memory size typename
"""  # functions of VIEWS and HOST do not wait for the GPU

METHODS = """
all any argmax argmin argsort astype clip conj copy cumprod cumsum diagonal dot fill flatten max mean min nonzero prod
put ravel repeat reshape round searchsorted sort squeeze std sum swapaxes take trace transpose var view
"""

CUBLAS = "calling cuBLAS API during stream capture is currently unsupported"
UPLOAD = "the current stream is capturing, so H2D transfers are disallowed"
IMPLICIT = (
    "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array explicitly."
)
BLAS = (np.matmul, np.dot, np.inner, np.tensordot, np.vdot, np.ndarray.dot)


def basic(key: Any) -> tuple | None:
    """Return an index that gives a view, with an ellipsis so that NumPy returns no scalar; None for other indices."""
    parts = key if isinstance(key, tuple) else (key,)
    if not all(type(part) in (int, slice, type(None), type(...)) or isinstance(part, np.integer) for part in parts):
        return None
    return parts if ... in parts else (*parts, ...)


class MemoryPointer:
    """The address of an array."""

    def __init__(self, ptr: int) -> None:
        self.ptr = ptr


def array_class(gpu: Gpu, device: Any) -> type:
    """Return ``cupy.ndarray`` for this GPU. device: returns the current one."""

    class ndarray(NDArrayOperatorsMixin):  # noqa: N801
        """values: the memory as it is now, without the work that has not run yet."""

        __array_priority__ = 100
        __hash__ = None

        def __init__(self, shape, dtype=float, memptr=None, strides=None, order="C"):
            assert memptr is None
            assert strides is None
            shape = (shape,) if np.ndim(shape) == 0 else tuple(shape)
            gpu.compilations.calls.append("ndarray")
            made = gpu.allocate(shape if order == "C" else shape[::-1], dtype)
            self.values = made if order == "C" else made.T
            self.device = device()

        @classmethod
        def of(cls, values):
            """Return a view of GPU memory, or a copy of host memory. Not in CuPy."""
            if gpu.memory.find(values.ctypes.data) is None:
                made = cls(values.shape, values.dtype, order="F" if values.flags.fnc else "C")
                made.values[...] = values
                return made
            made = object.__new__(cls)
            made.values, made.device = values, device()
            return made

        shape, dtype, ndim, size, strides, itemsize, nbytes = (
            property(operator.attrgetter(f"values.{name}"))
            for name in ("shape", "dtype", "ndim", "size", "strides", "itemsize", "nbytes")
        )

        @cached_property
        def data(self):
            return MemoryPointer(self.values.ctypes.data)

        @property
        def flags(self):
            names = ("c_contiguous", "f_contiguous", "fnc", "forc", "owndata")
            return SimpleNamespace(**{name: getattr(self.values.flags, name) for name in names})

        @property
        def T(self):
            return self.of(self.values.T)

        @property
        def mT(self):
            return self.of(self.values.mT)

        def get(self, stream=None, order="C", out=None, blocking=True):
            stream = stream or gpu.current
            stream.refuse_capture()
            host = np.empty_like(self.values, order=order, subok=False) if out is None else out
            stream.push(Work("get", lambda: np.copyto(host, self.values), gpu.blocks([self.values]), (self, host)))
            if blocking:
                stream.synchronize()
            return host

        def set(self, arr, stream=None):
            """Copy from the host, in stream order: page-locked memory is read then, other memory now."""
            if not isinstance(arr, np.ndarray) or arr.dtype != self.dtype:
                raise TypeError(f"expected a NumPy array of {self.dtype}, got {arr!r:.200}")
            if arr.shape != self.shape:
                raise ValueError(f"expected {self.shape}, got {arr.shape}")
            if not self.values.flags.forc:
                raise RuntimeError("Cannot set to non-contiguous array")
            stream = stream or gpu.current
            stream.refuse_capture()
            host = arr if gpu.is_pinned(arr) else arr.copy()
            stream.push(Work("set", lambda: np.copyto(self.values, host), gpu.blocks([self.values]), (self, host)))

        def item(self, *args):
            return self.get().item(*args)

        def tolist(self):
            return self.get().tolist()

        def __array__(self, *args, **kwargs):
            raise TypeError(IMPLICIT)

        def __array_ufunc__(self, ufunc, method, *args, **kwargs):
            return call(gpu, ndarray, ufunc if method == "__call__" else getattr(ufunc, method), args, kwargs)

        def __array_function__(self, function, types, args, kwargs):
            return call(gpu, ndarray, function, args, kwargs)

        def __getitem__(self, key):
            parts = basic(key)
            if parts is None:
                return call(gpu, ndarray, operator.getitem, (self, key), {})
            return self.of(self.values[parts])

        def __setitem__(self, key, value):
            call(gpu, ndarray, operator.setitem, (self, key, value), {})

        def __len__(self):
            return len(self.values)

        def __iter__(self):
            return (self[i] for i in range(len(self)))

        def __repr__(self):
            return repr(self.values)

        def __dlpack__(self, *args, **kwargs):
            raise BufferError("this memory is not the host's")

        def __dlpack_device__(self):
            return 2, self.device.id

    for name in METHODS.split():
        setattr(ndarray, name, method(gpu, ndarray, name))
    for name in ("__bool__", "__float__", "__int__", "__index__", "__complex__"):
        setattr(ndarray, name, lambda self, name=name: getattr(self.get(), name)())
    return ndarray


def method(gpu: Gpu, kind: type, name: str) -> Any:
    def run(self, *args, **kwargs):
        views = name in VIEWS.split() or name == "view"
        return call(gpu, kind, getattr(np.ndarray, name), (self, *args), kwargs, waits=not views)

    return run


def function(gpu: Gpu, kind: type, on_host: Any) -> Any:
    """Return a NumPy function for arrays of the GPU."""
    waits = on_host.__name__ not in (VIEWS + HOST).split()

    @wraps(on_host, updated=())
    def run(*args, **kwargs):
        return call(gpu, kind, on_host, args, kwargs, waits)

    return run


def call(gpu: Gpu, kind: type, on_host: Any, args: tuple, kwargs: dict[str, Any], waits: bool = True) -> Any:
    """Call a NumPy function after the work of the current stream; scalars are returned as arrays.

    Raises TypeError if an argument is a NumPy array, as CuPy does.
    """
    if on_host in BLAS:
        gpu.multiply()
        if gpu.current.is_capturing():
            raise NotImplementedError(CUBLAS)
    capturing = gpu.current.is_capturing()
    if waits and not capturing:
        gpu.current.synchronize()

    def host(value):
        if isinstance(value, kind):
            return value.values
        if isinstance(value, np.ndarray):
            raise TypeError(f"Unsupported type {type(value)}")
        if type(value) in (tuple, list):
            return type(value)(map(host, value))
        return value

    def back(value):
        if isinstance(value, np.ndarray | np.generic):
            return kind.of(np.asarray(value))
        if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
            return type(value)(map(back, value))
        return value

    def compute():
        with np.errstate(all="ignore"):  # a GPU does not warn
            return on_host(*host(args), **{name: host(value) for name, value in kwargs.items()})

    gpu.compilations.calls.append(on_host.__name__)
    if capturing and waits:
        return capture(gpu, kind, on_host, args, kwargs)
    result = compute()
    if not waits and isinstance(result, np.ndarray) and gpu.memory.find(result.ctypes.data) is None:
        if capturing:
            return capture(gpu, kind, on_host, args, kwargs)
        gpu.current.synchronize()  # a copy, not a view
        result, waits = compute(), True
    if waits:
        given = {name: host(value) for name, value in kwargs.items()}
        gpu.compilations.add_call(on_host.__name__, host(args), given, result)
    out = kwargs.get("out")
    out = out[0] if isinstance(out, tuple) else out
    return back(result) if out is None else out


def capture(gpu: Gpu, kind: type, on_host: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Add a call to the graph that is being captured; its result is in ``out`` or memory that is allocated now.

    Methods that change an array and indexing by arrays are not imitated, and refused.
    """
    by_array = on_host in (operator.getitem, operator.setitem) and basic(args[1]) is None
    if by_array or on_host.__name__ in ("copyto", "fill", "put", "sort"):
        gpu.current.refuse_capture()
    used = []
    out = kwargs.pop("out", None)
    made = out[0] if isinstance(out, tuple) else out

    def unowned(value):
        if isinstance(value, kind):
            used.append(value.values)
            return np.asarray(Unowned(value.values))
        return type(value)(map(unowned, value)) if type(value) in (tuple, list) else value

    args, kwargs = unowned(args), {name: unowned(value) for name, value in kwargs.items()}
    if on_host is np.concatenate and len(used) > 8:
        raise RuntimeError(UPLOAD)

    def compute():
        with np.errstate(all="ignore"):
            return on_host(*args, **kwargs)

    if on_host is operator.setitem:
        gpu.current.push(Work("setitem", compute, gpu.blocks(used)))
        return None
    if made is None:
        like = np.asarray(compute())  # of what is in memory now
        made = kind(like.shape, like.dtype, order="F" if like.flags.fnc else "C")
    used.append(made.values)
    into = np.asarray(Unowned(made.values))
    gpu.current.push(Work(on_host.__name__, lambda: np.copyto(into, compute()), gpu.blocks(used)))
    return made


class Unowned:
    """Memory of an array that does not keep the memory: a graph holds addresses."""

    def __init__(self, array: np.ndarray) -> None:
        self.__array_interface__ = dict(array.__array_interface__)
