"""The teacher in Keras against its TFLite file in LiteRT; skipped where there is none.

The file is named by the variable ZOO_TEACHER.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from zoo.teachers import build_yamnet, open_teacher, weights_of
from zoo.teachers.runtime import PATCH

FILE = Path(os.environ.get("ZOO_TEACHER", "yamnet.tflite"))
needs_file = pytest.mark.skipif(not FILE.is_file(), reason="no file of the teacher, ZOO_TEACHER")


def test_another_file_is_refused(tmp_path):
    with pytest.raises(OSError, match=r"absent\.tflite"):
        open_teacher(tmp_path / "absent.tflite")
    file = Path("saved_models/hysteresis-rnn/step.tflite")
    with pytest.raises(ValueError, match="expected YAMNet"):
        open_teacher(file)
    with pytest.raises(ValueError, match="expected YAMNet"):
        weights_of(file)


def test_a_waveform_below_a_patch_is_refused():
    with pytest.raises(ValueError, match="A patch takes 15600 samples"):
        build_yamnet({}, samples=PATCH - 1)


@needs_file
def test_embedding_and_scores_are_those_of_the_file():
    rng = np.random.default_rng(0)
    time_s = np.arange(PATCH + 2 * 7680) / 16_000
    chirp = np.sin(2 * np.pi * (300 + 400 * time_s) * time_s)
    noise = rng.normal(size=time_s.size) * np.exp(-3 * (time_s % 0.5))
    x = (0.2 * chirp + 0.1 * noise).astype(np.float32)
    teacher_output = open_teacher(FILE)(x, 16_000)
    assert teacher_output.embeddings.shape == (3, 1024) and teacher_output.scores.shape == (3, 521)
    model = build_yamnet(weights_of(FILE), len(x))
    outputs = {name: np.asarray(each)[0] for name, each in model(x[None]).items()}
    for name, of_file in (
        ("embedding", teacher_output.embeddings),
        ("scores", teacher_output.scores),
    ):
        a, b = outputs[name], of_file.mean(axis=0)
        # LiteRT rounds activations to 8 bits as well
        assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.99
