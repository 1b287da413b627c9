"""Native steps: what the plain loop gives, the same bits in every process and thread, and errors as they were."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from array_api_compat import array_namespace
from drawn_steps import Drawn, steps
from hypothesis import given
from hypothesis import strategies as st
from loops import PLAIN, RECORDED
from test_drawn_steps import assert_same, examples

from anynet.compiler import CompileError, CompileWarning, execution
from anynet.compiler.numpy import NumpyTarget

pytest.importorskip("llvmlite")
import llvmlite.binding as llvm

from anynet.compiler.numpy.native import cache, module, native_program

ROOT = Path(__file__).parents[4]


@given(drawn=steps(), first=st.sampled_from([0, 0, 1, 2, 4]))
@examples(60)
def test_drawn_steps(drawn: Drawn, first: int) -> None:
    with patch.object(NumpyTarget, "waits", lambda self, graph: first):
        assert_same(drawn, RECORDED, PLAIN)


@pytest.mark.thorough
@given(drawn=steps(), first=st.sampled_from([0, 0, 1, 2, 4]))
@examples(500)
def test_more_drawn_steps(drawn: Drawn, first: int) -> None:
    with patch.object(NumpyTarget, "waits", lambda self, graph: first):
        assert_same(drawn, RECORDED, PLAIN)


def step(carry, shared, row):
    """A table's rows, a product, a choice, a sum."""
    xp = array_namespace(carry)
    x = xp.astype(xp.take(shared, row, axis=0), carry.dtype) / 16
    y = x @ carry
    return carry * 0.75 + x.mT @ xp.where(y > 0, y, -0.5 * y) / 64 + xp.sum(y, axis=0) / 512


def arguments(dtype="float32", steps=40):
    rng = np.random.default_rng(5)
    return (
        rng.standard_normal((12, 12)).astype(dtype),
        rng.integers(0, 16, (20, 12), "u1"),
        rng.integers(0, 20, (steps, 7)),
    )


def run(dtype="float32", **settings):
    return RECORDED.loop(step, **settings)(*arguments(dtype), int)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_is_the_plain_loop(dtype):
    found, expected = run(dtype), PLAIN.loop(step)(*arguments(dtype), int)
    np.testing.assert_allclose(found, expected, rtol=100 * np.finfo(dtype).eps, atol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize("seconds", [0.0, 1e-5, 10.0])
def test_chunks_change_nothing(monkeypatch, seconds):
    """However long native calls may take, `tick` hears of all steps."""
    expected = run()
    monkeypatch.setattr(native_program, "CHUNK", seconds)
    ticks = []
    np.testing.assert_array_equal(RECORDED.loop(step)(*arguments(), ticks.append), expected)
    assert sum(ticks) == 40
    assert seconds > 0 or max(ticks) == 1


def test_threads_give_the_same_bits():
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: run(), range(12)))
    for one in found:
        np.testing.assert_array_equal(one, found[0])


PROCESS = """
import sys
sys.path[:0] = {paths}
from anynet.compiler.numpy import NumpyTarget
NumpyTarget.waits = lambda self, graph: 0
from test_native_steps import run
sys.stdout.write(run().tobytes().hex())
"""


def processes(n: int) -> list[str]:
    """Results of processes that begin together."""
    paths = [str(ROOT), *(str(ROOT / "tests" / name) for name in ("", "compiler", "compiler/numpy/native"))]
    started = [
        subprocess.Popen([sys.executable, "-c", PROCESS.format(paths=paths)], stdout=subprocess.PIPE, text=True)
        for _ in range(n)
    ]
    return [process.communicate()[0] for process in started]


@pytest.mark.slow
def test_processes_give_the_same_bits(monkeypatch, tmp_path):
    monkeypatch.setenv("ANYNET_CACHE", str(tmp_path))
    expected = run().tobytes().hex()
    assert [*processes(2), *processes(1)] == [expected] * 3
    assert len(list((tmp_path / "native").iterdir())) == 1  # the addresses of arrays are not in it


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """The file of a module that was compiled."""
    monkeypatch.setenv("ANYNET_CACHE", str(tmp_path))
    run()
    (path,) = (tmp_path / "native").iterdir()
    return path


def test_a_module_is_compiled_once(kept, monkeypatch):
    monkeypatch.setattr(module, "_compile", None)
    run()


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b"", lambda b: b[:40] + b"\0" + b[41:], lambda b: b * 2]
)
def test_damaged_files_are_written_anew(kept, damage):
    expected, whole = run(), kept.read_bytes()
    kept.write_bytes(damage(whole))
    np.testing.assert_array_equal(run(), expected)
    assert cache.load(kept.name) == whole[32:]


def test_files_of_other_keys_are_ignored(kept):
    other = kept.with_name("0" * 64)
    kept.rename(other)
    assert cache.load(other.name) is None


def test_folders_that_cannot_be_written_are_not_used(monkeypatch, tmp_path):
    expected = run()
    (tmp_path / "file").touch()
    monkeypatch.setenv("ANYNET_CACHE", str(tmp_path / "file"))
    np.testing.assert_array_equal(run(), expected)


def test_the_oldest_files_are_removed(monkeypatch, tmp_path):
    monkeypatch.setenv("ANYNET_CACHE", str(tmp_path))
    monkeypatch.setattr(cache, "LARGEST", 3 * 132)
    for i in range(5):
        cache.keep(str(i), bytes(100))
        os.utime(tmp_path / "native" / str(i), (i, i))
    assert cache.load("1") is None
    assert cache.load("4") == bytes(100)
    assert len(list((tmp_path / "native").iterdir())) == 3


def test_an_index_out_of_bounds_is_an_error_where_it_is_reached():
    carry, shared, rows = arguments()
    rows[9, 2], ticks = 20, []
    with pytest.raises(IndexError, match="index 20 is out of bounds for axis 0 with size 20"):
        RECORDED.loop(step)(carry, shared, rows, ticks.append)
    assert sum(ticks) == 9


def test_negative_indices_count_from_the_end():
    carry, shared, rows = arguments()
    expected = RECORDED.loop(step)(carry, shared, rows, int)
    np.testing.assert_array_equal(RECORDED.loop(step)(carry, shared, rows - 20, int), expected)


def test_rows_may_be_laid_out_in_any_way():
    carry, shared, rows = arguments()
    np.testing.assert_array_equal(RECORDED.loop(step)(carry, shared, np.asfortranarray(rows), int), run())
    np.testing.assert_array_equal(RECORDED.loop(step)(carry, shared, np.repeat(rows, 2, axis=0)[::2], int), run())


def test_what_tick_raises_ends_the_loop():
    def stop(n: int) -> None:
        raise KeyboardInterrupt

    loop = RECORDED.loop(step)
    with pytest.raises(KeyboardInterrupt):
        loop(*arguments(), stop)
    np.testing.assert_array_equal(loop(*arguments(), int), run())


@pytest.mark.parametrize("shape", [(6, 0), (6, 0, 3)])
def test_rows_may_be_empty(shape):
    def add(carry, shared, row):
        xp = array_namespace(carry)
        return carry + xp.sum(row[0]) + xp.sum(row[1])

    rows = np.ones(shape), np.arange(6.0)
    np.testing.assert_array_equal(RECORDED.loop(add, compile="on")(np.zeros(3), None, rows, int), np.full(3, 15.0))


def test_infinities_and_nan_go_through():
    carry, shared, rows = arguments()
    carry[0, 0], carry[1, 1] = np.inf, np.nan
    expected = PLAIN.loop(step)(carry, shared, rows[:2], int)
    found = RECORDED.loop(step)(carry, shared, rows[:2], int)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))


def test_terms_are_not_cancelled():
    """Of (x + y) - x, y is left only if x is finite and not too large."""
    x, y = np.asarray([1.0, 1e20, np.inf]), np.asarray([[2.0, 2.0, 2.0]])
    found = RECORDED.loop(lambda carry, shared, row: (carry + row) - carry)(x, None, y, int)
    np.testing.assert_array_equal(found, [2.0, 0.0, np.nan])


def test_sums_may_carry_their_rounding_errors_along():
    def add(carry, shared, row):
        total, error = carry
        term = row - error
        new = total + term
        return new, (new - total) - term

    terms = np.full((1000, 3), 0.1, np.float32)
    zeros = np.zeros((2, 3), np.float32)
    total, _ = RECORDED.loop(add)((zeros[0], zeros[1]), None, terms, int)
    np.testing.assert_array_equal(total, np.float32(np.sum(terms[:, 0], dtype=np.float64)))


@pytest.mark.parametrize("first", [0, 25])
def test_what_cannot_be_compiled_runs_otherwise(monkeypatch, first):
    def fail(text):
        raise OSError("no LLVM")

    monkeypatch.setattr(module, "_compile", fail)
    monkeypatch.setattr(NumpyTarget, "waits", lambda self, graph: first if self.slower else 1 << 30)
    monkeypatch.setenv("ANYNET_CACHE", "/nowhere")
    loop = RECORDED.loop(step)
    with pytest.warns(CompileWarning, match="steps run as recorded steps without native code, more slowly: no LLVM"):
        found = loop(*arguments(), int)
    np.testing.assert_allclose(found, PLAIN.loop(step)(*arguments(), int), rtol=1e-4, atol=1e-4)
    assert execution(loop) == "recorded steps without native code"
    with pytest.raises(CompileError, match="no LLVM"):
        RECORDED.loop(step, compile="on")(*arguments(), int)


DAMAGED = """
import sys
sys.path[:0] = {paths}
import numpy as np
from anynet.compiler import execution
from anynet.compiler.numpy import NumpyTarget
from loops import RECORDED
import warnings
NumpyTarget.patience = 0
loop = RECORDED.loop(lambda carry, shared, row: carry * 0.5 + row)
with warnings.catch_warnings(record=True) as found:
    warnings.simplefilter("always")
    assert loop(np.zeros(1), None, np.ones((3, 1)), int) == 1.75
print(execution(loop), *(each.message for each in found))
"""


def test_a_damaged_llvmlite_is_named(tmp_path):
    (tmp_path / "llvmlite.py").write_text("raise OSError('no library')")
    paths = [str(tmp_path), str(ROOT), *(str(ROOT / "tests" / name) for name in ("", "compiler"))]
    done = subprocess.run(
        [sys.executable, "-c", DAMAGED.format(paths=paths)], capture_output=True, text=True, check=False
    )
    name = "recorded steps without native code"
    assert done.stdout == f"{name} steps run as {name}, more slowly: no library\n", done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*fork:RuntimeWarning")  # JAX's, if it is loaded
def test_a_process_may_be_forked_while_another_thread_compiles(monkeypatch, tmp_path):
    """The child begins with a copy of LLVM's lock, which the thread would have released."""
    monkeypatch.setenv("ANYNET_CACHE", str(tmp_path))
    compiling, compile_ = threading.Event(), module._compile

    def note_and_compile(text):
        compiling.set()
        return compile_(text)

    def linger() -> None:
        if threading.current_thread() is thread and compiling.is_set():
            time.sleep(0.02)

    monkeypatch.setattr(module, "_compile", note_and_compile)
    thread = threading.Thread(target=run)
    llvm.ffi.register_lock_callback(linger, int)
    try:
        thread.start()
        assert compiling.wait(20)
        if not (child := os.fork()):
            signal.alarm(20)
            run("float64")
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        llvm.ffi.unregister_lock_callback(linger, int)
        thread.join()


def test_the_step_at_which_native_code_takes_over_depends_on_counts(monkeypatch):
    """Parts of a loop, told how many steps were run before, give what the whole loop gives."""
    monkeypatch.setattr(NumpyTarget, "waits", lambda self, graph: 17)
    carry, shared, rows = arguments()
    expected = RECORDED.loop(step)(carry, shared, rows, int)
    for cut in (5, 17, 30):
        ahead = RECORDED.loop(step)(carry, shared, rows[:cut], int, before=0)
        found = RECORDED.loop(step)(ahead, shared, rows[cut:], int, before=cut)
        np.testing.assert_array_equal(found, expected)
    with monkeypatch.context() as never:
        never.setattr(NumpyTarget, "waits", lambda self, graph: 1 << 30)
        assert not np.array_equal(run(), expected)


def change_rows(carry, shared, row):
    """Change an array in its place, by numbers of its rows and of its columns."""
    xp = array_namespace(carry)
    x = xp.maximum(carry * row[:, None] - shared[None, :], -1.0)
    return xp.where(x > 2, x - carry, x + shared)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 30, 50, 100])
def test_elements_of_short_rows_are_changed_once(n):
    rng = np.random.default_rng(n)
    arrays = [rng.random(shape) for shape in ((7, n), (n,), (9, 7))]
    found, expected = (loops.loop(change_rows)(*arrays, int) for loops in (RECORDED, PLAIN))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
