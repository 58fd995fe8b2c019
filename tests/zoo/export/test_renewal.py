"""Saved models are exported again from their weights, and give the recorded outputs."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from zoo import export, presets
from zoo.data import hysteresis
from zoo.edge.history import unit_of
from zoo.export import formats, renewal, writer
from zoo.export.entries import read_quantities
from zoo.export.sound import INPUT_CONTRACT
from zoo.manifest import read_manifest, verify_folder
from zoo.recurrent import is_plain, plain_model, step_model, visible_model

SAVED_MODELS = Path("saved_models")


@pytest.fixture(scope="module")
def renewed(exported, tmp_path_factory):
    """The small model, exported again with another description."""
    folder = tmp_path_factory.mktemp("renewed") / "small-lstm"
    export.renew(exported.folder, folder, {"description": "Exported again."})
    return folder


def test_a_renewed_model_has_the_facts_and_files_of_the_old_one(exported, renewed):
    old, new = exported.manifest, verify_folder(renewed)
    assert new["description"] == "Exported again."
    for entry in ("task", "metrics", "training", "parameters", "macs", "golden", "signatures"):
        assert new[entry] == old[entry], entry
    assert list(new["formats"]) == list(old["formats"])
    assert new["trained"] == {"created": old["created"], "versions": old["versions"]}
    assert new["limits"][0] == "Not trained at all."
    assert "exported again" in (renewed / "CARD.md").read_text()


def test_the_strain_of_an_earlier_manifest_gets_its_present_name(exported):
    old = json.loads(json.dumps(exported.manifest))
    for signature in old["signatures"].values():
        strain = signature["inputs"]["x"]["features"][0]
        assert (strain["name"], strain["aliases"]) == ("strain", ["stretch"])
        strain |= {"name": "stretch", "meaning": "stretch at the end, zero where the path begins"}
        del strain["aliases"]
    old |= {"description": "from stretch and stretch rate", "limits": ["stretch within 2"]}
    assert unit_of(old, "x", "prediction") == "MPa"
    endpoints, _ = renewal.rebuild_endpoints(exported.folder, exported.manifest)
    about = renewal.read_about(old, endpoints)
    assert about.quantities["x"] == hysteresis.INPUTS
    assert about.description == "from strain and strain rate"
    assert about.limits == ["strain within 2"]


def test_words_that_the_code_writes_are_those_of_today(exported):
    manifest = {**exported.manifest, "input_contract": {"checked by": "a file that was renamed"}}
    endpoints, _ = renewal.rebuild_endpoints(exported.folder, exported.manifest)
    assert renewal.read_about(manifest, endpoints).settings["input_contract"] == INPUT_CONTRACT
    assert "input_contract" not in renewal.read_about(exported.manifest, endpoints).settings


def test_integer_files_are_taken_over_and_golden_outputs_kept(exported, renewed):
    name = "step_int8.tflite"
    assert (renewed / name).read_bytes() == (exported.folder / name).read_bytes()
    entry = read_manifest(renewed)["formats"][name]
    assert entry["carried_over"] is True
    assert entry["rms_share"] == pytest.approx(exported.manifest["formats"][name]["rms_share"])
    assert f"{name} was taken over" in (renewed / "CARD.md").read_text()
    with np.load(exported.folder / "golden.npz") as old, np.load(renewed / "golden.npz") as new:
        assert set(old) == set(new)
        for output in old:
            np.testing.assert_array_equal(old[output], new[output])


def test_a_file_taken_over_that_fits_worse_is_noticed(exported):
    name = "step_int8.tflite"
    entry = exported.manifest["formats"][name]
    manifest = {"formats": {name: entry}}
    worse = {"formats": {name: {**entry, "rms_share": 2 * entry["rms_share"]}}}
    assert not renewal._is_worse(name, manifest, manifest)
    assert renewal._is_worse(name, worse, manifest)
    assert renewal._is_worse(name, {"formats": {}}, manifest)


def test_a_file_of_other_inputs_is_not_taken_over(exported):
    content = (exported.folder / "step_int8.tflite").read_bytes()
    endpoints, _ = renewal.rebuild_endpoints(exported.folder, exported.manifest)
    assert renewal._fits(content, endpoints)
    assert not renewal._fits(content, export.Endpoints(endpoints.sequence))
    wider = presets.recurrent("lstm", 2, 5).build(exported.data.x, exported.data.y)
    assert not renewal._fits(content, export.Endpoints(wider, step_model(wider)))


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_cells_are_put_back_on_the_weights_of_a_plain_model(exported, cell):
    data = exported.data
    model = presets.recurrent(cell, 2, 4).build(data.x, data.y)
    plain = plain_model(model)
    again = visible_model(plain)
    assert is_plain(plain) and not is_plain(again)
    outputs, expected = again(data.x), model(data.x)
    assert set(outputs) == set(expected)
    for name in expected:
        np.testing.assert_allclose(outputs[name], expected[name], atol=1e-6)
    assert set(step_model(again).input) == set(step_model(model).input)


def test_a_plain_model_with_other_features_is_refused():
    x = keras.Input((None, 3), name="x")
    h = keras.layers.LSTM(2, return_sequences=True)(keras.ops.concatenate([x, x], axis=-1))
    with pytest.raises(ValueError, match="expected the features of `Increments`"):
        visible_model(keras.Model(x, {"prediction": h}))


@pytest.mark.parametrize("name", ["hysteresis-gru", "material-lmsc", "hearing-aid", "wheeze-tiny"])
def test_shipped_models_are_rebuilt_with_all_endpoints(name):
    folder = SAVED_MODELS / name
    manifest = read_manifest(folder)
    endpoints, front = renewal.rebuild_endpoints(folder, manifest)
    with np.load(folder / "golden.npz") as file:
        golden = dict(file)
    main = formats.main_input(endpoints.sequence)
    outputs = formats.make_caller(endpoints.sequence)({main: golden[main][:1]})
    for output in set(golden) - {main, "cases"}:
        np.testing.assert_allclose(outputs[output], golden[output][:1], atol=2e-5)
    assert (front is None) is ("front_end" not in manifest)
    step = manifest["signatures"].get("step")
    assert (endpoints.step is None) is (step is None)
    if step is not None:
        assert set(formats.inputs_of(endpoints.step)) == set(step["inputs"])
        about = renewal.read_about(manifest, endpoints)
        assert set(step["inputs"]) <= set(about.quantities)


def test_a_model_that_no_longer_gives_the_recorded_outputs_is_refused(exported):
    recorded = np.float32([[1.0, -1.0]])
    writer._require_same("prediction", recorded + 5e-5, recorded)
    with pytest.raises(RuntimeError, match=r"differs by up to 0\.01 of the RMS"):
        writer._require_same("prediction", recorded + np.float32(0.01), recorded)
    with pytest.raises(RuntimeError, match="no longer returns 'prediction'"):
        writer._require_same("prediction", None, recorded)


def test_quantities_are_those_that_the_signatures_were_written_from(exported):
    quantities = read_quantities(exported.manifest["signatures"])
    assert quantities["x"] == tuple(exported.data.inputs)
    assert set(quantities) == {"x", "prediction", *exported.states}
    assert quantities["cell_1"][0].meaning == "a state"


def test_only_what_an_export_wrote_is_replaced(exported, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="no export wrote it"):
        export.renew(exported.folder, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_multiply_accumulates_need_a_float_file(exported):
    endpoints = export.Endpoints(exported.model)
    options = export.ExportOptions(files=(("serving_default", "int8"),))
    with pytest.raises(ValueError, match="must hold"):
        writer._chosen_formats(endpoints, options)


def test_a_licence_is_an_spdx_expression(exported):
    from dataclasses import replace

    assert exported.about.licence == "Apache-2.0"
    replace(exported.about, licence="Apache-2.0 AND LicenseRef-data")
    with pytest.raises(ValueError, match="SPDX expression"):
        replace(exported.about, licence="The weights carry the licence of the code.")


def test_one_text_of_two_licences_becomes_that_of_the_data(exported):
    endpoints, _ = renewal.rebuild_endpoints(exported.folder, exported.manifest)
    stated = {**exported.manifest, "licence": "CC0-1.0", "data_licence": "of the sounds: CC BY"}
    about = renewal.read_about(stated, endpoints)
    assert (about.licence, about.data_licence) == ("CC0-1.0", "of the sounds: CC BY")
    early = {name: value for name, value in stated.items() if name != "data_licence"}
    about = renewal.read_about({**early, "licence": "of the sounds: CC BY"}, endpoints)
    assert (about.licence, about.data_licence) == ("Apache-2.0", "of the sounds: CC BY")
