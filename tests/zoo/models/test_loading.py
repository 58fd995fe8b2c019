"""Saved models are found by name, verified before they are opened, and predict named arrays."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo import models
from zoo.manifest import read_manifest, write_manifest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def copy(exported, tmp_path):
    shutil.copytree(exported.folder, tmp_path / "small-lstm")
    return tmp_path / "small-lstm"


@pytest.fixture
def golden(exported):
    with np.load(exported.folder / "golden.npz") as file:
        return dict(file)


def test_importing_zoo_is_light_and_its_names_are_there():
    code = "import sys, zoo; assert 'numpy' not in sys.modules; print(*zoo.__all__); zoo.load"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.split() == zoo.__all__ == dir(zoo)
    assert zoo.load is models.load and zoo.list_models is models.list_models
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = zoo.nothing


def test_models_are_listed_and_loaded_by_name(exported, monkeypatch, golden):
    monkeypatch.setenv("ZOO_MODELS", str(exported.folder.parent))
    assert zoo.list_models()["small-lstm"]["task"] == "stress history of a test"
    model = zoo.load("small-lstm")
    assert model.folder == exported.folder and model.manifest["name"] == "small-lstm"
    np.testing.assert_allclose(
        model.predict(x=golden["x"])["prediction"], golden["prediction"], atol=1e-6
    )
    assert model.keras.count_params() == exported.model.count_params()
    with pytest.raises(ValueError, match="no such model in"):
        zoo.load("smaller-lstm")


@pytest.mark.parametrize("kind", ["keras", "saved_model"])
def test_every_state_is_returned_by_name(exported, golden, kind):
    outputs = zoo.load(exported.folder, kind).predict(x=golden["x"])
    assert set(outputs) == {"prediction", *exported.states}
    for name in outputs:
        np.testing.assert_allclose(outputs[name], golden[name], atol=1e-6)


def test_a_saved_model_has_signatures(exported):
    model = zoo.load(exported.folder, "saved_model")
    assert set(model.signatures) == {"serving_default", "step"}
    with pytest.raises(ValueError, match="kind='keras'"):
        _ = model.keras


def test_tflite_takes_any_batch_of_its_length(exported, golden):
    model = zoo.load(exported.folder, "tflite")
    outputs = model.predict(x=golden["x"])
    np.testing.assert_allclose(outputs["prediction"], golden["prediction"], atol=1e-6)
    with pytest.raises(ValueError, match=r"`x` of small-lstm must have shape \(batch, 12, 3\)"):
        model.predict(x=golden["x"][:, :5])
    with pytest.raises(ValueError, match="kind='saved_model'"):
        _ = model.signatures


def test_a_step_file_takes_states_by_name(exported, golden):
    model = zoo.load(exported.folder, "step.tflite")
    states = {name: np.zeros((2, 4)) for name in exported.states}
    outputs = model.predict(x=golden["x"][:, 0], **states)
    np.testing.assert_allclose(outputs["prediction"], golden["prediction"][:, 0], atol=1e-6)
    np.testing.assert_allclose(outputs["cell_1_next"], golden["cell_1"][:, 0], atol=1e-6)
    states["cell_1"] = np.zeros((3, 4))
    with pytest.raises(ValueError, match=r"`cell_1` of small-lstm .* Received: \(3, 4\)"):
        model.predict(x=golden["x"][:, 0], **states)


def test_more_rows_than_a_batch_are_joined_again(exported, golden):
    model = zoo.load(exported.folder)
    x = np.tile(golden["x"], (100, 1, 1))
    expected = np.tile(golden["prediction"], (100, 1, 1))
    np.testing.assert_allclose(model.predict(x=x)["prediction"], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "small-lstm takes x. Received: nothing"),
        ({"y": np.zeros((1, 5, 3))}, "small-lstm takes x. Received: y"),
        ({"x": np.zeros((5, 3))}, r"must have shape \(batch, any, 3\). Received: \(5, 3\)"),
        ({"x": np.zeros((1, 5, 2))}, r"Received: \(1, 5, 2\)"),
        ({"x": np.zeros((0, 5, 3))}, r"Received: \(0, 5, 3\)"),
        ({"x": 3.0}, r"Received: \(\)"),
        ({"x": np.full((1, 5, 3), np.nan)}, "`x` of small-lstm must be finite"),
    ],
)
def test_wrong_names_and_shapes_are_one_line(exported, inputs, message):
    with pytest.raises(ValueError, match=message) as caught:
        zoo.load(exported.folder).predict(**inputs)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ["step.tflite", "model.keras", "serving/saved_model.pb"])
def test_a_changed_file_is_never_opened(copy, file):
    content = bytearray((copy / file).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / file).write_bytes(content)
    for kind in ("keras", "saved_model", "tflite"):
        with pytest.raises(ValueError, match="SHA-256 differs"):
            zoo.load(copy, kind)


@pytest.mark.parametrize("kind", ["onnx", "CARD.md", "model_int16x8.tflite"])
def test_an_unknown_kind_is_answered_with_those_there_are(exported, kind):
    with pytest.raises(ValueError, match=r"'tflite' or one of model.tflite, step.tflite"):
        zoo.load(exported.folder, kind)


def test_modules_that_a_manifest_names_are_not_imported(copy, tmp_path, monkeypatch):
    (tmp_path / "harmful.py").write_text("raise SystemExit('it was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    manifest = read_manifest(copy)
    manifest["formats"]["model.keras"]["needs"] = ["harmful", "zoo.gone"]
    write_manifest(copy, manifest)
    assert json.loads((copy / "manifest.json").read_text())["formats"]["model.keras"]["needs"]
    assert zoo.load(copy).keras.count_params() > 0


def test_a_keras_file_of_unknown_layers_is_one_line(tmp_path):
    (tmp_path / "a.keras").write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"a\.keras: Keras cannot open it") as caught:
        models.load_keras_model(tmp_path / "a.keras")
    assert "\n" not in str(caught.value)
