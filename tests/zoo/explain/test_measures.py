"""Measures of explanations, on events whose place is known and networks whose answer is known."""

import base64
import io
import re

import keras
import numpy as np
import pytest
import soundfile
from scipy import special

from tests.zoo.explain.test_gradients import linear, noise
from zoo.data.synthesis.events import EVENT_KINDS, HIGH_HZ, RATE_HZ, event_clip
from zoo.data.synthesis.truth import Event
from zoo.explain import Explanation, explain, explanation_page
from zoo.explain.clip import open_clip
from zoo.explain.measures import (
    deletion_and_insertion,
    localise,
    onset_error_s,
    randomised,
    rank_correlation,
    true_region,
)
from zoo.presets import sound
from zoo.spectrogram import FrontEnd

TIMES_S = np.arange(10) * 0.1
HZ = np.array([100.0, 200.0, 400.0, 800.0])


def explanation(evidence: np.ndarray) -> Explanation:
    return Explanation("a", 0.9, np.zeros((10, 4)), evidence, TIMES_S, HZ, None)


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_nearly_all_energy_of_an_event_lies_in_its_rectangle(kind):
    clip = event_clip(kind, 3)
    (event,) = clip.events
    alone = clip.parts["event"]
    inside = slice(round(event.onset_s * RATE_HZ), round(event.offset_s * RATE_HZ))
    assert np.abs(np.delete(alone, np.r_[inside])).max() == 0
    power = np.abs(np.fft.rfft(alone[inside])) ** 2
    hz = np.fft.rfftfreq(len(alone[inside]), 1 / RATE_HZ)
    within = (hz >= event.low_hz) & (hz <= event.high_hz)
    assert power[within].sum() > 0.93 * power.sum()
    assert 0 < event.low_hz < event.high_hz < 1.1 * HIGH_HZ
    np.testing.assert_allclose(sum(clip.parts.values()), clip.samples, atol=1e-6)
    np.testing.assert_array_equal(event_clip(kind, 3).samples, clip.samples)


def test_localisation_counts_the_highest_point_and_the_share_inside():
    evidence = np.zeros((10, 4))
    evidence[3, 1], evidence[8, 3], evidence[5, 0] = 3.0, 1.0, -5.0
    event = Event("a", 0.25, 0.45, 150.0, 250.0)
    truth = true_region(explanation(evidence), event)
    result = localise(explanation(evidence), truth)
    assert result.hit
    assert result.inside == pytest.approx(0.75)  # negative evidence is no part of it
    assert result.area == pytest.approx(2 / 40)
    assert onset_error_s(explanation(evidence), 0.25) == pytest.approx(0.05)
    assert not localise(explanation(-evidence), truth).hit
    assert true_region(explanation(evidence), event, margin_s=0.1).sum() == 4
    assert true_region(explanation(evidence), event, margin_octaves=0.6).sum() == 4


def test_deletion_falls_fast_where_the_order_is_right():
    model = linear()
    clip = open_clip(model, noise())
    layer = model.get_layer("probabilities")
    layer.set_weights([0.02 * each for each in layer.get_weights()])  # not near 0 or 1
    weights = layer.get_weights()[0]
    points = (weights[:, 1] - weights[:, 0]).reshape(clip.features.shape[:2])
    points = points * clip.features[..., 0]
    # Of a sum, by hand: the log-odds of what is left, from the whole clip to nothing in 10 steps.
    descending = np.sort(points, axis=None)[::-1].astype(np.float64)
    counts = np.linspace(0, points.size, 11).astype(int)
    sums = np.array([descending[:count].sum() for count in counts])
    offset = float(layer.get_weights()[1] @ [-1, 1])
    deletion, insertion = deletion_and_insertion(clip, 1, points)
    assert deletion == pytest.approx(special.expit(offset + sums[-1] - sums).mean(), abs=1e-4)
    assert insertion == pytest.approx(special.expit(offset + sums).mean(), abs=1e-4)
    # What is deleted in one order is inserted in the other.
    wrong = deletion_and_insertion(clip, 1, -points)
    assert wrong[1] == pytest.approx(deletion, abs=0.01)
    assert deletion < insertion


def test_random_weights_leave_no_evidence_that_correlates():
    first = np.arange(12.0).reshape(3, 4)
    assert rank_correlation(first, first**3) == pytest.approx(1.0)
    assert rank_correlation(first, -first) == pytest.approx(-1.0)
    assert rank_correlation(first, np.ones((3, 4))) == 0.0
    model = linear()
    ((name, copy),) = randomised(model)
    assert name == "probabilities"
    before, after = (m.get_layer(name).get_weights()[0] for m in (model, copy))
    assert not np.array_equal(before, after)
    np.testing.assert_allclose(np.sort(before, axis=None), np.sort(after, axis=None))


def test_a_planted_artefact_shows_in_the_explanation_and_on_its_page(tmp_path):
    """All clips of one class hold a weak tone, 0.3 to 0.45 s at 3 kHz, which is what is learnt."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    t = np.arange(6400) / 8000
    x = 0.05 * rng.normal(size=(48, 6400))
    y = np.arange(48) % 2
    x[y == 1] += 0.05 * np.sin(2 * np.pi * 3000 * t) * ((t > 0.3) & (t < 0.45))
    x = x.astype(np.float32)
    front = FrontEnd(sample_rate_hz=8000, window_s=0.032, hop_s=0.016, mels=32)
    model = sound("residual_tiny", 2, duration_s=0.8, front_end=front)
    model.get_layer("standardize").adapt(
        keras.Model(model.input, model.get_layer("standardize").input)(x)
    )
    model.compile(
        keras.optimizers.Adam(3e-3),
        loss={"probabilities": keras.losses.SparseCategoricalCrossentropy()},
    )
    model.fit(x, {"probabilities": y}, epochs=12, batch_size=16, verbose=0)
    result = explain(model, x[1], ("clean", "artefact"), label="artefact", patch_s=0.1)
    assert result.region is not None
    assert result.region.low_hz < 3000 < result.region.high_hz
    at_s, at_hz = result.strongest
    assert 0.2 < at_s < 0.55
    assert 2400 < at_hz < 3700
    # The page says so in words, and the evidence that is heard there is the tone.
    recording = tmp_path / "clip.wav"
    soundfile.write(recording, x[1], 8000, subtype="FLOAT")
    page = explanation_page("planted", model, recording, [result], "zoo explain").write(
        tmp_path / "page.html"
    )[-1]
    text = page.read_text()
    low_hz, high_hz = re.findall(r"([\d,]+) to ([\d,]+) Hz; without it", text)[0]
    assert float(low_hz.replace(",", "")) < 3000 < float(high_hz.replace(",", ""))
    players = re.findall(r'audio/wav;base64,([^"]+)', text)
    heard, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(players[1])))
    power = np.abs(np.fft.rfft(heard)) ** 2
    hz = np.fft.rfftfreq(len(heard), 1 / rate_hz)
    assert power[np.abs(hz - 3000) < 400].sum() > 0.6 * power.sum()
