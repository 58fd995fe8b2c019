"""A model of somebody else runs nothing of its own, and says where it comes from."""

import io
import json
import shutil
import sys
import zipfile

import keras
import numpy as np
import pytest

import zoo
import zoo.__main__ as command
from tests.harmful_model import Harmful
from zoo import models, provenance
from zoo.export import verification
from zoo.manifest import file_entries, read_manifest, verify_folder, write_manifest
from zoo.registration import check_keras_content, open_keras_content, open_keras_file


@pytest.fixture
def copy(exported, tmp_path):
    shutil.copytree(exported.folder, tmp_path / "small-lstm")
    return tmp_path / "small-lstm"


def reseal(folder, **entries):
    """What anybody can do: hashes and seal that fit the changed files."""
    manifest = {**read_manifest(folder), **entries}
    (folder / "manifest.json").unlink()
    manifest["files"] = file_entries(folder)
    return write_manifest(folder, manifest)


def with_config(content, change, compression=zipfile.ZIP_STORED):
    """A `.keras` file with another configuration."""
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(result, "w", compression) as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                change(config)
                data = json.dumps(config).encode()
            new.writestr(name, data)
    return result.getvalue()


def replace_dense(entry):
    """A change that puts an entry in the place of the last dense layer's class."""

    def change(config):
        layer = next(e for e in config["config"]["layers"] if e["class_name"] == "Dense")
        layer.update(entry)

    return change


LAMBDA = {"class_name": "__lambda__", "config": {"value": "4w=="}}
HOSTILE = {
    "module beside the model": (
        {"module": "evil.code", "class_name": "Layer", "registered_name": "Layer"},
        "names 'Layer' of module 'evil.code'",
    ),
    "function of the system": (
        {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"},
        "names 'system' of module 'os'",
    ),
    "lambda layer": (
        {"class_name": "Lambda", "module": "keras.layers", "registered_name": None},
        "Lambda can run code",
    ),
    "lambda inside": ({"config": {"activation": LAMBDA}}, "__lambda__ can run code"),
    "lambda under a name of ours": (
        {"config": {"activation": LAMBDA | {"registered_name": "zoo>VisibleRNN"}}},
        "__lambda__ can run code",
    ),
    "saved model inside": (
        {"class_name": "TFSMLayer", "module": "keras.layers", "registered_name": None},
        "TFSMLayer can run code",
    ),
    "file of the host": (
        {
            "class_name": "StringLookup",
            "module": "keras.layers",
            "config": {"vocabulary": "/etc/passwd"},
            "registered_name": None,
        },
        "StringLookup can run code or read files",
    ),
    "module of keras that is no layer": (
        {"module": "keras.utils", "class_name": "get_file", "registered_name": None},
        "names 'get_file' of module 'keras.utils'",
    ),
    "class of keras that is no layer": (
        {"module": "keras.layers", "class_name": "serialize", "registered_name": None},
        "names 'serialize' of module 'keras.layers'",
    ),
    "no module": (
        {"module": None, "class_name": "Evil", "registered_name": None},
        "names 'Evil' of module 'None'",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_keras_file_names_known_classes_only(copy, monkeypatch, case):
    entry, message = HOSTILE[case]
    inner = copy / "evil"
    inner.mkdir()
    (inner / "code.py").write_text("open('ran', 'w')\nclass Layer: pass\n")
    file = copy / "model.keras"
    file.write_bytes(with_config(file.read_bytes(), replace_dense(entry)))
    reseal(copy)
    monkeypatch.chdir(copy)
    monkeypatch.syspath_prepend(str(copy))
    for open_it in (zoo.load, models.open_model, models.load_keras_model):
        with pytest.raises(ValueError, match=message) as caught:
            open_it(copy)
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=message):
        verification.replay_golden(copy)
    with pytest.raises(ValueError, match=message):
        open_keras_file(file)
    assert not (copy / "ran").exists() and "evil.code" not in sys.modules


def test_layers_of_keras_and_registered_ones_open(tmp_path):
    @keras.saving.register_keras_serializable("test_foreign")
    class Doubled(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    x = keras.Input((None, 3))
    h = keras.layers.Bidirectional(keras.layers.GRU(2, return_sequences=True))(x)
    h = keras.layers.Dense(2, activation="gelu", kernel_regularizer="l2")(keras.ops.tanh(h))
    h = keras.layers.Activation(keras.activations.silu)(h)
    model = keras.Model(x, Doubled()(keras.Sequential([keras.layers.Dense(1)])(h)))
    model.compile("adam", "mse")
    model.save(tmp_path / "a.keras")
    values = np.ones((1, 4, 3), np.float32)
    again = open_keras_file(tmp_path / "a.keras")
    np.testing.assert_allclose(again(values), model(values), atol=1e-6)


def test_a_keras_file_that_unpacks_to_gigabytes_is_refused(exported):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        with archive.open("model.weights.h5", "w") as member:
            for _ in range(200):
                member.write(bytes(1 << 20))
    with pytest.raises(ValueError, match="unpacks to 200 MiB, expected at most 64 MiB"):
        check_keras_content(content.getvalue(), "a.keras")


def test_a_small_file_of_a_huge_layer_is_refused_before_it_takes_memory(copy):
    def widen(config):
        layer = next(e for e in config["config"]["layers"] if e["class_name"] == "Dense")
        layer["config"]["units"] = 10**9

    content = with_config((copy / "model.keras").read_bytes(), widen)
    with pytest.raises(
        ValueError, match=r"its layers have \d+ MiB of weights, expected at most 64"
    ):
        open_keras_content(content, "a.keras")
    assert keras.layers.Dense(2).built is False  # and Keras is as it was
    x = keras.Input((3,))
    assert keras.Model(x, keras.layers.Dense(2)(x)).get_weights()[0].shape == (3, 2)


def test_a_class_that_is_no_name_is_one_line(copy):
    odd = {"class_name": {"a": 1}, "registered_name": None}
    content = with_config((copy / "model.keras").read_bytes(), replace_dense(odd))
    with pytest.raises(ValueError, match="it names") as refused:
        open_keras_content(content, "a.keras")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("config", "message"), [("[" * 100_000, "cannot be read"), ("{", "cannot be read")]
)
def test_a_config_that_cannot_be_read_is_one_line(config, message):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("config.json", config)
    with pytest.raises(ValueError, match=message) as caught:
        check_keras_content(content.getvalue(), "a.keras")
    assert "\n" not in str(caught.value)


def test_members_other_than_those_of_keras_are_refused(exported):
    content = io.BytesIO((exported.folder / "model.keras").read_bytes())
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("assets/vocabulary.txt", "x")
    with pytest.raises(ValueError, match=r"it holds 'assets/vocabulary.txt'"):
        check_keras_content(content.getvalue(), "a.keras")


def test_a_saved_model_of_unknown_origin_is_not_opened(copy, tmp_path, capsys):
    ran = tmp_path / "ran"
    harmful = Harmful(str(ran))
    shutil.rmtree(copy / "serving")
    harmful.save(copy / "serving")
    reseal(copy)
    x = np.zeros((1, 5, 3), np.float32)
    assert models.open_model(copy)[0](x).shape == (1, 5, 1)  # from the Keras file
    refused = (
        lambda: zoo.load(copy, "saved_model"),
        lambda: models.open_model(copy / "serving"),
    )
    for open_it in refused:
        with pytest.raises(ValueError, match="unknown origin is not opened") as caught:
            open_it()
        assert "\n" not in str(caught.value)
    assert command.main(["export", str(copy), "--c", "--out", str(tmp_path / "a.c")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert {each.file for each in verification.replay_golden(copy)}.isdisjoint({"serving"})
    assert not ran.exists()
    zoo.load(copy, "saved_model", trust=True).predict(x=x)
    assert ran.exists()  # it would have run


def test_exported_and_shipped_models_open_without_a_flag(exported):
    assert provenance.origin(exported.manifest | {"seal": seal_of(exported.folder)}) == (
        provenance.EXPORTED
    )
    zoo.load(exported.folder, "saved_model")


def seal_of(folder):
    return read_manifest(folder)["seal"]


def test_shipped_seals_are_those_of_saved_models():
    """After an export of shipped models: python -m zoo.provenance."""
    root = provenance.SHIPPED_FILE.parents[1] / "saved_models"
    assert provenance.shipped_seals() == provenance.seals_of(root)


def test_verify_says_where_a_model_comes_from(exported, copy, capsys):
    def origin(folder):
        code = command.main(["verify", str(folder), "--json"])
        (result,) = json.loads(capsys.readouterr().out)
        return code, result["origin"], result["remark"]

    shipped = provenance.SHIPPED_FILE.parents[1] / "saved_models" / "hysteresis-rnn"
    assert origin(shipped) == (0, "shipped", "")
    assert origin(exported.folder) == (0, "exported here", "")
    reseal(copy, name="hysteresis-rnn")
    code, where, remark = origin(copy)
    assert (code, where) == (0, "unknown origin") and "not the hysteresis-rnn" in remark
    (copy / "CARD.md").write_text("better")
    assert origin(copy)[:2] == (1, "changed")


@pytest.mark.parametrize("seal", ["../../x", "A" * 64, 3, None, "0" * 64, "/" * 64])
def test_an_odd_seal_is_of_unknown_origin(seal):
    assert provenance.origin({"seal": seal}) == provenance.UNKNOWN


@pytest.mark.parametrize("kind", ["file", "folder", "manifest"])
def test_a_link_inside_a_model_is_refused(copy, tmp_path, kind):
    outside = tmp_path / "outside"
    if kind == "folder":
        shutil.move(copy / "serving", outside)
        (copy / "serving").symlink_to(outside)
    else:
        name = {"file": "model.keras", "manifest": "manifest.json"}[kind]
        shutil.move(copy / name, outside)
        (copy / name).symlink_to(outside)
    with pytest.raises(ValueError, match=r"is a link|no manifest\.json"):
        verify_folder(copy)
    with pytest.raises(ValueError, match=r"is a link|no manifest\.json"):
        zoo.load(copy)


def test_the_bytes_that_were_hashed_are_those_that_are_opened(copy, monkeypatch):
    """A file that is replaced between hash and opening."""
    import zoo.models.loading as loading

    verified = loading.verify_folder

    def verify_then_replace(folder):
        manifest = verified(folder)
        (folder / "model.keras").write_bytes(b"another")
        shutil.rmtree(folder / "serving")
        return manifest

    monkeypatch.setattr(loading, "verify_folder", verify_then_replace)
    for kind in ("keras", "saved_model"):
        with pytest.raises((ValueError, OSError)):
            zoo.load(copy, kind, trust=True)


def test_a_manifest_without_a_seal_is_refused_but_can_be_exported_again(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["seal"]
    (copy / "manifest.json").write_text(json.dumps({**manifest, "format": 1}))
    with pytest.raises(ValueError, match=r"format 1 has no seal.*--renew"):
        verify_folder(copy)
    assert verify_folder(copy, unsealed=True)["format"] == 1


def test_the_list_of_own_exports_need_not_be_writable(tmp_path, monkeypatch, capsys):
    (tmp_path / "signals-with-memory").write_text("a file")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    provenance.record_export("0" * 64, tmp_path / "a")
    assert capsys.readouterr().err.count("\n") == 1


def test_a_published_model_is_noted_as_shipped(tmp_path, monkeypatch):
    shipped = tmp_path / "shipped.json"
    shipped.write_text('{"b": "old"}')
    monkeypatch.setattr(provenance, "SHIPPED_FILE", shipped)
    monkeypatch.setattr(provenance, "_SAVED_MODELS", tmp_path.resolve() / "saved_models")
    provenance.shipped_seals.cache_clear()
    try:
        provenance.record_export("1" * 64, tmp_path / "saved_models" / "a")
        provenance.record_export("2" * 64, tmp_path / "elsewhere" / "c")
        assert json.loads(shipped.read_text()) == {"a": "1" * 64, "b": "old"}
    finally:
        monkeypatch.undo()
        provenance.shipped_seals.cache_clear()
