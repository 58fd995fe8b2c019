"""The teach room: heads as zoo.teaching fits them, and a folder that zoo opens."""

import base64
import io
import json
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from tests.zoo.studio.node import run_module

HEADS = """
import { chooseHead, fitHead, scoresOf, unknownThreshold } from "./sound/heads.js";

const answer = ({ embeddings, labels, asked }) => {
  const heads = [["prototype", 0], ["linear", 0.001], ["linear", 0.1]].map(([kind, penalty]) => {
    const head = fitHead(embeddings, labels, kind, penalty, 3);
    return asked.map((each) => scoresOf(head, each));
  });
  const choice = chooseHead(embeddings, labels);
  return { heads, choice, threshold: unknownThreshold(choice.familiarity) };
};
"""


def test_heads_equal_python(tmp_path):
    from zoo.teaching.head_choice import choose_head
    from zoo.teaching.heads import fit_head
    from zoo.teaching.unknown import unknown_threshold

    rng = np.random.default_rng(4)
    labels = np.repeat(np.arange(3), 6)
    centres = rng.standard_normal((3, 20))
    embeddings = centres[labels] + 1.6 * rng.standard_normal((18, 20))
    asked = rng.standard_normal((5, 20))
    value = {
        "embeddings": embeddings.tolist(),
        "labels": labels.tolist(),
        "asked": asked.tolist(),
    }
    found = SimpleNamespace(**run_module(HEADS, tmp_path, value))
    kinds = ("prototype", 0.0, 1e-9), ("linear", 1e-3, 0.02), ("linear", 0.1, 1e-3)
    for here, (kind, penalty, tolerance) in zip(found.heads, kinds, strict=True):
        head = fit_head(embeddings, labels, kind, penalty, 3)
        np.testing.assert_allclose(here, head.scores(asked), atol=tolerance)
    names = [f"{k:02d}" for k in range(18)]
    choice = choose_head(embeddings, labels, names)
    assert dict(found.choice["accuracy"]) == pytest.approx(choice.accuracy)
    assert (found.choice["kind"], found.choice["penalty"]) == (choice.kind, choice.penalty)
    assert 0.4 < choice.accuracy["prototype"] < 1  # neither right nor wrong by itself
    np.testing.assert_allclose(found.choice["familiarity"], choice.familiarity, atol=1e-9)
    assert found.threshold == pytest.approx(unknown_threshold(choice.familiarity), abs=1e-9)


def test_slope_is_that_of_the_layer():
    from zoo.convnets import open_set
    from zoo.studio import head

    assert head.SLOPE == open_set.SLOPE


TEACH = """(async () => {
  const { room } = studio;
  const rate = 16000;
  const sound = (kind, k) => Float32Array.from({ length: 2 * rate }, (_, n) => {
    const t = n / rate;
    if (kind === 0) return 0.2 * Math.sin(2 * Math.PI * (300 + 20 * k) * t) * (t % 0.5 < 0.25);
    return 0.1 * (((n * 7919 + k * 104729) * 31 % 1000) / 500 - 1) * Math.exp(-4 * (t % 0.4));
  });
  room.classes.forEach((group, kind) => {
    for (let k = 0; k < 5; k++) room.addClip(group, [sound(kind, k)], rate, `clip ${k + 1}`);
  });
  await room.learn();
  const tried = [sound(0, 1.5), sound(1, 2), Float32Array.from({ length: 80000 }, (_, n) =>
    0.1 * Math.sin(n * n * 1e-5))];
  const clips = tried.map((each) => Float32Array.from({ length: 80000 }, (_, n) =>
    each[n % each.length]));
  const found = clips.map((clip) => Array.from(room.show(clip)));
  const bytes = await room.archive("my-sounds");
  const text = (array) => {
    let letters = "";
    for (let k = 0; k < array.length; k += 30000) {
      letters += String.fromCharCode(...array.subarray(k, k + 30000));
    }
    return btoa(letters);
  };
  return { status: room.status.textContent, found, zip: text(bytes),
    clips: clips.map((each) => text(new Uint8Array(each.buffer))) };
})()"""


def test_model_of_the_page_opens_everywhere(browser, studio, tmp_path):
    """Taught, tried and saved in the page; opened by zoo.edge, zoo verify and zoo predict."""
    from zoo.edge.clips import open_clips
    from zoo.export.verification import replay_golden
    from zoo.manifest import verify_folder
    from zoo.metrics.familiarity import unit_vectors
    from zoo.predictions import predict_file

    page = browser.open(f"{studio}#teach")
    page.wait("document.querySelector('[data-room=teach][data-ready]')")
    taught = SimpleNamespace(**page.evaluate(TEACH))
    assert taught.status.startswith("Learnt: head:"), taught.status
    assert page.errors == []
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(taught.zip))) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    folder = tmp_path / "my-sounds"
    manifest = verify_folder(folder)
    assert manifest["classes"] == ["clap", "voice", "unknown"]
    assert all(each.passed for each in replay_golden(folder))

    model = open_clips(folder)
    clips = [np.frombuffer(base64.b64decode(text), "<f4") for text in taught.clips]
    expected = [model.probabilities(clip) for clip in clips]
    np.testing.assert_allclose(taught.found, expected, atol=1e-4)
    assert [model.rule.label(p) for p in expected[:2]] == ["clap", "voice"]

    recording = tmp_path / "my-sounds-clips" / "voice" / "2.wav"
    assert {each.parent.name for each in recording.parents[1].rglob("*.wav")} == {"clap", "voice"}
    assert predict_file(str(folder), recording).table().rows[0][3] == "voice"

    # the head in the file is the layer of zoo.convnets.open_set: computed here from its constants
    import keras

    from zoo.convnets.open_set import OpenSet

    interpreter = model._interpreter
    constants = {
        each["name"]: interpreter.get_tensor(each["index"])
        for each in interpreter.get_tensor_details()
        if each["name"] in ("weights", "bias", "examples", "threshold")
    }
    embeddings = np.concatenate([model._run(waveform=clip[None])["embedding"] for clip in clips])
    layer = OpenSet(2, 10)
    layer.build((None, 160))
    layer.set_weights(
        [
            constants["weights"].T,
            *(constants["bias"], constants["examples"].T, constants["threshold"][0]),
        ]
    )
    by_keras = keras.ops.convert_to_numpy(layer(embeddings))
    np.testing.assert_allclose(expected, by_keras, atol=1e-5)
    np.testing.assert_allclose(
        unit_vectors(constants["examples"]), constants["examples"], atol=1e-6
    )
    assert manifest["unknown"]["threshold"] == pytest.approx(float(constants["threshold"][0, 0]))
    assert json.loads((folder / "manifest.json").read_text())["training"]["clips"] == 10
