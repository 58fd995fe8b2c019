"""Any stress model as a function of arrays: what opens, and what is refused in one line."""

import dataclasses
import re

import keras
import numpy as np
import pytest

from zoo import presets
from zoo.certificate.facts import ModelFacts
from zoo.data import hysteresis
from zoo.data.maxwell import Material
from zoo.data.probes import TrainedRange
from zoo.manifest import file_entries, write_manifest
from zoo.models import EXPECTED, open_model

SMALL = TrainedRange(steps=16)
X = np.random.default_rng(0).normal(size=(3, 7, 3)).astype(np.float32)


def elastic(shape=(None, 3), outputs=None, batch_size=None):
    """σ = 2 ε, as a layer of Keras."""
    x = keras.Input(shape, batch_size=batch_size)
    stress = keras.layers.Dense(1, use_bias=False)(x)
    model = keras.Model(x, stress if outputs is None else {name: stress for name in outputs})
    model.set_weights([np.array([[2.0], [0.0], [0.0]])[: shape[-1]]])
    return model


def saved(model, tmp_path, name="elastic.keras"):
    path = tmp_path / name
    if path.suffix:
        model.save(path)
    else:
        model.export(path, verbose=False)
    return path


def refused(path):
    with pytest.raises(ValueError) as caught:
        open_model(path, trust=True)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    return message


@pytest.mark.parametrize("name", ["elastic.keras", "elastic"])
@pytest.mark.parametrize("outputs", [None, ("prediction", "hidden_0")], ids=["one", "named"])
def test_a_users_own_model_opens_and_answers_as_it_did(tmp_path, name, outputs):
    predict, facts = open_model(saved(elastic(outputs=outputs), tmp_path, name), trust=True)
    np.testing.assert_allclose(predict(X), 2 * X[..., :1], rtol=1e-6)
    assert facts == ModelFacts("elastic")


@pytest.mark.parametrize("name", ["chain.keras", "chain"])
def test_a_plain_chain_of_layers_opens(tmp_path, name):
    layers = [keras.layers.LSTM(2, return_sequences=True), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((None, 3)), *layers])
    predict, _ = open_model(saved(model, tmp_path, name), trust=True)
    np.testing.assert_allclose(predict(X), model(X), atol=1e-6)


def test_an_input_by_name_is_fed_by_its_name(tmp_path):
    x = keras.Input((None, 3), name="loading")
    model = keras.Model({"loading": x}, {"prediction": keras.layers.Dense(1)(x)})
    predict, _ = open_model(saved(model, tmp_path))
    np.testing.assert_allclose(predict(X), model({"loading": X})["prediction"], rtol=1e-6)


def test_more_paths_than_a_batch_come_back_in_order(tmp_path):
    predict, _ = open_model(saved(elastic(), tmp_path))
    x = np.random.default_rng(1).normal(size=(300, 2, 3)).astype(np.float32)
    np.testing.assert_allclose(predict(x), 2 * x[..., :1], rtol=1e-6)


def test_models_of_this_package_open(tmp_path):
    data = hysteresis.split("walk", paths=4, seed=0, steps=12)
    model = presets.material("maxwell").build(data.x, data.y)
    predict, _ = open_model(saved(model, tmp_path, "maxwell.keras"))
    np.testing.assert_allclose(predict(data.x), model(data.x)["prediction"], atol=1e-6)


def exported(tmp_path, **facts):
    """A folder as an export leaves it, with what is read here."""
    folder = tmp_path / "saved"
    model = elastic(outputs=("prediction",))
    saved(model, folder, "serving")
    saved(model, folder, "model.keras")
    outputs = {"prediction": {"unit": "kPa"}}
    signatures = {"serving_default": {"outputs": outputs}}
    known = {"format": 2, "name": "elastic", "formats": {}, "signatures": signatures}
    write_manifest(folder, known | facts | {"files": file_entries(folder)})
    return folder


def test_a_saved_model_opens_with_what_its_manifest_says(tmp_path):
    material = Material(modulus_mpa=2.0, exponent=1.5)
    folder = exported(tmp_path, material=dataclasses.asdict(material), trained_range=SMALL.entry())
    predict, facts = open_model(folder)
    np.testing.assert_allclose(predict(X), 2 * X[..., :1], rtol=1e-6)
    assert facts == ModelFacts("elastic", material, SMALL, unit="kPa")


def test_a_saved_model_of_a_measured_material_has_no_true_law(tmp_path):
    assert open_model(exported(tmp_path, material={}))[1].material is None


def test_a_damaged_saved_model_is_not_opened(tmp_path):
    folder = exported(tmp_path)
    with (folder / "serving" / "saved_model.pb").open("ab") as file:
        file.write(b"\0")
    assert "SHA-256 differs" in refused(folder)


@pytest.mark.parametrize(
    "wrong", [{"material": {"stiffness": 1.0}}, {"material": 3}, {"trained_range": {"steps": 9}}]
)
def test_a_manifest_with_broken_facts_is_refused(tmp_path, wrong):
    refused(exported(tmp_path, **wrong))


@pytest.mark.parametrize("name", ["model.keras", "model"])
def test_a_model_of_other_inputs_is_refused_with_what_is_expected(tmp_path, name):
    message = refused(saved(elastic((None, 2)), tmp_path, name))
    assert "(None, None, 2)" in message
    assert "one input (batch, time, 3): strain, rate, dt" in message


@pytest.mark.parametrize("name", ["model.keras", "model"])
def test_two_inputs_are_refused(tmp_path, name):
    a, b = keras.Input((None, 3), name="a"), keras.Input((None, 3), name="b")
    model = keras.Model({"a": a, "b": b}, keras.layers.Dense(1)(keras.layers.add([a, b])))
    assert EXPECTED in refused(saved(model, tmp_path, name))


@pytest.mark.parametrize("name", ["model.keras", "model"])
def test_a_fixed_time_is_named(tmp_path, name):
    assert "time is fixed at 50" in refused(saved(elastic((50, 3)), tmp_path, name))


def test_a_fixed_batch_is_named(tmp_path):
    assert "batch is fixed at 4" in refused(saved(elastic(batch_size=4), tmp_path))


def test_a_model_that_remembers_the_call_before_is_refused(tmp_path):
    layer = keras.layers.GRU(1, stateful=True, return_sequences=True)
    x = keras.Input((None, 3), batch_size=4)
    assert "stateful=False" in refused(saved(keras.Model(x, layer(x)), tmp_path))


def test_one_number_a_path_is_refused(tmp_path):
    x = keras.Input((None, 3))
    model = keras.Model(x, keras.layers.Dense(1)(keras.layers.LSTM(2)(x)))
    assert "shape (2, 1)" in refused(saved(model, tmp_path))


@pytest.mark.parametrize("name", ["model.keras", "model"])
def test_outputs_without_a_prediction_are_refused_by_name(tmp_path, name):
    message = refused(saved(elastic(outputs=("stress", "strain")), tmp_path, name))
    assert re.search("returns (stress, strain|strain, stress)", message)


def test_what_is_no_model_is_refused(tmp_path):
    (tmp_path / "no.keras").write_bytes(b"not a model")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "saved_model.pb").write_bytes(b"not a model")
    for name in ("no.keras", "folder", "absent"):
        refused(tmp_path / name)
