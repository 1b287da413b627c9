"""Training when graphs, generated kernels or cuBLAS fail: it goes on, more slowly, and says so once.

Needs no GPU: the emulator fails on purpose, from the start or after the probe.
"""

import warnings
from contextlib import contextmanager

import numpy as np
import pytest
from array_api_compat import array_namespace
from fake_cupy import CUDARuntimeError, put_in_place

import anynet as an
from anynet.app.commands.backends import backends
from anynet.backends import backend
from anynet.compiler import CompileError, CompileWarning, execution


def fail_captures(fake, monkeypatch):
    def end_capture(stream):
        plain(stream)
        raise CUDARuntimeError(901)

    plain = fake.gpu.Stream.end_capture
    monkeypatch.setattr(fake.gpu.Stream, "end_capture", end_capture)


def fail_compilation(fake, monkeypatch):
    class RawModule:
        def __init__(self, code, options=()):
            raise fake.cupy.cuda.compiler.CompileException("expected a ';'", code, "", options)

    monkeypatch.setattr(fake.cupy, "RawModule", RawModule)


def lack_headers(fake, monkeypatch):
    def refuse(code, options=()):
        raise RuntimeError("Failed to find CUDA headers. Please install CUDA toolkit headers")

    monkeypatch.setattr(fake.cupy, "RawModule", refuse)


def fail_everything(fake, monkeypatch):
    fail_captures(fake, monkeypatch)
    fail_compilation(fake, monkeypatch)


def fail_launches(fake, monkeypatch):
    def launch(graph, stream=None):
        raise CUDARuntimeError(701)

    monkeypatch.setattr(fake.cupy.cuda.Graph, "launch", launch)


def fail_graphs_later(fake, monkeypatch):
    """The error of a launch may be seen only when something waits for it."""

    def run(graph):
        raise CUDARuntimeError(701)

    monkeypatch.setattr(fake.cupy.cuda.Graph, "_run", run)


def refuse_products(fake, monkeypatch):
    fake.cublas.refused["cublasGemmEx"] = 15


def multiply_wrong(fake, monkeypatch):
    from anynet.compiler.cuda import matmul

    monkeypatch.setattr(matmul.MatrixProduct, "__call__", lambda product: None)


FAULTS = {
    "captures": (
        fail_captures,
        "separate kernels",
        "a CUDA graph could not be captured",
    ),
    "launches": (fail_launches, "separate kernels", "cudaError701"),
    "graphs, later": (fail_graphs_later, "separate kernels", "cudaError701"),
    "compilation": (fail_compilation, "CUDA graph of CuPy calls", r"does not compile \(expected a ';'\)"),
    "headers": (lack_headers, "CUDA graph of CuPy calls", r"pip install 'cupy-cuda12x\[ctk\]'"),
    "compilation and captures": (fail_everything, "plain steps", "does not compile"),
    "products": (refuse_products, "plain steps", "cublasGemmEx returned CUBLAS_STATUS_NOT_SUPPORTED"),
}
NET = an.Sequential(an.Linear(3072, 20), an.BatchNorm(20), an.ReLU(), an.Linear(20, 10))  # cuBLAS multiplies


def few_images():
    rng = np.random.default_rng(0)
    split = an.data.Split(rng.integers(0, 256, (50, 3072), np.uint8), rng.integers(0, 10, 50))
    return an.data.Dataset("noise", tuple("0123456789"), split, split, split)


def train(chosen, compile="auto"):
    """Return the run; 5 full batches and steps after the first graph in each of two epochs."""
    settings = {"epochs": 2, "batch_size": 10, "backend": chosen, "dtype": "float64", "l2": 1e-3}
    return an.fit(NET, few_images(), an.SGD(0.1, momentum=0.5), progress=False, compile=compile, **settings)


@pytest.fixture
def install(monkeypatch):
    """Return a function that returns a context manager with an emulated machine on which something fails."""

    @contextmanager
    def installed(fault=None, after_probe=False, **machine):
        with pytest.MonkeyPatch.context() as patched:
            fake = put_in_place(patched, limit=1 << 30, **machine)
            chosen = backend("cupy")
            if fault is not None and after_probe:
                assert chosen.execution == "CUDA graph"
            if fault is not None:
                fault(fake, patched)
            yield chosen

    return installed


def caught(run):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("default")  # as users have it: the same warning once
        result = run()
    return result, found


@pytest.mark.parametrize("after_probe", [False, True], ids=["from the start", "after the probe"])
@pytest.mark.parametrize("name", FAULTS)
def test_training_goes_on_and_says_so_once(install, name, after_probe):
    fault, expected, cause = FAULTS[name]
    with install() as fine:
        best, found = caught(lambda: train(fine))
        assert (best.execution, found) == ("CUDA graph", [])
    with install(fault, after_probe) as failing:
        run, found = caught(lambda: train(failing))
    assert run.execution == expected
    (warning,) = found
    assert warning.category is CompileWarning
    assert f"steps run as {expected}, more slowly: " in str(warning.message)
    assert len(str(warning.message).splitlines()) == 1
    np.testing.assert_array_equal(
        [(e.train_accuracy, e.val_accuracy) for e in run.history],
        [(e.train_accuracy, e.val_accuracy) for e in best.history],
    )
    np.testing.assert_allclose([e.train_loss for e in run.history], [e.train_loss for e in best.history], rtol=1e-10)
    with pytest.warns(CompileWarning, match=cause):
        warnings.warn(warning.message)  # noqa: B028  # to match its text


@pytest.mark.parametrize("after_probe", [False, True], ids=["from the start", "after the probe"])
@pytest.mark.parametrize("name", FAULTS)
def test_on_is_an_error_that_names_the_cause(install, name, after_probe):
    fault, _, cause = FAULTS[name]
    with install(fault, after_probe) as failing:
        with pytest.raises(CompileError, match=cause) as found:
            train(failing, "on")
        assert "steps cannot run as CUDA graph: " in str(found.value)
        run, warned = caught(lambda: train(failing, "off"))
    assert (run.execution, warned) == ("plain steps", [])


def test_the_table_of_backends_says_why(install, capsys):
    with install(fail_captures):
        backends()
    said = capsys.readouterr().out
    assert "separate kernels" in said
    assert "cupy: steps run as separate kernels, more slowly: a CUDA graph could not be captured" in said


def test_the_table_of_backends_survives_an_error_of_the_probe(install, capsys):
    def fail(fake, monkeypatch):
        plain = fake.gpu.Stream.end_capture

        def end_capture(stream):
            plain(stream)
            raise CUDARuntimeError(2)

        monkeypatch.setattr(fake.gpu.Stream, "end_capture", end_capture)

    with install(fail):
        backends()
    said = capsys.readouterr().out
    assert "cupy: cudaErrorMemoryAllocation: out of memory (CUDARuntimeError)\n" in said
    assert "numpy" in said.split("torch")[0]
    assert "not available" in said


def test_wrong_numbers_are_noticed_before_training(install):
    with install(multiply_wrong) as failing:
        run, (warning,) = caught(lambda: train(failing))
    assert run.execution == "plain steps"
    assert "a product and a sum of known values came out wrong" in str(warning.message)


def test_rocm_runs_plain_steps(install):
    with install() as chosen:
        chosen.xp  # noqa: B018
        import cupy

        cupy.cuda.runtime.is_hip = True
        run, (warning,) = caught(lambda: train(chosen))
    assert run.execution == "plain steps"
    assert "ROCm" in str(warning.message)


@pytest.mark.parametrize("error", [MemoryError("none left"), RuntimeError("CUBLAS_STATUS_ALLOC_FAILED")])
def test_an_error_of_memory_is_raised(install, error):
    with install() as chosen:
        assert chosen.execution == "CUDA graph"
        from anynet.compiler.cuda import launch

        def fail(*args):
            raise error

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(launch.Launch, "__call__", fail)
            with pytest.raises((MemoryError, RuntimeError)):
                train(chosen)


@pytest.mark.parametrize("mode", ["always", "default"])
def test_records_of_several_shapes_give_one_warning(install, mode):
    """A record that was made before the others fell back keeps its own targets."""
    with install() as chosen:
        loop = chosen.loop(lambda carry, shared, row: (carry[0] + row[0],))

        def run(n, width):
            (found,) = loop((chosen.asarray(np.ones(width)),), (), (chosen.asarray(np.ones((n, width))),), int)
            np.testing.assert_array_equal(chosen.to_host(found), np.full(width, n + 1))

        for width in (3, 4, 5):
            run(2, width)
        with pytest.MonkeyPatch.context() as patched, warnings.catch_warnings(record=True) as found:
            warnings.simplefilter(mode)
            import cupy

            def launch(graph, stream=None):
                raise CUDARuntimeError(701)

            patched.setattr(cupy.cuda.Graph, "launch", launch)
            for width in (3, 4, 5):
                run(20, width)
        assert len(found) == 1
        assert found[0].filename == __file__
        assert execution(loop) == "separate kernels"


def test_each_training_warns_about_what_the_probe_found(install):
    """A filter around the first one hides nothing from the second."""
    with install(fail_captures) as chosen:
        for _ in range(2):
            _, (warning,) = caught(lambda: train(chosen))
            assert "separate kernels" in str(warning.message)
            assert warning.filename == __file__


def test_all_causes_are_named(install):
    with install(fail_everything) as chosen, pytest.warns(CompileWarning) as found:
        chosen.loop(lambda carry, shared, row: carry)
    (warning,) = found
    assert str(warning.message) == (
        "steps run as plain steps, more slowly: a generated kernel does not compile (expected a ';'); please report "
        "it, with the net; then a CUDA graph could not be captured (cudaErrorStreamCaptureInvalidated: operation "
        "failed due to a previous error during capture); a newer NVIDIA driver may help"
        '; compile="off" runs them so without this warning'
    )


def test_memory_that_cupy_holds_unused_is_released_once(install):
    """Pools of graphs cannot take it."""
    with install() as chosen, pytest.MonkeyPatch.context() as patched:
        import cupy

        from anynet.compiler.cuda import launch

        released = []
        plain = launch.Launch.__call__

        def call(kernel, *args):
            if not released:
                raise MemoryError("none left")
            return plain(kernel, *args)

        patched.setattr(type(cupy.get_default_memory_pool()), "free_all_blocks", lambda *pool: released.append(pool))
        loop = chosen.loop(lambda carry, shared, row: (carry[0] + row[0],))
        patched.setattr(launch.Launch, "__call__", call)
        carry, rows = (chosen.asarray(np.ones(shape)) for shape in ((4,), (20, 4)))
        (found,) = loop((carry,), (), (rows,), int)
        np.testing.assert_array_equal(chosen.to_host(found), np.full(4, 21))
        assert (len(released), execution(loop)) == (1, "CUDA graph")


def test_an_error_after_the_first_step_is_raised(install):
    """A step that is done cannot be repeated."""
    with install() as chosen:
        loop = chosen.loop(lambda carry, shared, row: (carry[0] + row[0],))
        carry, rows = ((chosen.asarray(np.ones(shape)),) for shape in ((4,), (40, 4)))

        launches, done = [], []

        def launch(graph, stream=None):
            launches.append(graph)
            if len(launches) == 3:
                raise CUDARuntimeError(719)
            plain(graph, stream)

        with pytest.MonkeyPatch.context() as patched:
            import cupy

            plain = cupy.cuda.Graph.launch
            patched.setattr(cupy.cuda.Graph, "launch", launch)
            with pytest.raises(CUDARuntimeError, match="719"):
                loop(carry, (), rows, done.append)
        assert done == [1 + 16 + 1]  # a first step, and each graph once
        assert execution(loop) == "CUDA graph"


def test_a_graph_of_cupy_calls_that_cannot_be_launched(install):
    def fail(fake, monkeypatch):
        fail_compilation(fake, monkeypatch)
        fail_launches(fake, monkeypatch)

    with install(fail, after_probe=True) as chosen:
        loop = chosen.loop(lambda carry, shared, row: (carry[0] + row[0],))
        carry, rows = (chosen.asarray(np.ones(shape)) for shape in ((4,), (3, 4)))
        with pytest.warns(CompileWarning, match="plain steps"):
            (found,) = loop((carry,), (), (rows,), int)
        np.testing.assert_array_equal(chosen.to_host(found), np.full(4, 4))


@pytest.mark.parametrize("fault", [None, fail_compilation], ids=["kernels", "CuPy's calls"])
@pytest.mark.parametrize("n", [1, 2, 3, 17, 40])
def test_all_steps_are_done_and_reported_once(install, fault, n):
    with install(fault) as chosen, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loop = chosen.loop(lambda carry, shared, row: (carry[0] / 2 + row[0],))
        carry, rows = np.ones(4), np.arange(4.0 * n).reshape(n, 4)
        (expected,) = backend("numpy").plain_loop(lambda carry, shared, row: (carry[0] / 2 + row[0],))(
            (carry,), (), (rows,), int
        )
        for _ in range(3):
            done = []
            (found,) = loop((chosen.asarray(carry),), (), (chosen.asarray(rows),), done.append)
            assert sum(done) == n
            np.testing.assert_array_equal(chosen.to_host(found), expected)


def test_an_interrupt_while_buffers_grow_leaves_no_graph_with_old_addresses(install):
    with install() as chosen:
        loop = chosen.loop(lambda carry, shared, row: (carry[0] + row[0],))

        def run(n):
            (found,) = loop((chosen.asarray(np.ones(4)),), (), (chosen.asarray(np.ones((n, 4))),), int)
            return chosen.to_host(found)[0]

        assert run(20) == 21

        def interrupt(program, name, value):
            object.__setattr__(program, name, value)
            if name == "_rows":
                raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patched:
            from anynet.compiler.cuda import capture

            patched.setattr(capture.KernelProgram, "__setattr__", interrupt)
            with pytest.raises(KeyboardInterrupt):
                run(40)
        assert run(40) == 41


@pytest.mark.parametrize("reads_row", [False, True])
def test_an_operation_that_cupy_computes_is_captured(install, reads_row):
    """Kernels copy the row of the step to where functions of CuPy read it."""

    def step(carry, shared, row):
        xp = array_namespace(carry[0])
        return (xp.cumulative_sum(row[0] if reads_row else carry[0]) * row[0] + carry[0] / 2,)

    with install() as chosen:
        loop = chosen.loop(step)
        carry, rows = np.full(4, 0.5), np.arange(160.0).reshape(40, 4) % 7 / 8
        (found,) = loop((chosen.asarray(carry),), (), (chosen.asarray(rows),), int)
        assert execution(loop) == "CUDA graph"
        (expected,) = backend("numpy").plain_loop(step)((carry,), (), (rows,), int)
        np.testing.assert_allclose(chosen.to_host(found), expected, rtol=1e-14)


def test_a_product_of_a_row_is_captured(install):
    with install() as chosen:
        loop = chosen.loop(lambda carry, shared, row: (carry[0] / 2 + row[0] @ shared[0],))
        carry, shared, rows = np.ones((8, 96)), np.eye(96) * 2, np.arange(20.0 * 8 * 96).reshape(20, 8, 96) % 5
        (found,) = loop(*((chosen.asarray(x),) for x in (carry, shared, rows)), int)
        assert execution(loop) == "CUDA graph"
        expected = carry
        for row in rows:
            expected = expected / 2 + row * 2
        np.testing.assert_array_equal(chosen.to_host(found), expected)


def test_rows_that_kernels_do_not_know_are_copied_by_cupy(install):
    with install() as chosen:
        loop = chosen.loop(lambda carry, shared, row: (carry[0] + row[0],))
        carry, rows = (chosen.asarray(np.full(shape, 1 + 2j)) for shape in ((4,), (20, 4)))
        with pytest.warns(CompileWarning, match="CUDA graph of CuPy calls.*dtype complex128; convert it"):
            (found,) = loop((carry,), (), (rows,), int)
        np.testing.assert_array_equal(chosen.to_host(found), np.full(4, 21 + 42j))
