"""Captured loops and other work of the emulated GPU."""

import sys
from threading import Thread
from time import sleep

import numpy as np
import pytest


def test_a_loop_runs_after_a_failed_capture(emulated_cupy, monkeypatch):
    """The error is passed on."""
    from anynet.compiler.cuda import launch

    loop = emulated_cupy.loop(lambda carry, shared, row: (carry[0] + shared[0] * row[0],))
    x, rows = (emulated_cupy.asarray(np.ones(shape, np.float32)) for shape in ((50, 50), (3, 50, 50)))

    def failing(kernel, *args):
        if sys.modules["cupy"].cuda.get_current_stream().is_capturing():
            raise MemoryError("none left")
        return plain(kernel, *args)

    plain = launch.Launch.__call__
    with monkeypatch.context() as patched:
        patched.setattr(launch.Launch, "__call__", failing)
        with pytest.raises(MemoryError, match="none left"):
            loop((x,), (x,), (rows,), int)
    (found,) = loop((x,), (x,), (rows,), int)
    np.testing.assert_array_equal(emulated_cupy.to_host(found), np.full((50, 50), 4))


def test_a_loop_waits_for_earlier_work_of_the_current_stream(emulated_cupy, monkeypatch):
    """Such as a kernel launched just before the first step."""
    from anynet.compiler.cuda import capture, launch, lowering, target

    ones, twos = (emulated_cupy.asarray(np.full((3, 5), value)) for value in (1.0, 2.0))

    class Late(capture.KernelProgram):
        def _take_all(self, columns):
            super()._take_all(columns)
            launch.SingleKernel(lowering.copy(self._rows[0], twos))()

        def steps(self, columns, tick):
            super().steps(columns, tick)
            self._capture.stream.synchronize()  # ahead of the current stream, as a GPU may be

    monkeypatch.setattr(target, "KernelProgram", Late)
    loop = emulated_cupy.loop(lambda carry, shared, row: (carry[0] + row[0],))
    (found,) = loop((emulated_cupy.asarray(np.zeros(5)),), (), (ones,), int)
    np.testing.assert_array_equal(emulated_cupy.to_host(found), np.full(5, 6.0))


def test_waiting_for_the_device_does_not_break_the_capture_of_another_thread(emulated_cupy):
    from anynet.compiler.cuda.capture import Capture

    waiting = Thread(target=emulated_cupy.wait, args=(None,))

    def run():
        waiting.start()
        sleep(0.05)

    assert Capture().graph(run) is not None
    waiting.join()


def test_products_have_their_own_workspace_on_every_stream(emulated_cupy):
    """Setting the stream resets it; without one, cuBLAS would allocate while a graph is captured."""
    calls = sys.modules["anynet.compiler.cuda.cublas"].CDLL.__self__.calls
    x = emulated_cupy.asarray(np.ones((50, 50)))
    loop = emulated_cupy.loop(lambda carry, shared, row: (carry[0] @ shared[0] * row[0],))
    loop((x,), (x,), (emulated_cupy.asarray(np.ones(3)),), int)
    product = ["cublasSetStream_v2", "cublasSetWorkspace_v2", "cublasGemmEx"]
    assert calls == ["cublasCreate_v2", *product * (len(calls) // 3)]
