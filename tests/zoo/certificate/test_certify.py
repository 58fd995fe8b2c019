import dataclasses
import re

import keras
import numpy as np
import pytest

from zoo import presets
from zoo.certificate import certify as certificate
from zoo.data import hysteresis
from zoo.data.maxwell import Material
from zoo.data.probes import TrainedRange
from zoo.manifest import file_entries, write_manifest
from zoo.models import EXPECTED

SMALL = TrainedRange(steps=16)
X = np.random.default_rng(0).normal(size=(3, 7, 3)).astype(np.float32)


def elastic(shape=(None, 3), outputs=None, batch_size=None):
    """σ = 2 λ, as a layer of Keras."""
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
        certificate.open_model(path)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    return message


@pytest.mark.parametrize("name", ["elastic.keras", "elastic"])
@pytest.mark.parametrize("outputs", [None, ("prediction", "hidden_0")], ids=["one", "named"])
def test_a_users_own_model_opens_and_answers_as_it_did(tmp_path, name, outputs):
    predict, facts = certificate.open_model(saved(elastic(outputs=outputs), tmp_path, name))
    np.testing.assert_allclose(predict(X), 2 * X[..., :1], rtol=1e-6)
    assert facts == certificate.Facts("elastic")


@pytest.mark.parametrize("name", ["chain.keras", "chain"])
def test_a_plain_chain_of_layers_opens(tmp_path, name):
    layers = [keras.layers.LSTM(2, return_sequences=True), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((None, 3)), *layers])
    predict, _ = certificate.open_model(saved(model, tmp_path, name))
    np.testing.assert_allclose(predict(X), model(X), atol=1e-6)


def test_an_input_by_name_is_fed_by_its_name(tmp_path):
    x = keras.Input((None, 3), name="loading")
    model = keras.Model({"loading": x}, {"prediction": keras.layers.Dense(1)(x)})
    predict, _ = certificate.open_model(saved(model, tmp_path))
    np.testing.assert_allclose(predict(X), model({"loading": X})["prediction"], rtol=1e-6)


def test_more_paths_than_a_batch_come_back_in_order(tmp_path):
    predict, _ = certificate.open_model(saved(elastic(), tmp_path))
    x = np.random.default_rng(1).normal(size=(300, 2, 3)).astype(np.float32)
    np.testing.assert_allclose(predict(x), 2 * x[..., :1], rtol=1e-6)


def test_models_of_this_package_open(tmp_path):
    data = hysteresis.split("walk", paths=4, seed=0, steps=12)
    model = presets.material("maxwell").build(data.x, data.y)
    predict, _ = certificate.open_model(saved(model, tmp_path, "maxwell.keras"))
    np.testing.assert_allclose(predict(data.x), model(data.x)["prediction"], atol=1e-6)


def exported(tmp_path, **facts):
    """A folder as an export leaves it, with what is read here."""
    folder = tmp_path / "saved"
    saved(elastic(outputs=("prediction",)), folder, "serving")
    outputs = {"prediction": {"unit": "kPa"}}
    known = {"name": "elastic", "signatures": {"serving_default": {"outputs": outputs}}}
    write_manifest(folder, known | facts | {"files": file_entries(folder)})
    return folder


def test_a_saved_model_opens_with_what_its_manifest_says(tmp_path):
    material = Material(modulus_mpa=2.0, exponent=1.5)
    folder = exported(tmp_path, material=dataclasses.asdict(material), trained_range=SMALL.entry())
    predict, facts = certificate.open_model(folder)
    np.testing.assert_allclose(predict(X), 2 * X[..., :1], rtol=1e-6)
    assert facts == certificate.Facts("elastic", material, SMALL, unit="kPa")


def test_a_saved_model_of_a_measured_material_has_no_true_law(tmp_path):
    assert certificate.open_model(exported(tmp_path, material={}))[1].material is None


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
    assert "one input (batch, time, 3): stretch, rate, dt" in message


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
    assert "with (2, 1)" in refused(saved(model, tmp_path))


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


def test_the_page_holds_every_check_and_figure(tmp_path, capsys):
    path = saved(elastic(), tmp_path)
    law = Material(modulus_mpa=2.0)
    result = certificate.certify(path, tmp_path / "out", law, trained=SMALL, paths=3)
    assert not result.passed
    found = {check.name: check for check in result.checks}
    assert found["self-consistency"].value == 0
    assert found["negative dissipation"].value == 0
    assert found["loop area"].value == pytest.approx(1, abs=1e-5)
    page = (tmp_path / "out" / "report.html").read_text()
    for name in found:
        assert name in page
    assert "E = 2 MPa" in page and "paths of 16 steps" in page
    assert "Failed: loop area, in range" in page
    for figure in ("refinement", "extrapolation"):
        assert (tmp_path / "out" / f"{figure}.png").stat().st_size > 10_000
    printed = capsys.readouterr().out
    assert "loop area" in printed and "FAIL" in printed


def test_without_a_law_the_page_says_what_was_skipped(tmp_path):
    path = saved(elastic(), tmp_path)
    result = certificate.certify(path, tmp_path / "out", trained=SMALL, paths=3)
    assert result.passed
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Passed 5 of 5 checks." in page and "true law is not known" in page
    assert not (tmp_path / "out" / "extrapolation.png").exists()


def test_a_refused_model_writes_nothing(tmp_path):
    path = saved(elastic((None, 2)), tmp_path)
    with pytest.raises(ValueError):
        certificate.certify(path, tmp_path / "out", Material())
    assert not (tmp_path / "out").exists()
