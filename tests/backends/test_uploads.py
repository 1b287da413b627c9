"""Arrays that are copied to CuPy's GPU: in pieces, and without page-locked memory of their size."""

import numpy as np
import pytest
from fake_cupy import put_in_place

from anynet.backends import backend

LARGE = (1000, 3000)  # more than 8 MB of float32


def values(shape, dtype):
    return np.arange(np.prod(shape), dtype=np.int64).reshape(shape).astype(dtype)


EXAMPLES = {
    "float32": values(LARGE, "float32"),
    "float64": values(LARGE, "float64"),
    "uint8": values((3001, 3072), "uint8"),
    "bool": values((10_000_001,), "bool"),
    "one row": values((1, 3_000_000), "float32"),
    "three dimensions": values((7, 600, 1000), "float32"),
    "transposed": values(LARGE, "float32").T,
    "every other": values((2 * 3_000_000,), "int32")[1::2],
    "backwards": values(LARGE, "float32")[::-1, ::-1],
    "repeated": np.broadcast_to(values((1000,), "float32"), (3000, 1000)),
    "big-endian": values(LARGE, ">f4"),
    "small": values((7, 5), "int64"),
    "small, big-endian": values((7, 5), ">i8"),
    "no dimensions": np.array(3.5, np.float32),
    "empty": np.zeros((0, 3), np.float32),
    "empty rows": np.zeros((3, 0), np.uint8),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_values_arrive_and_little_memory_is_page_locked(monkeypatch, name):
    fake, host = put_in_place(monkeypatch), EXAMPLES[name]
    source = host.copy(order="K") if name != "repeated" else host
    array = backend("cupy").asarray(source)
    if source.flags.writeable:
        source[...] = 0  # nothing reads it any more
    back = backend("cupy").to_host(array)
    assert (back.shape, back.dtype) == (host.shape, host.dtype.newbyteorder("="))
    np.testing.assert_array_equal(back, host)
    assert max(fake.gpu.pinned_bytes, default=0) <= 1 << 23
    assert (fake.gpu.pinned_bytes == []) == (host.nbytes > 8_000_000 or not (host.size and host.ndim))


def test_cupy_itself_would_page_lock_all_of_it(monkeypatch):
    fake = put_in_place(monkeypatch)
    fake.cupy.array(np.zeros((45_000, 3072), np.uint8))
    assert fake.gpu.pinned_bytes == [1 << 28]


def test_no_piece_is_larger_than_8_mb_unless_a_row_is(monkeypatch):
    fake, sizes = put_in_place(monkeypatch), []
    plain = fake.Array.set
    monkeypatch.setattr(fake.Array, "set", lambda self, arr, **kw: sizes.append(arr.nbytes) or plain(self, arr, **kw))
    for host in (np.zeros((50_000, 3072), np.uint8), np.zeros((3, 9_000_000), np.uint8)):
        sizes.clear()
        backend("cupy").asarray(host)
        assert sum(sizes) == host.nbytes
        assert max(sizes) <= max(8_000_000, host[0].nbytes)


def test_an_array_too_large_for_the_gpu_is_an_out_of_memory_error(monkeypatch):
    fake = put_in_place(monkeypatch)
    chosen = backend("cupy")
    fake.gpu.memory.limit = fake.gpu.memory.used + 20_000_000
    with pytest.raises(MemoryError) as caught:
        chosen.asarray(np.zeros(20_000_001, np.uint8))
    assert chosen.out_of_memory(caught.value)
