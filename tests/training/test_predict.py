"""Arrays given to a trained net: of the dtype, scale and shape that it was trained on, or refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from few_features import assert_like, fitted, given

import anynet as an
from anynet.core.tensor_file import DIGEST, TensorFile, write_tensors
from anynet.data import Dataset, Split, split
from anynet.data.synthetic import draw
from anynet.training import predictor


@pytest.fixture(scope="module")
def data() -> Dataset:
    return split("drawn", draw(0, per_batch=20), train=80, val=20)


@pytest.fixture(scope="module")
def known():
    """Nets that were trained, by the name of their backend."""
    return {}


@pytest.fixture
def runs(data, backend_here, known):
    if backend_here.name in known:
        return known[backend_here.name]
    net = an.Sequential(an.Linear(3072, 8), an.BatchNorm(8), an.ReLU(), an.Linear(8, 10))
    how = "auto" if backend_here.name == "jax" else "off"  # whichever takes less time
    settings = {"epochs": 1, "batch_size": 40, "compile": how, "normalize": "center:channel"}
    trained = an.fit(net, data, an.SGD(0.01), backend=backend_here, seeds=[0, 1], **settings)
    if backend_here.name != "cupy":  # whose emulator is of one test
        known[backend_here.name] = trained
    return trained


REFUSED = [
    (lambda x: x.astype("float32") / 255, TypeError, "got float32; normalization is the net's own, so undo it: .*255"),
    (lambda x: x.astype("float64"), TypeError, "got float64; normalization is the net's own"),
    (lambda x: x.astype("int64"), TypeError, r"got int64; numpy\.asarray\(x, numpy\.uint8\) if the values are 0 to"),
    (lambda x: x.tolist(), TypeError, r"got int64; numpy\.asarray\(x, numpy\.uint8\)"),
    (lambda x: x > 128, TypeError, r"got bool"),
    (lambda x: None, TypeError, r"got None; python -m anynet predict NET FILES classifies files of pictures"),
    (lambda x: "a.png", TypeError, r"got 'a\.png'; python -m anynet predict NET FILES classifies files of pictures"),
    (lambda x: Path("a.png"), TypeError, r"got .*Path; python -m anynet predict"),
    (lambda x: x[0], ValueError, r"got shape \(3072,\); x\[None\] is a batch of one sample"),
    (lambda x: x.reshape(-1, 3, 32, 32)[0], ValueError, r"got shape \(3, 32, 32\); x\[None\] is a batch of one"),
    (
        lambda x: x.reshape(-1, 32, 32, 3),
        ValueError,
        r"got shape \(20, 32, 32, 3\), with channels last; x\.transp",
    ),
    (lambda x: x[:, :784], ValueError, r"got shape \(20, 784\)"),
    (lambda x: x[0, 0], ValueError, r"got shape \(\)"),
]


def test_other_images_are_refused_in_one_line(runs, data):
    expected = r"x: expected an array of uint8, shape \(N, 3072\) or \(N, 3, 32, 32\), values 0 to 255, "
    for change, kind, message in REFUSED:
        for each in (runs[0], runs.ensemble):
            for predict in (each.predict, each.predict_proba):
                with pytest.raises(kind, match=f"^{expected}{message}") as error:
                    predict(change(data.val.x))
                assert "\n" not in str(error.value)


def test_the_images_of_the_data_set_are_taken_and_none_too(runs, data):
    for each in (runs[0], runs.ensemble):
        chances = each.predict_proba(data.val.x)
        np.testing.assert_allclose(chances.sum(axis=1), np.ones(20), rtol=1e-5)
        np.testing.assert_allclose(each.predict_proba(data.val.x[:1]), chances[:1], rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(each.predict_proba(data.val.x.reshape(-1, 3, 32, 32)), chances)
        none = each.predict_proba(data.val.x[:0])
        assert none.shape == (0, 10)
        assert none.dtype == chances.dtype
        names = each.predict(data.val.x)
        assert names.tolist() == [data.classes[k] for k in chances.argmax(axis=1)]
        assert each.predict(data.val.x[:0]).shape == (0,)


@pytest.mark.parametrize("source", ["numpy", "torch", "jax", "strict"])
def test_images_of_any_library_are_answered_in_it(runs, data, source):
    images = data.val.x[:5]
    expected = runs[0].predict_proba(images)
    for x in (given(images, source), given(images.reshape(-1, 3, 32, 32), source)):
        assert_like(runs[0].predict_proba(x), x, expected)
        assert runs[0].predict(x).tolist() == [data.classes[k] for k in expected.argmax(axis=1)]


def test_a_net_of_floating_point_images_refuses_those_of_uint8(rng):
    x = rng.random((12, 1, 4, 4))
    run = an.fit(an.Sequential(an.Linear(16, 2)), (x, np.arange(12) % 2), an.SGD(0.1), epochs=1, backend="numpy")
    with pytest.raises(TypeError, match=r"trained on floats, got uint8; x / 255 if they were 0 to 1"):
        run.score((255 * x).astype(np.uint8), np.arange(12) % 2)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int64", "float16", "float32", "float64", ">f4"])
def test_nets_of_numbers_take_every_real_dtype(backend_here, dtype):
    run, x = fitted(np.arange(30) % 3, backend_here)
    x = (x * 3).round().clip(0, 1 if dtype == "bool" else 9)
    np.testing.assert_array_equal(run.predict_proba(x.astype(dtype)), run.predict_proba(x))


def test_short_floats_are_taken(backend_here):
    torch = pytest.importorskip("torch")
    run, x = fitted(np.arange(30) % 3, backend_here)
    short = torch.tensor(x).bfloat16().requires_grad_()
    assert_like(run.predict_proba(short), short.detach(), run.predict_proba(short.detach().float().numpy()))


WRONG = [
    (lambda x: np.where(x == x[2, 1], np.nan, x), ValueError, "x: expected finite numbers, got nan at index 2, 1"),
    (lambda x: np.where(x == x[29, 2], -np.inf, x), ValueError, "x: expected finite numbers, got -inf at index 29, 2"),
    (lambda x: x + 1e300, ValueError, "x: expected numbers that float32 has, got larger ones"),
    (lambda x: x + 1j, TypeError, "x: expected integers or floating-point numbers, got complex128"),
    (lambda x: x.astype(str), TypeError, "x: expected numbers, got "),
    (lambda x: [["a"] * 3], TypeError, "x: expected numbers, got .*'a'.* at index 0, 0"),
    (lambda x: {"x": x}, TypeError, "x: expected an array, a list or a table, got a dict$"),
    (lambda x: [[1.0], [1.0, 2.0]], ValueError, "x: expected rows of equal lengths"),
    (lambda x: x[:, :2], ValueError, r"x: expected an array of real numbers, shape \(N, 3\), got shape \(30, 2\)"),
    (lambda x: np.ma.masked_greater(x, 0), TypeError, "x: expected .*MaskedArray"),
]


def test_samples_that_are_no_finite_numbers_are_refused_in_one_line(backend_here):
    run, x = fitted(np.arange(30) % 3, backend_here)
    for change, kind, message in WRONG:
        with pytest.raises(kind, match=f"^{message}") as error:
            run.predict(change(x))
        assert "\n" not in str(error.value)


def test_the_first_infinity_is_found_in_any_part(monkeypatch):
    monkeypatch.setattr(predictor, "BLOCK", 12)
    run, x = fitted(np.arange(30) % 3)
    x[17, 1] = np.nan
    with pytest.raises(ValueError, match="got nan at index 17, 1"):
        run.predict(x)


TENSORS = [
    (lambda x: x + 1j, r"x: expected an array of real numbers, shape \(N, 3\), got complex128$"),
    (lambda x: x.to_sparse(), r"x: expected a dense tensor, got a torch\.sparse_coo one"),
    (lambda x: x.to("meta"), 'x: expected an array with values, got a tensor on the device "meta"$'),
]


def test_tensors_without_real_numbers_are_refused():
    run, x = fitted(np.arange(30) % 3)
    for change, message in TENSORS:
        with pytest.raises(TypeError, match=f"^{message}"):
            run.predict(change(given(x, "torch")))


def test_samples_that_jax_traces_are_refused():
    jax = pytest.importorskip("jax")
    run, x = fitted(np.arange(30) % 3)
    with pytest.raises(TypeError, match=r"^x: expected an array with values, got one that JAX traces"):
        jax.jit(run.predict)(x)


def test_gray_images_need_no_axis_of_channels():
    rng = np.random.default_rng(0)
    images = Split(rng.integers(0, 256, (20, 9, 5), np.uint8), np.arange(20) % 2)
    net = an.Sequential(an.Linear(45, 2))
    run = an.fit(net, Dataset("gray", ("dark", "light"), images), an.SGD(0.1), epochs=1, batch_size=5, progress=False)
    expected = run.predict_proba(images.x)
    for shape in ((-1, 9, 5), (-1, 1, 9, 5)):
        np.testing.assert_array_equal(run.predict_proba(images.x.reshape(shape)), expected)


def test_the_kind_of_samples_is_kept_with_the_net(tmp_path, data):
    run, x = fitted(np.arange(30) % 3 > 0)
    run.save(tmp_path / "net.safetensors")
    loaded = an.load(tmp_path / "net.safetensors")
    assert (loaded.input_dtype, loaded.classes) == ("float", (False, True))
    np.testing.assert_array_equal(loaded.predict(x), run.predict(x))
    assert loaded.predict(x).dtype == bool


def test_nets_in_earlier_files_take_uint8(tmp_path, data):
    run = an.fit(an.Sequential(an.Linear(3072, 10)), data, an.SGD(0.01), epochs=1, batch_size=40, progress=False)
    run.save(tmp_path / "net.safetensors")
    file = TensorFile(tmp_path / "net.safetensors", ("float32", "float64"), "")
    facts = json.loads(file.metadata["run"])
    assert facts.pop("input_dtype") == "uint8"
    metadata = {key: value for key, value in file.metadata.items() if key != DIGEST} | {"run": json.dumps(facts)}
    write_tensors(tmp_path / "old.safetensors", file.read(), metadata)
    assert an.load(tmp_path / "old.safetensors").input_dtype == "uint8"
