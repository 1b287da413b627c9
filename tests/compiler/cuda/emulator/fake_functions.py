"""Functions of CuPy's namespaces: NumPy's for arrays of the emulated GPU, and those that create arrays."""

from types import ModuleType
from typing import Any

import numpy as np
from fake_arrays import function

LACKING = {
    "numpy": """
__array_namespace_info__ asmatrix block bmat busday_count busday_offset busdaycalendar bytes_ character clongdouble
complex256 datetime64 datetime_as_string datetime_data einsum_path errstate flexible float128 fromregex frompyfunc
geomspace get_include getbufsize geterr geterrcall histogram_bin_edges info insert is_busday isnat longdouble matrix
matvec memmap nanpercentile nanquantile ndenumerate nditer nested_iters object_ polyder polydiv polyint recarray record
setbufsize seterr seterrcall show_runtime spacing str_ test timedelta64 unstack vecdot vecmat void
""",
    "numpy.linalg": "diagonal matrix_norm multi_dot outer svdvals tensordot trace vecdot vector_norm",
    "numpy.fft": "",
}  # NumPy's names that CuPy lacks


def functions(fake: Any, namespace: ModuleType) -> dict[str, Any]:
    """Return the functions of a NumPy namespace for arrays of the GPU; types and constants stay as they are."""
    made = {}
    for name in set(namespace.__all__) - set(LACKING[namespace.__name__].split()):
        thing = getattr(namespace, name)
        if isinstance(thing, type | float | None):
            made[name] = thing
        elif callable(thing):
            made[name] = function(fake.gpu, fake.Array, thing)
    return made


def arrays(fake: Any) -> dict[str, Any]:
    """Return the contents of ``cupy``: functions that create arrays, and those that NumPy has too."""
    Array, gpu = fake.Array, fake.gpu

    def array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, *, blocking=False):
        if isinstance(obj, Array):
            return obj.astype(obj.dtype if dtype is None else dtype, copy=bool(copy))
        gpu.current.synchronize()
        host = np.array(obj.get() if hasattr(obj, "get") else obj, dtype, ndmin=ndmin)
        if host.ndim and not (isinstance(obj, np.ndarray) and gpu.is_pinned(obj)):
            gpu.take_pinned(host.nbytes)
        return Array.of(host.astype(host.dtype.newbyteorder("="), copy=False))

    def asarray(a, dtype=None, order=None, *, blocking=False):
        same = isinstance(a, Array) and (dtype is None or a.dtype == dtype)
        return a if same else array(a, dtype, copy=False)

    def asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
        return a.get(stream, order, out, blocking) if isinstance(a, Array) else np.asarray(a)

    def copyto(dst, src, casting="same_kind", where=None):
        numpys["copyto"](dst, src, casting, True if where is None else where)

    class Pool:
        def free_all_blocks(self, stream=None):
            """Do nothing: memory that no array uses is free."""

        def free_bytes(self):
            return 0

        def used_bytes(self):
            return gpu.memory.used

    def empty(shape, dtype=float, order="C"):
        return Array(shape, dtype, order=order)

    def empty_like(prototype, dtype=None):
        return Array(prototype.shape, prototype.dtype if dtype is None else dtype)

    numpys = functions(fake, np)
    ours = {made.__name__: made for made in (array, asarray, asnumpy, copyto, empty, empty_like)}
    return numpys | ours | {"ndarray": Array, "get_default_memory_pool": Pool}
