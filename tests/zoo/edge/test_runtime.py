"""The runtime: the states inside, nothing parsed before its hash, one line for every mistake."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import zoo.edge
from tests import edge_models

ROOT = Path(__file__).parents[3]
STRESS = sorted(p.parent for p in (ROOT / "saved_models").glob("*/step.tflite"))
STRESS = [folder for folder in STRESS if folder.name.startswith(("hysteresis", "material"))]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return edge_models.write_folder(tmp_path_factory.mktemp("edge") / "tiny-ear")


@pytest.mark.parametrize("folder", STRESS, ids=lambda folder: folder.name)
def test_stress_is_that_of_the_trained_model(folder):
    model = zoo.edge.open(folder)
    with np.load(folder / "golden.npz") as golden:
        x, expected = golden["x"], golden["prediction"]
    for case in range(min(2, len(x))):
        model.reset()
        outputs = [model.step(now)["prediction"] for now in x[case]]
        size = max(1.0, float(np.abs(expected[case]).max()))
        np.testing.assert_allclose(outputs, expected[case], atol=1e-5 * size)


def test_stress_in_8_bits_is_another_file_of_the_same_folder():
    model = zoo.edge.open(ROOT / "saved_models" / "hysteresis-lstm-wide", weights="int8")
    assert model.file == "step_int8.tflite"
    assert model.step([0.1, 1.0, 0.05])["prediction"].shape == (1,)


def test_sound_is_the_closed_form(tiny):
    model = zoo.edge.open(tiny)
    hops = np.random.default_rng(0).normal(scale=0.3, size=(20, edge_models.HOP))
    outputs = [model.step(hop)["probabilities"] for hop in hops]
    np.testing.assert_allclose(outputs, edge_models.expected(hops), rtol=1e-5)
    model.reset()
    np.testing.assert_array_equal(model.step(hops[0][None])["probabilities"], outputs[0])


def test_states_begin_where_the_manifest_says(tmp_path):
    folder = edge_models.write_folder(tmp_path / "model")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["signatures"]["step"]["inputs"]["hidden"]["initial"] = 0.25
    edge_models.write_manifest(folder, manifest)
    model = zoo.edge.open(folder)
    assert model.states["hidden"] == 0.25
    model.step(np.zeros(edge_models.HOP))
    assert model.states["hidden"] == 0.125


def test_a_step_that_fails_leaves_the_states(tiny):
    model = zoo.edge.open(tiny)
    model.step(np.full(edge_models.HOP, 0.5))
    before = model.states["hidden"]
    with pytest.raises(ValueError, match="must be finite"):
        model.step(np.full(edge_models.HOP, np.nan))
    with pytest.raises(ValueError, match=r"shape \(128,\)\. Received: \(127,\)"):
        model.step(np.zeros(127))
    with pytest.raises(ValueError, match="output is not finite"):
        model.step(np.full(edge_models.HOP, 1e30))
    np.testing.assert_array_equal(model.states["hidden"], before)
    assert np.isfinite(model.step(np.zeros(edge_models.HOP))["probabilities"]).all()


def mutations(content, count, seed):
    """Cut short, with one bit flipped, or with a stretch overwritten."""
    rng = np.random.default_rng(seed)
    for k in range(count):
        data = bytearray(content)
        place = int(rng.integers(len(data)))
        if k % 3 == 0:
            data = data[:place]
        elif k % 3 == 1:
            data[place] ^= 1 << int(rng.integers(8))
        else:
            data[place : place + 16] = rng.bytes(len(data[place : place + 16]))
        yield bytes(data)


def test_a_changed_model_is_never_parsed(tiny, tmp_path, monkeypatch):
    copy = shutil.copytree(tiny, tmp_path / "model")
    content = (copy / "step.tflite").read_bytes()
    monkeypatch.setattr("zoo.edge.runtime._load", lambda *_: pytest.fail("it was parsed"))
    for mutation in mutations(content, 60, seed=0):
        (copy / "step.tflite").write_bytes(mutation)
        with pytest.raises(ValueError, match="SHA-256 differs") as caught:
            zoo.edge.open(copy)
        assert "\n" not in str(caught.value)
    (copy / "step.tflite").unlink()
    with pytest.raises(ValueError, match="is missing"):
        zoo.edge.open(copy)


def test_a_changed_manifest_is_not_believed(tiny, tmp_path):
    copy = shutil.copytree(tiny, tmp_path / "model")
    content = (copy / "manifest.json").read_bytes()
    for mutation in mutations(content, 90, seed=2):
        if mutation == content:
            continue
        (copy / "manifest.json").write_bytes(mutation)
        with pytest.raises(
            ValueError, match=r"not a manifest|seal is broken|of format 2|format 1 has"
        ):
            zoo.edge.open(copy)


def test_a_seal_that_is_none_is_refused(tiny, tmp_path):
    copy = shutil.copytree(tiny, tmp_path / "model")
    text = (copy / "manifest.json").read_text()
    seal = json.loads(text)["seal"]
    for odd in ('""', "3", "null", '"0"', '"é"', '"' + "0" * 64 + '"'):
        (copy / "manifest.json").write_text(text.replace(f'"{seal}"', odd))
        with pytest.raises(ValueError, match="seal is broken"):
            zoo.edge.open(copy)


def test_a_manifest_from_before_seals_is_refused(tiny, tmp_path):
    copy = shutil.copytree(tiny, tmp_path / "model")
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["seal"]
    (copy / "manifest.json").write_text(json.dumps({**manifest, "format": 1}))
    with pytest.raises(ValueError, match=r"format 1 has no seal.*--renew"):
        zoo.edge.open(copy)


def test_a_file_that_is_no_model_is_one_line(tmp_path):
    # Right by its hash, and still nonsense.
    for k, mutation in enumerate(mutations(edge_models.sound_model()[:64], 9, seed=1)):
        folder = edge_models.write_folder(tmp_path / str(k), content=mutation)
        with pytest.raises(ValueError, match=r"step\.tflite: not a TFLite step model"):
            zoo.edge.open(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"files": {}}, "no hash of it"),
        ({"files": []}, "not a manifest"),
        ({"files": {"step.tflite": {"sha256": 3, "bytes": 1}}}, "not a manifest"),
        ({"signatures": {}}, "does not describe the state"),
        ({"formats": {}}, "not a model that streams|none: it is not"),
        ({"formats": {"a": 3}}, "not a manifest"),
        ({"format": 99}, "manifest of format 2, got 99"),
        ({"format": None}, "got None"),
    ],
)
def test_a_manifest_that_lacks_something_is_one_line(tmp_path, change, message):
    folder = edge_models.write_folder(tmp_path / "model", **change)
    with pytest.raises(ValueError, match=message) as caught:
        zoo.edge.open(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "file", ["../step.tflite", "/etc/x.tflite", "a\\step.tflite", "a/b.tflite"]
)
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path, file):
    entry = {"file": file, "endpoint": "step", "weights": "float32"}
    content = edge_models.sound_model()
    folder = edge_models.write_folder(
        tmp_path / "in" / "model",
        formats={file: entry},
        files={file: {"sha256": "0" * 64, "bytes": len(content)}},
    )
    with pytest.raises(ValueError, match="name of a file in the folder"):
        zoo.edge.open(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "\x00", "[" * 100_000, '{"files": {}}'])
def test_text_that_is_no_manifest_is_one_line(tiny, tmp_path, text):
    copy = shutil.copytree(tiny, tmp_path / "model")
    (copy / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match="not a manifest"):
        zoo.edge.open(copy)


def test_what_is_not_there_is_named(tiny, tmp_path):
    with pytest.raises(ValueError, match=r"no manifest\.json"):
        zoo.edge.open(tmp_path)
    with pytest.raises(ValueError, match=r"'int8'\. There are: float32"):
        zoo.edge.open(tiny, weights="int8")


def test_it_runs_where_nothing_else_is_installed(tiny):
    """Only numpy, LiteRT, and of this project zoo.edge with what it stands on, are imported."""
    script = """
import sys

ALLOWED = {"numpy", "ai_edge_litert", "flatbuffers"}
LIGHT = {"zoo", "zoo.edge", "zoo.files", "zoo.late_registration", "zoo.manifest"}

class Bare:
    def find_spec(self, name, path=None, target=None):
        first = name.split(".")[0]
        room = ".".join(name.split(".")[:2])
        if first == "zoo" and room not in LIGHT:
            raise ImportError(name)
        if first not in ALLOWED | {"zoo"} and not (first in sys.stdlib_module_names):
            raise ImportError(name)

sys.meta_path.insert(0, Bare())
import numpy as np
import zoo.edge

stress = zoo.edge.open(sys.argv[1]).step([0.1, 2.0, 0.05])["prediction"]
classifier = zoo.edge.StreamClassifier(zoo.edge.open(sys.argv[2]), 44_100)
results = classifier.process(np.zeros((44_100, 2), np.int16))
print(stress.shape, len(results), results[0].condition)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(STRESS[0]), str(tiny)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "(1,) 62 silent\n"
