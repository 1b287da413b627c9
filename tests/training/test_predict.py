"""Arrays given to a trained net: of any library, and answered in it; of the dtype, scale and shape trained on."""

import json
from pathlib import Path

import array_api_compat
import numpy as np
import pytest
from fake_cupy import put_in_place

import anynet as an
from anynet.backends import backend, to_numpy
from anynet.core.tensor_file import DIGEST, TensorFile, write_tensors
from anynet.data import Dataset, Split, from_arrays, split
from anynet.data.normalization import Normalization
from anynet.data.synthetic import draw
from anynet.training import predictor

SOURCES = ("list", "table", "numpy", "torch", "jax", "strict")


class Table:
    """A table of numbers, as of pandas."""

    def __init__(self, host):
        self.host = host

    def __array__(self, dtype=None, copy=None):
        return np.array(self.host, dtype)


def given(host, source):
    """Return values in a library, or in what has no library."""
    if source == "list":
        return host.tolist()
    if source == "table":
        return Table(host)
    if source == "torch":
        return pytest.importorskip("torch").tensor(host)
    if source == "jax":
        return pytest.importorskip("jax").numpy.asarray(host)
    if source == "strict":
        return pytest.importorskip("array_api_strict").asarray(np.array(host))
    return np.array(host)


def assert_like(answer, x, expected):
    """Check values, library and device."""
    if not array_api_compat.is_array_api_obj(x) or array_api_compat.is_numpy_array(x) or "strict" in str(type(x)):
        assert type(answer) is np.ndarray
    else:
        assert type(answer) is type(x)
        assert array_api_compat.device(answer) == array_api_compat.device(x)
    assert to_numpy(answer).shape == expected.shape
    np.testing.assert_allclose(to_numpy(answer), expected, rtol=1e-4, atol=1e-6)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return split("drawn", draw(0, per_batch=20), train=80, val=20)


@pytest.fixture
def runs(data, backend_here):
    net = an.Sequential(an.Linear(3072, 8), an.BatchNorm(8), an.ReLU(), an.Linear(8, 10))
    how = "auto" if backend_here.name == "jax" else "off"  # whichever takes less time
    settings = {"epochs": 1, "batch_size": 40, "compile": how, "normalize": "center:channel"}
    return an.fit(net, data, an.SGD(0.01), backend=backend_here, seeds=[0, 1], **settings)


def fitted(y, where="numpy", **settings):
    """Return nets of three features, trained a little, and their data."""
    x = np.random.default_rng(0).normal(size=(len(y), 3))
    data = from_arrays(x, y)
    net = an.Sequential(an.Linear(3, data.n_out))
    how = "auto" if getattr(where, "name", where) == "jax" else "off"
    settings = {"epochs": 2, "batch_size": 5, "compile": how, "backend": where, "progress": False} | settings
    return an.fit(net, data, an.SGD(0.1), **settings), x


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
    (lambda x: x.reshape(-1, 32, 32, 3), ValueError, r"got shape \(20, 32, 32, 3\)$"),
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


@pytest.mark.parametrize("labels", [(3, 7, -1), (False, True), ("cat", "dog")])
def test_labels_come_back(backend_here, labels):
    run, x = fitted(np.array(labels)[np.arange(30) % len(labels)], backend_here)
    assert run.classes == tuple(sorted(labels))
    chances = run.predict_proba(x)
    expected = np.array(sorted(labels))[chances.argmax(axis=1)]
    x = x.astype("float32")  # JAX has no more without its option
    for source in SOURCES:
        features = given(x, source)
        assert_like(run.predict_proba(features), features, chances)
        found = run.predict(features)
        if isinstance(labels[0], str):
            assert type(found) is np.ndarray
            assert found.tolist() == expected.tolist()
        else:
            assert_like(found, features, expected)
            assert to_numpy(found).dtype.kind == expected.dtype.kind


@pytest.mark.parametrize("shape", [(30,), (30, 2)])
def test_numbers_are_the_outputs(backend_here, shape):
    run, x = fitted(np.random.default_rng(1).normal(size=shape), backend_here)
    params, *normalization = map(backend_here.to_host, (run.best.params, *run.normalization))
    net = run.net(params, {}, Normalization(*normalization)(x.astype("float32")))
    for source in SOURCES:
        features = given(x.astype("float32"), source)
        assert_like(run.predict(features), features, net)
    assert run.predict(x[:0]).shape == (0, *net.shape[1:])
    with pytest.raises(ValueError, match=r"^predict_proba: expected a net of classes, got one that predicts numbers"):
        run.predict_proba(x)


def test_an_ensemble_of_numbers_is_the_mean(backend_here):
    runs, x = fitted(np.random.default_rng(1).normal(size=30), backend_here, seeds=[0, 1, 2])
    expected = np.mean([run.predict(x) for run in runs], axis=0)
    np.testing.assert_allclose(runs.ensemble.predict(x), expected, rtol=1e-5)


def test_an_ensemble_names_the_class_of_the_highest_mean_probability():
    runs, x = fitted(np.arange(30) % 3, seeds=range(5))
    chances = np.mean([run.predict_proba(x) for run in runs], axis=0)
    np.testing.assert_allclose(runs.ensemble.predict_proba(x), chances, rtol=1e-5)
    np.testing.assert_array_equal(runs.ensemble.predict(x), chances.argmax(axis=1))


def test_many_samples_are_taken_in_parts(backend_here, monkeypatch):
    run, x = fitted(np.arange(30) % 3, backend_here)
    whole, sizes = run.predict_proba(x), []
    monkeypatch.setattr(predictor, "BLOCK", 12)
    plain = an.Sequential.forward

    def counted(net, params, state, x, **settings):
        sizes.append(x.shape[0])
        return plain(net, params, state, x, **settings)

    monkeypatch.setattr(an.Sequential, "forward", counted)
    np.testing.assert_allclose(run.predict_proba(x), whole, rtol=1e-6)
    assert sizes == [4] * 7 + [2]


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


def test_probabilities_of_64_bits_are_rounded_for_jax_alone(backend_here):
    """JAX has 32 bits unless it is told otherwise, and its functions round as well."""
    if backend_here.name == "jax":
        pytest.skip("has 64 bits where a net has them")
    run, x = fitted(np.arange(30) % 3, backend_here, dtype="float64")
    x = x.astype("float32")
    expected = run.predict_proba(x)
    assert expected.dtype == np.float64
    assert to_numpy(run.predict_proba(given(x, "torch"))).dtype == np.float64
    config = pytest.importorskip("jax").config
    before = config.jax_enable_x64
    try:
        for wide, dtype in ((False, "float32"), (True, "float64")):
            config.update("jax_enable_x64", wide)
            features = given(x, "jax")
            assert run.predict_proba(features).dtype == dtype
            assert_like(run.predict_proba(features), features, expected)
    finally:
        config.update("jax_enable_x64", before)


WRONG = [
    (lambda x: np.where(x == x[2, 1], np.nan, x), ValueError, "x: expected finite numbers, got nan at index 2, 1"),
    (lambda x: np.where(x == x[29, 2], -np.inf, x), ValueError, "x: expected finite numbers, got -inf at index 29, 2"),
    (lambda x: x + 1e300, ValueError, "x: expected numbers that float32 has, got larger ones"),
    (lambda x: x + 1j, TypeError, "x: expected integers or floating-point numbers, got complex128"),
    (lambda x: x.astype(str), TypeError, "x: expected numbers, got "),
    (lambda x: [["a"] * 3], TypeError, "x: expected numbers, got .*'a'.* at index 0, 0"),
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


def test_complex_tensors_are_refused():
    torch = pytest.importorskip("torch")
    run, x = fitted(np.arange(30) % 3)
    with pytest.raises(TypeError, match=r"^x: expected an array of real numbers, shape \(N, 3\), got complex64$"):
        run.predict(torch.tensor(x, dtype=torch.complex64))


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


@pytest.mark.parametrize("now", [0, 1])
def test_each_gpu_computes_on_its_own_arrays(monkeypatch, now):
    """The net stays on its GPU, the answer is on that of the samples, and the current one stays the current one."""
    fake = put_in_place(monkeypatch, count=2, limit=1 << 30)
    run, x = fitted(np.arange(30) % 3, backend("cupy:0"))
    expected = run.predict_proba(x)
    fake.current, seen = now, set()
    plain = an.Sequential.forward
    monkeypatch.setattr(an.Sequential, "forward", lambda *a, **kw: (seen.add(fake.current), plain(*a, **kw))[1])
    with fake.Device(1):
        features = fake.cupy.asarray(x)
    for answer, right in ((run.predict_proba(features), expected), (run.predict(features), expected.argmax(axis=1))):
        assert answer.device == fake.Device(1)
        np.testing.assert_allclose(answer.get(), right)
    assert (seen, fake.current) == ({0}, now)


@pytest.mark.parametrize(("one", "other"), [("numpy", "torch"), ("torch", "jax"), ("jax", "numpy"), ("torch", "numpy")])
def test_a_net_says_that_its_input_is_of_another_library(one, other):
    net = an.Sequential(an.Linear(3, 2))
    params, state = net.init(0, like=given(np.zeros(1, "float32"), one))
    with pytest.raises(TypeError, match=r"^params is an array of .*, x one of .*: bring both to one library") as error:
        net(params, state, given(np.zeros((4, 3), "float32"), other))
    assert "\n" not in str(error.value)
    assert type(net(params, state, given(np.zeros((4, 3), "float32"), one))) is type(params)


def test_a_net_says_that_its_input_is_on_another_device():
    xp = pytest.importorskip("array_api_strict")
    net = an.Sequential(an.Linear(3, 2))
    params, state = net.init(0, like=xp.zeros(1, dtype=xp.float32))
    with pytest.raises(ValueError, match=r"^params is on device .*, x on .*: bring both to one device") as error:
        net(params, state, xp.zeros((4, 3), dtype=xp.float32, device=xp.Device("device1")))
    assert "\n" not in str(error.value)
