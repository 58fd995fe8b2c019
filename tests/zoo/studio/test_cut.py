"""A classifier cut behind its front end computes what it computed as a whole."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from zoo import folders
from zoo.studio.cut import cut_behind_front_end


def _run(content, **inputs):
    return Interpreter(model_content=content).get_signature_runner("serving_default")(**inputs)


@pytest.mark.parametrize("name", ["scenes-tiny", "scenes-distilled"])
def test_both_parts_together_are_the_whole(name):
    content = (folders.find(name) / "model.tflite").read_bytes()
    parts = cut_behind_front_end(content)
    assert parts is not None
    with np.load(folders.find(name) / "golden.npz") as golden:
        waveform = golden["waveform"][:1].copy()
    waveform[:, : waveform.shape[1] // 3] = 0  # what the front end trims, where it does
    found = _run(parts[0], waveform=waveform)
    together = _run(parts[1], features=found["features"])
    np.testing.assert_array_equal(
        together["probabilities"], _run(content, waveform=waveform)["probabilities"]
    )
    assert found["level"].shape == found["features"].shape
    if "frames" in found:
        frames = found["frames"][0]
        assert frames[0] == pytest.approx(len(frames) / 3, abs=2)
        assert frames.max() == len(frames) - 1
    assert max(map(len, parts)) < len(content)


@pytest.mark.parametrize(
    "file", ["hysteresis-gru/step.tflite", "wheeze-tiny/model.tflite"], ids=["step", "folded away"]
)
def test_a_file_without_standardization_has_no_such_front_end(file):
    name, part = file.split("/")
    assert cut_behind_front_end((folders.find(name) / part).read_bytes()) is None
