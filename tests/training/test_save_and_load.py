"""A net that is saved and loaded is the same net."""

import json
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from on_backends import on_backends
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import anynet as an
from anynet.core.epoch import Epoch
from anynet.core.history import History
from anynet.data import split
from anynet.data.normalization import Normalization
from anynet.data.synthetic import draw
from anynet.nn.flatten_images import FlattenImages
from anynet.nn.initializers import Constant, Ones, Zeros
from anynet.nn.shortcut import Shortcut
from anynet.training.evaluate import Metrics
from anynet.training.snapshot import Snapshot

NET = an.Sequential(
    an.Linear(3072, 6, an.Normal(0.02), an.Normal(0.5)),
    an.BatchNorm(6, momentum=0.3),
    an.Sequential(an.LeakyReLU(0.2), an.Linear(6, 5, an.Xavier())),
    an.Tanh(),
    an.Linear(5, 10),
)
ARRAYS = ("last", "best", "normalization", "backend", "environment")


class Scaled(an.Layer):
    """A layer that is not anynet's, with a number as its parameter."""

    def parameters(self):
        return {"scale": an.Parameter((), Ones())}

    def forward(self, params, state, x, *, train):
        return params["scale"] * x, x, state

    def backward(self, params, cache, dy):
        return params["scale"] * dy, {"scale": (cache * dy).sum()}


@cache
def images():
    return split("drawn", draw(0, per_batch=60), train=240, val=60)


def train(net=NET, backend="numpy", **settings):
    return an.fit(net, images(), an.SGD(0.1), epochs=3, batch_size=60, backend=backend, compile="off", **settings)


@cache
def trained():
    return train()


def numbers(run):
    """All arrays of a run, on the host."""
    parts = {"last": run.last, "best": run.best}
    arrays = {f"{name}.params": snapshot.params for name, snapshot in parts.items()}
    arrays |= {f"{name}.{key}": array for name, snapshot in parts.items() for key, array in snapshot.state.items()}
    arrays |= run.normalization._asdict()
    return {name: run.backend.to_host(array) for name, array in arrays.items()}


def assert_same(run, other):
    for field in fields(an.Run):
        if field.compare and field.name not in ARRAYS:
            assert getattr(run, field.name) == getattr(other, field.name), field.name
    assert (run.last.epoch, run.best.epoch) == (other.last.epoch, other.best.epoch)
    these, those = numbers(run), numbers(other)
    assert these.keys() == those.keys()
    for name, array in these.items():
        assert array.dtype == those[name].dtype == run.dtype
        np.testing.assert_array_equal(array, those[name], name)


@on_backends("dtype", ["float32", "float64"], {"jax": ()})
def test_a_loaded_net_predicts_the_same_bits(tmp_path, backend_here, dtype):
    run = train(backend=backend_here, dtype=dtype, l2=1e-3, seed=3)
    run.save(tmp_path / "net.safetensors")
    loaded = an.load(tmp_path / "net.safetensors", backend=backend_here)
    assert_same(run, loaded)
    x = images().test.x
    np.testing.assert_array_equal(run.predict_proba(x), loaded.predict_proba(x))
    assert loaded.environment["backend"] == backend_here.name
    assert loaded.environment["versions"]["numpy"] == np.__version__


def test_a_net_moves_to_every_backend(tmp_path, backend_here):
    trained().save(tmp_path / "net.safetensors")
    moved = an.load(tmp_path / "net.safetensors", backend=backend_here)
    assert moved.backend == backend_here
    assert_same(trained(), moved)
    x = images().test.x
    np.testing.assert_array_equal(trained().predict_proba(x).argmax(axis=1), moved.predict_proba(x).argmax(axis=1))
    moved.save(tmp_path / "again.safetensors")
    again = an.load(tmp_path / "again.safetensors", backend=backend_here)
    assert_same(moved, again)
    assert again.environment == moved.environment  # of the training, not of the last that saved it
    np.testing.assert_array_equal(moved.predict_proba(x), again.predict_proba(x))


def test_a_file_without_the_shape_of_its_images_is_of_cifar10s(tmp_path):
    """And one from before early stopping did not stop early."""
    run, file = trained(), tmp_path / "net.safetensors"
    run.save(file)
    with safe_open(file, "numpy") as opened:
        facts = json.loads(opened.metadata()["run"])
        metadata = {name: text for name, text in opened.metadata().items() if name != "sha256"}
    del facts["shape"], facts["stopped_early"]
    save_file(load_file(file), file, metadata | {"run": json.dumps(facts)})
    assert_same(run, an.load(file))


def test_the_best_epoch_is_kept_beside_the_last(tmp_path):
    run = trained()
    assert run.best.epoch == run.history.best.epoch
    one, other = Snapshot(1, run.last.params, run.last.state), Snapshot(3, 2 * run.last.params, run.last.state)
    replace(run, best=one, last=other).save(tmp_path / "net.safetensors")
    loaded = an.load(tmp_path / "net.safetensors")
    assert (loaded.best.epoch, loaded.last.epoch) == (1, 3)
    np.testing.assert_array_equal(loaded.last.params, 2 * loaded.best.params)


def test_members_keep_how_they_ended(tmp_path):
    members = [{"lr": 0.1}, {"lr": 1e30}, {"lr": 0.01}]
    net = an.Sequential(an.Linear(3072, 4), an.ReLU(), an.Linear(4, 10))
    with np.errstate(all="ignore"):
        runs = train(net, members=members, on_epoch=lambda rows: rows.keys() & {2})
    for k, run in enumerate(runs):
        run.save(tmp_path / f"{k}.safetensors")
    loaded = [an.load(tmp_path / f"{k}.safetensors") for k in range(3)]
    assert runs[1].diverged is not None
    assert [run.dropped for run in loaded] == [False, False, True]
    assert runs[1].diverged.report["steps_before"]
    assert loaded[1].diverged.args == runs[1].diverged.args
    assert str(loaded[1].diverged) == str(runs[1].diverged)
    for run, other in zip(runs, loaded, strict=True):
        assert_same(replace(run, diverged=None), replace(other, diverged=None))


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nodir; make it$"):
        trained().save(tmp_path / "nodir" / "net.safetensors")


@pytest.mark.parametrize("name", ["", ".", "/", "folder"])
def test_a_net_is_not_saved_in_place_of_a_folder(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(
        ValueError, match=r"^path: expected a file to write, such as net\.safetensors, got .*, a folder$"
    ):
        trained().save(name)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        (None, TypeError, "path: expected a text or a Path, got None"),
        (3, TypeError, "path: expected a text or a Path, got 3"),
        (b"net", TypeError, "path: expected a text or a Path, got b'net'"),
        ("a\0b", ValueError, r"path: expected a path without NUL, got 'a\\x00b'"),
    ],
)
def test_what_is_no_path_is_refused(path, kind, message):
    for use in (trained().save, an.load):
        with pytest.raises(kind, match=f"^{message}$"):
            use(path)


def test_folders_without_a_net_say_what_to_load_instead(tmp_path):
    (tmp_path / "sweep" / "member-0").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"got that of a sweep; load .*sweep.member-0$"):
        an.load(tmp_path / "sweep")
    (tmp_path / "divergence.json").write_text("{}")
    with pytest.raises(FileNotFoundError, match=r"that of one that diverged, as divergence\.json in it tells; load"):
        an.load(tmp_path)


def test_a_file_is_replaced_whole(tmp_path, monkeypatch):
    file = tmp_path / "net.safetensors"
    trained().save(file)
    before = file.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace(trained(), seed=1).save(file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


layers = st.deferred(
    lambda: st.one_of(
        st.builds(an.LeakyReLU, st.floats(0, 1)),
        st.builds(an.ELU, st.floats(0, 9)),
        st.builds(an.GELU, st.sampled_from(["tanh", "none"])),
        st.sampled_from([an.ReLU(), an.Sigmoid(), an.Tanh(), an.SiLU(), an.Hardswish(), an.Softplus()]),
        st.builds(an.BatchNorm, st.just(4), st.floats(0.01, 1), st.floats(1e-9, 1)),
        st.builds(an.Linear, st.just(4), st.just(4), initializers, initializers),
        st.sampled_from([an.Flatten((2, 2)), an.Flatten((4,))]),
        st.builds(an.Dropout, st.floats(0, 0.9)),
        st.builds(an.LayerNorm, st.just(4), st.floats(1e-9, 1)),
        st.builds(an.GroupNorm, st.sampled_from([1, 2]), st.just(4), st.floats(1e-9, 1)),
        st.builds(an.Scale, st.just(4), st.floats(-9, 9)),
        *(
            st.lists(layers, min_size=1, max_size=3).map(lambda inner, kind=kind: kind(*inner))
            for kind in (an.Residual, an.Sequential)
        ),
    )
)
initializers = st.one_of(
    st.sampled_from([an.He(), an.Xavier(), an.Uniform(), Zeros(), Ones()]),
    st.builds(an.Normal, st.floats(0, 9)),
    st.builds(Constant, st.floats(-9, 9)),
)


@given(net=st.lists(layers, min_size=1, max_size=5).map(lambda inner: an.Sequential(*inner)), seed=st.integers(0, 9))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_net_of_anynets_layers_comes_back(tmp_path, net, seed):
    params, state = net.init(seed)
    rows = History(Epoch(i + 1, *np.random.default_rng(i).random(8).tolist()) for i in range(seed))
    run = replace(
        trained(),
        net=net,
        shape=(4,),
        classes=tuple("abcd"),
        history=rows,
        last=Snapshot(seed, params, state),
        best=Snapshot(0, params, state),
        normalization=Normalization(np.ones(4, np.float32), np.zeros(4, np.float32)),
        test=Metrics(float("inf"), 1e300, 0.1),
    )
    run.save(tmp_path / "net.safetensors")
    loaded = an.load(tmp_path / "net.safetensors")
    assert_same(run, loaded)
    x = np.arange(8, dtype=np.uint8).reshape(2, 4)
    np.testing.assert_array_equal(loaded.predict_proba(x), run.predict_proba(x))


def test_a_net_with_layers_of_others_needs_the_net(tmp_path):
    net = an.Sequential(
        an.Linear(3072, 4), an.Sequential(Scaled(), an.Linear(4, 10, lambda rng, shape: np.ones(shape)))
    )
    run, file = train(net), tmp_path / "net.safetensors"
    run.save(file)
    with pytest.raises(an.core.errors.FileError, match=r"layer 1\.0: expected a class of anynet, got .*\.Scaled; give"):
        an.load(file)
    loaded = an.load(file, net=net)
    assert_same(run, loaded)
    with pytest.raises(ValueError, match=r'"0\.W" is of shape \(3072, 4\) there and of shape \(3072, 5\)'):
        an.load(file, net=an.Sequential(an.Linear(3072, 5), an.Linear(5, 10)))
    with pytest.raises(ValueError, match=r'"1\.1\.W" is of shape \(4, 10\) there and missing'):
        an.load(file, net=an.Sequential(an.Linear(3072, 4), an.Sequential(Scaled())))


def test_a_net_that_is_given_has_the_settings_of_the_net_saved(tmp_path):
    trained().save(tmp_path / "net.safetensors")
    assert_same(trained(), an.load(tmp_path / "net.safetensors", net=NET))
    other = an.Sequential(*NET[:3], an.ReLU(), NET[4])
    with pytest.raises(ValueError, match=r"layer 3 is Tanh\(\) there and ReLU\(\) in the net given"):
        an.load(tmp_path / "net.safetensors", net=other)
    with pytest.raises(ValueError, match=r"layer 5 is missing there and ReLU\(\) in the net given"):
        an.load(tmp_path / "net.safetensors", net=an.Sequential(*NET, an.ReLU()))


def test_a_residual_is_not_its_layers_alone(tmp_path):
    run, file = train(an.Sequential(an.Linear(3072, 10), an.Residual(an.Tanh()))), tmp_path / "net.safetensors"
    run.save(file)
    loaded = an.load(file)
    assert_same(run, loaded)
    np.testing.assert_array_equal(loaded.predict_proba(images().test.x), run.predict_proba(images().test.x))
    with pytest.raises(ValueError, match=r"layer 1 is Residual there and missing in the net given$"):
        an.load(file, net=an.Sequential(an.Linear(3072, 10), an.Sequential(an.Tanh())))


def test_every_layer_of_anynet_can_be_loaded():
    from anynet.nn import net_json

    kinds = {kind for kind in vars(an.nn).values() if isinstance(kind, type) and issubclass(kind, an.Layer)}
    within = {FlattenImages, Shortcut}  # what Flatten() and the argument of Residual become in a net
    assert kinds - {an.Layer, an.ImageLayer} == set(net_json.LAYERS.values()) - within
    assert {an.He, an.Normal, an.PartialIdentity, an.Uniform, an.Xavier} <= set(net_json.INITIALIZERS.values())


def test_without_safetensors_one_line_says_what_to_install(tmp_path, monkeypatch):
    trained().save(tmp_path / "net.safetensors")
    for name in ("safetensors", "safetensors.numpy"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    for call in (lambda: trained().save(tmp_path / "other"), lambda: an.load(tmp_path / "net.safetensors")):
        with pytest.raises(ModuleNotFoundError, match="pip install safetensors"):
            call()
