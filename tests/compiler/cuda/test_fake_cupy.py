"""The fake CuPy has the rules of CuPy and CUDA: code that breaks one fails as on a GPU."""

import gc

import array_api_compat
import numpy as np
import pytest
from fake_cupy import CUDARuntimeError, MemoryFaultError, put_in_place
from fake_memory import OutOfMemoryError
from libraries import tree_map
from loops import plain
from test_recorded_steps import STEPS

from anynet.backends import backend

CODE = r"""
extern "C" __global__ void add(float* x, float number, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) x[i] += number;
}
extern "C" __global__ void copy(const float* x, float* y, int n) {
    for (int i = threadIdx.x; i < n; i += blockDim.x) y[i] = x[i];
}
"""


@pytest.fixture
def fake(monkeypatch):
    return put_in_place(monkeypatch)


@pytest.fixture
def cupy(fake):
    return fake.cupy


@pytest.fixture
def module(cupy):
    return cupy.RawModule(code=CODE)


@pytest.fixture
def add(module):
    """Return a function that queues the addition of a number to an array."""
    kernel = module.get_function("add")
    return lambda x, number: kernel(((x.size + 31) // 32,), (32,), (x, np.float32(number), np.int32(x.size)))


@pytest.fixture
def stream(cupy):
    return cupy.cuda.Stream(non_blocking=True)


def zeros(cupy, n=5):
    return cupy.zeros(n, "float32")


class TestArrays:
    def test_they_are_not_converted_implicitly(self, cupy):
        x = zeros(cupy)
        for convert in (np.asarray, np.array, lambda x: np.zeros(5) + x, lambda x: x + np.zeros(5), memoryview):
            with pytest.raises(TypeError):
                convert(x)
        for convert in (lambda: x.__setitem__(0, np.zeros(1)), lambda: cupy.add(x, np.zeros(5))):
            with pytest.raises(TypeError, match="Unsupported type"):
                convert()

    def test_scalars_are_arrays(self, cupy, fake):
        x = cupy.asarray([1.0, 2, 3])
        for number in (x.sum(), cupy.max(x), x[0], fake.xp.mean(x), x @ x, np.float64(2) * x[1], np.sum(x)):
            assert type(number) is cupy.ndarray
            assert number.shape == ()
        assert (float(x[1]), int(x[2]), bool(x[0]), x[1].item()) == (2, 3, True, 2)

    def test_namespace_and_device(self, cupy, fake):
        x = zeros(cupy)
        assert array_api_compat.array_namespace(x) is fake.xp
        assert fake.xp.__name__ == "array_api_compat.cupy"
        assert array_api_compat.device(x) == cupy.cuda.Device(0)
        assert not array_api_compat.is_numpy_array(x)

    def test_devices_are_equal_by_number_and_have_no_hash(self, cupy):
        assert cupy.cuda.Device(1) == cupy.cuda.Device(1) != cupy.cuda.Device(0)
        with pytest.raises(TypeError, match="unhashable"):
            hash(cupy.cuda.Device(0))

    def test_what_makes_a_context(self, monkeypatch):
        fake = put_in_place(monkeypatch, count=4)
        runtime, Device = fake.cupy.cuda.runtime, fake.cupy.cuda.Device
        assert (runtime.getDevice(), runtime.getDeviceCount(), str(Device(3))) == (0, 4, "<CUDA Device 3>")
        assert runtime.getDeviceProperties(3)["totalGlobalMem"] == 10
        assert fake.contexts == set()
        Device(1).use()
        Device(2).mem_info  # noqa: B018
        assert fake.contexts == {1, 2}
        with Device(3):
            pass
        assert fake.contexts == {1, 2, 3}

    def test_addresses_of_views(self, cupy):
        x = cupy.arange(24, dtype="float32").reshape(4, 6)
        assert x.data.ptr % 512 == 0
        assert x[1:, 2].data.ptr == x.data.ptr + 4 * 8
        assert x[1:, 2].strides == x.T[2].strides == (24,)
        assert x.T.data.ptr == x.reshape(6, 4).data.ptr == cupy.broadcast_to(x, (3, 4, 6)).data.ptr == x.data.ptr
        assert (x + 1).data.ptr != x.data.ptr
        assert cupy.may_share_memory(x, x[2:])
        assert not cupy.may_share_memory(x[:2], x[2:])
        assert (x.T.flags.f_contiguous, x.T.flags.c_contiguous, hasattr(x.flags, "writeable")) == (True, False, False)

    def test_in_place_operations(self, cupy):
        x = cupy.arange(6)
        y = x
        y[1:3] = 7
        y += 1
        cupy.multiply(x, 2, out=x)
        cupy.copyto(x[5:], cupy.asarray([9]))
        mask = x > 7
        cupy.copyto(mask, cupy.asarray(True))
        assert mask.all()
        x[cupy.asarray([True] + [False] * 5)] = -1
        assert y is x
        np.testing.assert_array_equal(cupy.asnumpy(x), [-1, 16, 16, 8, 10, 9])

    def test_empty_is_nan(self, cupy):
        assert np.isnan(cupy.asnumpy(cupy.empty((2, 3)))).all()

    def test_out_of_memory(self, monkeypatch):
        cupy = put_in_place(monkeypatch, limit=1000).cupy
        x = cupy.empty(100)
        with pytest.raises(OutOfMemoryError):
            cupy.empty(100)
        assert cupy.get_default_memory_pool().used_bytes() == 800
        del x
        assert cupy.empty(100).size == 100


@pytest.mark.parametrize("name", STEPS)
def test_steps_equal_numpys(fake, name):
    rng = np.random.default_rng(0)
    carry, shared = [rng.standard_normal(shape) for shape in ((4, 6), (4, 6), (6,))], rng.standard_normal((4, 6))
    host = (carry, (shared, np.asarray([2, 0, 3, 1])), (rng.standard_normal((3, 4, 6)),))

    def step(carry, shared, row):
        return STEPS[name](array_api_compat.array_namespace(*carry), *carry, *shared, *row)

    def results(chosen):
        return [chosen.to_host(x) for x in plain(chosen).loop(step)(*tree_map(chosen.asarray, host), int)]

    for one, other in zip(results(backend("cupy")), results(backend("numpy")), strict=True):
        np.testing.assert_array_equal(one, other)


class TestStreams:
    def test_a_kernel_runs_when_something_waits(self, cupy, add, stream):
        x = zeros(cupy)
        with stream:
            add(x, 3)
        assert not x.values.any()
        assert not cupy.asnumpy(x).any()  # the current stream is another one
        assert not stream.done
        stream.synchronize()
        assert stream.done
        np.testing.assert_array_equal(cupy.asnumpy(x), [3] * 5)

    def test_the_current_stream_is_in_order(self, cupy, add):
        x = zeros(cupy)
        add(x, 3)
        np.testing.assert_array_equal(cupy.asnumpy(2 * x), [6] * 5)

    def test_a_stream_waits_for_what_another_recorded(self, cupy, add, stream):
        x, y = zeros(cupy), zeros(cupy)
        add(x, 1)
        event = cupy.cuda.get_current_stream().record()
        add(y, 1)
        stream.wait_event(event)
        with stream:
            add(x, 1)
        stream.synchronize()
        assert (x.values == 2).all()
        assert not y.values.any()
        assert event.done

    def test_queued_work_keeps_arrays_alive(self, cupy, add):
        x = zeros(cupy)
        add(x[1:4], 1)
        del x
        cupy.cuda.Device().synchronize()

    def test_only_page_locked_memory_is_copied_later(self, cupy, fake):
        for empty, expected in ((fake.cupyx.empty_pinned, 9), (np.empty, 4)):
            host, x = empty((3,), np.float64), cupy.empty(3)
            host[...] = 4
            x.set(host, stream=cupy.cuda.get_current_stream())
            host[...] = 9
            assert cupy.asnumpy(x)[0] == expected

    def test_arrays_are_set_by_arrays_of_the_same_kind(self, cupy):
        x = cupy.empty((2, 3))
        for host, error in ((np.zeros((2, 3), ">f8"), TypeError), (np.zeros(3), ValueError), ([0.0] * 3, TypeError)):
            with pytest.raises(error):
                x.set(host)
        with pytest.raises(RuntimeError, match="Cannot set to non-contiguous array"):
            x[:, :2].set(np.zeros((2, 2)))

    def test_page_locked_memory_is_taken_in_powers_of_two(self, cupy, fake):
        page_locked = fake.cupyx.empty_pinned((1025,), np.uint8)
        for host in (np.zeros(3), np.zeros(64), np.zeros(65), page_locked, np.zeros(()), np.zeros((0, 3))):
            cupy.array(host)
        cupy.empty(100).set(np.zeros(100))
        assert fake.gpu.pinned_bytes == [2048, 512, 512, 1024]

    def test_asynchronous_copies_to_the_host(self, cupy, add, fake):
        x, host = zeros(cupy), fake.cupyx.empty_pinned(5, np.float32)
        add(x, 3)
        cupy.asnumpy(x, out=host, blocking=False)
        assert not host.any()
        cupy.cuda.get_current_stream().synchronize()
        assert (host == 3).all()

    def test_a_reshape_that_copies_waits(self, cupy, add):
        x = cupy.zeros((2, 3), "float32")
        add(x, 3)
        assert (x.T.reshape(6).values == 3).all()


class TestKernels:
    def test_numpy_arrays_are_refused(self, cupy, module):
        with pytest.raises(TypeError, match="Unsupported type"):
            module.get_function("add")((1,), (1,), (np.zeros(1, np.float32), np.float32(1), np.int32(1)))

    @pytest.mark.parametrize("n", [6, 512])
    def test_writing_beyond_an_array_is_reported(self, cupy, module, n):
        x = zeros(cupy)
        module.get_function("copy")((1,), (32,), (zeros(cupy, n), x, np.int32(min(n, 21))))
        with pytest.raises(MemoryFaultError, match="copy: something was written beyond an array of 20 bytes"):
            cupy.asnumpy(x)

    def test_compile_errors(self, cupy):
        with pytest.raises(cupy.cuda.compiler.CompileException, match="nonsense"):
            cupy.RawModule(code="nonsense").get_function("f")


class TestGraphs:
    def capture(self, stream, function, *args):
        with stream:
            stream.begin_capture()
            function(*args)
            return stream.end_capture()

    def test_they_run_on_the_memory_of_the_capture(self, cupy, add, stream):
        x = zeros(cupy)
        graph = self.capture(stream, add, x, 2)
        stream.synchronize()
        assert not x.values.any()
        for _ in range(3):
            graph.launch(stream)
        graph.launch()  # on the current stream
        x += 1
        assert (x.values == 3).all()
        stream.synchronize()
        assert (x.values == 9).all()

    @pytest.mark.parametrize(
        "forbidden",
        {
            "indexing by an array": lambda cupy, x: x[x > 0],
            "assignment to an array of indices": lambda cupy, x: x.__setitem__(x > 0, 1),
            "copy": lambda cupy, x: cupy.copyto(x, x),
            "to the host": lambda cupy, x: cupy.asnumpy(x),
            "from the host": lambda cupy, x: cupy.array([1, 2]),
            "set": lambda cupy, x: x.set(np.zeros(5, np.float32)),
            "reading": lambda cupy, x: float(x[0]),
            "waiting": lambda cupy, x: cupy.cuda.get_current_stream().synchronize(),
            "waiting for the device": lambda cupy, x: cupy.cuda.Device().synchronize(),
            "done": lambda cupy, x: cupy.cuda.get_current_stream().done,
            "capture": lambda cupy, x: cupy.cuda.get_current_stream().begin_capture(),
        }.items(),
        ids=lambda item: item[0],
    )
    def test_what_cannot_be_captured(self, cupy, add, stream, forbidden):
        x = zeros(cupy)
        with stream:
            stream.begin_capture()
            add(x, 1)
            with pytest.raises(CUDARuntimeError, match="operation not permitted when stream is capturing") as caught:
                forbidden[1](cupy, x)
            assert caught.value.status == 900
            with pytest.raises(CUDARuntimeError) as caught:
                stream.end_capture()
            assert caught.value.status == 901
        add(x, 1)
        assert (cupy.asnumpy(x) == 1).all()

    def test_products_cannot_be_captured(self, cupy, stream):
        x = cupy.ones((3, 3))
        with stream:
            stream.begin_capture()
            for product in (lambda: x @ x, lambda: cupy.dot(x, x), lambda: cupy.matmul(x, x)):
                with pytest.raises(NotImplementedError, match="cuBLAS API during stream capture"):
                    product()

    def test_a_long_concatenation_cannot_be_captured(self, cupy, stream):
        """CuPy copies the addresses of more than eight arrays from the host."""
        x = zeros(cupy)
        self.capture(stream, cupy.concatenate, [x] * 8)
        with stream:
            stream.begin_capture()
            with pytest.raises(RuntimeError, match="H2D transfers are disallowed"):
                cupy.concatenate([x] * 9)

    def test_calls_of_cupy_are_computed_anew_in_each_run(self, cupy, stream):
        x, pool = zeros(cupy), cupy.cuda.MemoryPool()

        def step():
            x[1:] = cupy.sum(x * 2 + 1) + x[:4]
            cupy.add(x, 3, out=x)

        with cupy.cuda.using_allocator(pool.malloc):
            graph = self.capture(stream, step)
        assert not x.values.any()
        expected = np.zeros(5)
        for _ in range(3):
            graph.launch()
            expected[1:] = np.sum(expected * 2 + 1) + expected[:4]
            expected += 3
        assert (cupy.asnumpy(x) == expected).all()

    def test_results_within_a_graph_need_a_pool_of_their_own(self, cupy, stream):
        x = zeros(cupy)
        graph = self.capture(stream, lambda: x.__setitem__(slice(None), x * 2 + 1))
        gc.collect()
        with pytest.raises(MemoryFaultError, match="freed memory is used"):
            graph.launch()

    def test_views_and_attributes_can(self, cupy, stream):
        x = zeros(cupy)
        graph = self.capture(stream, lambda: (x[1:].T.reshape(2, 2), cupy.broadcast_to(x, (2, 5)), len(x), x.data.ptr))
        graph.launch()

    def test_the_default_stream_cannot(self, cupy):
        with pytest.raises(RuntimeError, match="cannot capture on the default"):
            cupy.cuda.get_current_stream().begin_capture()

    def test_waiting_for_work_outside_is_rejected(self, cupy, stream):
        event = cupy.cuda.get_current_stream().record()
        stream.begin_capture()
        with pytest.raises(CUDARuntimeError) as caught:
            stream.wait_event(event)
        assert caught.value.status == 905

    def test_freed_memory_is_reported(self, cupy, add, stream):
        x = zeros(cupy)
        graph = self.capture(stream, add, x[1:], 1)
        graph.launch(stream)
        stream.synchronize()
        del x
        gc.collect()
        others = [zeros(cupy) for _ in range(20)]  # which may have its address
        with pytest.raises(MemoryFaultError, match="a graph's add: freed memory is used"):
            graph.launch(stream)
        assert not any(other.values.any() for other in others)

    def test_copies_of_memory(self, cupy, stream):
        x, y = cupy.arange(5.0), cupy.zeros(5)
        runtime = cupy.cuda.runtime

        def copy():
            runtime.memcpyAsync(y.data.ptr, x.data.ptr, 40, runtime.memcpyDeviceToDevice, stream.ptr)
            runtime.memsetAsync(y.data.ptr, 0, 16, stream.ptr)

        graph = self.capture(stream, copy)
        assert not y.values.any()
        graph.launch()
        np.testing.assert_array_equal(cupy.asnumpy(y), [0, 0, 2, 3, 4])
