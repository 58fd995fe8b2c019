"""What the export writes stands alone, is faithful, and replaces a folder as a whole or not."""

import hashlib
import json
import shutil
import signal

import numpy as np
import pytest

from tests.conftest import STEPS
from zoo import presets
from zoo.export import card, children, entries, formats, tflite, writer
from zoo.export.formats import STEP
from zoo.export.golden import Replayed, replay_formats
from zoo.export.replay import ForbiddenImports
from zoo.recurrent import plain_model, step_model, view


def numpy_lstm(model, x):
    """The exported model in float64, from its weights alone: (time, 3) -> (time, 1)."""
    weights = [w.astype(np.float64) for w in model.get_weights()]
    layers, (readout, offset) = (weights[0:3], weights[3:6]), weights[6:8]
    scale, shift = (np.array(model.get_layer("x_scaling").get_config()[k]) for k in SCALING)
    restore, mean = (np.array(model.get_layer("y_scaling").get_config()[k]) for k in SCALING)
    features = np.concatenate([x, x[:, 1:2] * x[:, 2:3], np.log(x[:, 2:3])], axis=-1)
    h = features * scale + shift
    for kernel, recurrent, bias in layers:
        hidden = cell = np.zeros(len(recurrent))
        outputs = []
        for row in h:
            i, f, g, o = np.split(row @ kernel + hidden @ recurrent + bias, 4)
            i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
            cell = f * cell + i * np.tanh(g)
            hidden = o * np.tanh(cell)
            outputs.append(hidden)
        h = np.array(outputs)
    return (h @ readout + offset) * restore + mean


SCALING = ("scale", "offset")


def test_golden_outputs_are_those_of_the_formulas(exported):
    golden = np.load(exported.folder / "golden.npz")
    for k in range(2):
        x = golden["x"][k].astype(np.float64)
        np.testing.assert_allclose(
            golden["prediction"][k], numpy_lstm(exported.model, x), atol=2e-6
        )


def test_every_format_is_there_and_answers_alike(exported):
    entries = exported.manifest["formats"]
    assert {
        "model.keras",
        "serving:serving_default",
        "serving:step",
        "model.tflite",
        "step.tflite",
        "step_float16.tflite",
        "step_dynamic.tflite",
        "step_int8.tflite",
    } == set(entries)
    for entry in entries.values():
        limit = 1e-6 if entry["weights"] == "float32" else 0.1
        assert 0 <= entry["worst_share_of_rms"] < limit, entry


def test_every_state_is_a_named_output(exported):
    signatures = exported.manifest["signatures"]
    assert set(signatures["serving_default"]["outputs"]) == {"prediction", *exported.states}
    assert set(signatures["step"]["inputs"]) == {"x", *exported.states}
    nexts = {f"{state}_next" for state in exported.states}
    assert set(signatures["step"]["outputs"]) == {"prediction", *nexts}
    assert signatures["serving_default"]["inputs"]["x"]["shape"] == [None, None, 3]
    units = [each["unit"] for each in signatures["step"]["inputs"]["x"]["features"]]
    assert units == ["-", "1/s", "s"]


def test_manifest_names_every_file_with_its_hash(exported):
    listed = exported.manifest["files"]
    found = {p.relative_to(exported.folder).as_posix() for p in exported.folder.rglob("*.*")}
    assert {*listed, "manifest.json"} >= {f for f in found if (exported.folder / f).is_file()}
    for name, entry in listed.items():
        content = (exported.folder / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def test_multiply_accumulates_are_those_of_the_matrices(exported):
    units, features = 4, 5
    expected = 4 * units * (features + units) + 4 * units * (units + units) + units
    assert exported.manifest["macs"] == {"value": expected, "per": "step"}


def test_card_shows_metrics_limits_and_signatures(exported):
    text = (exported.folder / "CARD.md").read_text()
    assert "| walk | nRMSE | 0.25 | 0.5 | elastic |" in text
    assert "- Not trained at all." in text
    assert "| in | `cell_1` | (any, 4) | - | a state |" in text


def test_a_tampered_format_is_found_by_replay(exported, tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(exported.folder, copy)
    with np.load(copy / "golden.npz") as file:
        golden = dict(file)
    golden["prediction"] = golden["prediction"] + 1e-2
    np.savez(copy / "golden.npz", **golden)
    answers = {"prediction": golden["prediction"]}
    made = [formats.Format("serving", "saved_model", "step")]
    with pytest.raises(RuntimeError, match=r"serving \(step\) is not faithful: its worst"):
        replay_formats(copy, made, "x", answers, lambda text: None)


def test_an_unfaithful_tflite_file_is_left_out_and_named_and_the_rest_is_written(
    exported, tmp_path, monkeypatch
):
    def convert(work, conversion, progress):
        for file, source in (("step.tflite", "step_float16.tflite"), ("step_dynamic.tflite",) * 2):
            shutil.copy(exported.folder / source, work / "new" / file)  # float16 is 1e-3 off
        converted = [formats.tflite_format(STEP, weights) for weights in ("float32", "dynamic")]
        return tflite.Converted(converted, {"model.tflite": "an operation is missing"})

    monkeypatch.setattr(writer, "convert_files", convert)
    endpoints = writer.Endpoints(
        view(exported.model, fused=False), step_model(exported.model), plain_model(exported.model)
    )
    lines = []
    manifest = writer.write(
        tmp_path / "model",
        exported.about,
        endpoints,
        {"one": exported.data.x[0]},
        None,
        lines.append,
    )
    assert set(manifest["formats"]) == {
        *("model.keras", "serving:serving_default", "serving:step", "step_dynamic.tflite")
    }
    assert not (tmp_path / "model" / "step.tflite").exists()
    named = [line for line in lines if line.startswith("left out: ")]
    assert named[0] == "left out: there is no model.tflite: an operation is missing"
    assert named[1].startswith("left out: there is no step.tflite: its worst difference")
    assert sum("step.tflite: its worst" in limit for limit in manifest["limits"]) == 1
    card_text = (tmp_path / "model" / "CARD.md").read_text()
    assert "There is no model.tflite: an operation is missing" in card_text


def test_a_required_file_that_cannot_be_made_is_an_error(exported, tmp_path, monkeypatch):
    monkeypatch.setattr(
        writer, "convert_files", lambda *words: tflite.Converted([], {"step.tflite": "none"})
    )
    monkeypatch.setattr(writer, "replay_formats", lambda *words: Replayed())
    endpoints = writer.Endpoints(view(exported.model, fused=False), step_model(exported.model))
    options = writer.ExportOptions(required=["step.tflite"])
    with pytest.raises(RuntimeError, match=r"There is no step\.tflite: none"):
        writer.write(
            tmp_path / "model", exported.about, endpoints, {"one": exported.data.x[0]}, options
        )
    assert not (tmp_path / "model").exists()


def test_a_quantised_format_that_is_far_off_is_left_out_with_a_reason(exported, tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(exported.folder, copy)
    with np.load(copy / "golden.npz") as file:
        golden = dict(file)
    golden["prediction"] = golden["prediction"] * 3
    np.savez(copy / "golden.npz", **golden)
    made = [formats.tflite_format("step", "int8")]
    replayed = replay_formats(
        copy, made, "x", {"prediction": golden["prediction"]}, lambda text: None
    )
    assert replayed.entries == {}
    assert "more than 0.25" in replayed.dropped["step_int8.tflite"]


def test_replay_cannot_import_this_package():
    finder = ForbiddenImports(("zoo",))
    with pytest.raises(ImportError, match="must not need it"):
        finder.find_spec("zoo.cells")
    assert finder.find_spec("numpy") is None


def test_a_crash_in_a_child_is_an_answer_and_the_rest_goes_on(tmp_path):
    script = tmp_path / "child.py"
    script.write_text(
        "import json, os, sys\n"
        "for line in sys.stdin:\n"
        "    job = json.loads(line)\n"
        "    if job['crash']: os.kill(os.getpid(), 11)\n"
        "    print(json.dumps({'result': job['n']}), flush=True)\n"
    )
    jobs = [{"n": 1, "crash": False}, {"n": 2, "crash": True}, {"n": 3, "crash": False}]
    answers = children.run_jobs([str(script)], jobs, lambda job: None)
    assert answers[0] == {"result": 1} and answers[2] == {"result": 3}
    assert answers[1] == {"error": f"the process crashed with {signal.Signals(11).name}"}


def test_states_to_calibrate_on_are_those_of_a_run(exported):
    from zoo.recurrent import step_model

    x = exported.data.x[:2]
    states = formats.visited_states(step_model(exported.model), x)
    assert len(states["x"]) == 2 * STEPS
    outputs = exported.model(x)
    cells = np.concatenate([np.zeros((2, 1, 4)), np.asarray(outputs["cell_1"])[:, :-1]], axis=1)
    rows = {tuple(np.round(row, 5)) for row in cells.reshape(-1, 4)}
    assert {tuple(np.round(row, 5)) for row in states["cell_1"].astype(float)} == rows


def test_a_tensor_that_nobody_described_is_refused(exported):
    with pytest.raises(ValueError, match="must describe 'gate_0'"):
        entries.tensor_entry(exported.about, "gate_0", (None, 4), "float32")


def test_card_needs_nothing_but_the_manifest(exported):
    facts = json.loads((exported.folder / "manifest.json").read_text())
    assert card.card_text(facts) == (exported.folder / "CARD.md").read_text()


def test_a_step_with_nothing_to_hold_in_8_bits_says_so(tmp_path):
    x = np.tile(np.float32([0.05, 1.0, 0.05]), (1, 20, 1))
    step = step_model(presets.material("maxwell").build(x, np.ones((1, 20, 1), np.float32)))
    shapes = formats.one_row(step)
    formats.save_endpoints(
        tmp_path / "network", {"step": (step, formats.input_specs(step, shapes))}
    )
    np.savez(tmp_path / "samples.npz", **formats.visited_states(step, x))
    job = {
        "network": str(tmp_path / "network"),
        "endpoint": "step",
        "weights": "int8",
        "states": True,
        "samples": str(tmp_path / "samples.npz"),
        "front": None,
        "out": str(tmp_path / "step_int8.tflite"),
    }
    (answer,) = children.run_jobs(["-m", "zoo.export.convert"], [job], lambda job: None)
    assert "no matrix products" in answer["error"] and not (tmp_path / "step_int8.tflite").exists()


def test_what_must_be_imported_to_open_a_model_is_named_but_for_keras_own_layers(tmp_path):
    keras = pytest.importorskip("keras")
    plain = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    assert formats.save_keras(tmp_path / "plain.keras", plain) == ()
    ours = presets.recurrent("lstm", units=2).build(np.ones((2, 5, 3)), np.ones((2, 5, 1)))
    assert formats.save_keras(tmp_path / "ours.keras", ours) == ("zoo.registration",)
