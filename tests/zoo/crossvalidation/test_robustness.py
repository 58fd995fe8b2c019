"""Robustness: each condition is what its name says, measured on the changed waveforms."""

import numpy as np
import pytest
from scipy.signal import welch

from tests.small_models import small_sound_model
from zoo import crossvalidation
from zoo.crossvalidation import Predictions
from zoo.data.synthesis.collection import scene_clips

RATE = 32_000
RNG = np.random.default_rng(0)


def power_db(x: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.mean(np.square(x, dtype=np.float64), axis=1))


def test_levels_noise_bandwidth_and_crop_by_numbers():
    x = RNG.normal(size=(2, RATE)).astype(np.float32)
    conditions = crossvalidation.robustness_conditions(RATE)
    changed = {name: change(x, 0) for name, change in conditions.items()}
    assert {y.shape for y in changed.values()} == {x.shape}
    np.testing.assert_array_equal(changed["as recorded"], x)
    for gain_db in (20, 40):
        np.testing.assert_allclose(
            power_db(x) - power_db(changed[f"{gain_db} dB softer"]), gain_db, atol=1e-3
        )
    noise = changed["white noise, SNR 20 dB"] - x
    np.testing.assert_allclose(power_db(x) - power_db(noise), 20, atol=0.1)
    hz, density = welch(changed["nothing above 8 kHz"], RATE, nperseg=1024)
    kept = (hz > 100) & (hz < 7900)  # no constant: the density of single segments takes it off
    assert density[:, hz > 8200].max() < 1e-4 * density[:, kept].min()
    half = changed["middle half, repeated"]
    np.testing.assert_array_equal(half[:, : RATE // 2], x[:, RATE // 4 : 3 * RATE // 4])
    np.testing.assert_array_equal(half[:, RATE // 2 :], half[:, : RATE // 2])


def test_microphones_have_the_responses_that_their_names_say():
    impulse = np.zeros((1, RATE), np.float32)
    impulse[0, RATE // 2] = 1
    conditions = crossvalidation.robustness_conditions(RATE)
    level = {
        name: 20 * np.log10(np.abs(np.fft.rfft(conditions[name](impulse, 0)[0])))  # bins of 1 Hz
        for name in ("telephone band", "small microphone", "microphone in a pocket")
    }
    telephone, small, pocket = level.values()
    np.testing.assert_allclose(telephone[[300, 1000, 3400]], [-3.01, 0, -3.01], atol=0.02)
    assert telephone[150] == pytest.approx(-24.1, abs=0.1)
    assert small.argmax() == pytest.approx(3000, rel=0.05) and 9 < small.max() < 10.1
    np.testing.assert_allclose(pocket[[1000, 8000]], [-3.01, -18.13], atol=0.02)
    assert "telephone band" not in crossvalidation.robustness_conditions(8000)


def test_echoes_fall_by_60_db_in_half_a_second():
    impulse = np.zeros((1, RATE), np.float32)
    impulse[0, 0] = 1
    h = crossvalidation.robustness_conditions(RATE)["reverberation 0.5 s"](impulse, 0)[0]
    assert np.sum(h[1:] ** 2) == pytest.approx(h[0] ** 2, rel=0.01)  # ratio of 0 dB
    early, late = (np.mean(h[k : k + 1600] ** 2) for k in (1, 1 + RATE // 4))
    assert 10 * np.log10(early / late) == pytest.approx(30, abs=1)


def test_a_band_that_is_not_there_is_no_condition():
    assert "nothing above 8 kHz" not in crossvalidation.robustness_conditions(16_000)


def test_each_condition_is_predicted_and_accuracy_is_over_all_folds():
    clips = scene_clips(
        sites=5, seed=0, scenes=("rain", "speech"), duration_s=0.5, sample_rate_hz=8000
    )
    model = small_sound_model("small", 2, sample_rate_hz=8000, duration_s=0.5)
    rows = np.array([1, 4, 7])
    predictions = crossvalidation.make_robustness_evaluator(clips, 0.5)(model, rows)
    assert list(predictions) == list(crossvalidation.robustness_conditions(8000))
    np.testing.assert_allclose(
        predictions["as recorded"].probabilities, model(clips[rows].to_array())["probabilities"]
    )
    labels = np.array([0, 1])
    right, wrong = np.eye(2), np.eye(2)[::-1]
    folds = [
        {"as recorded": Predictions(labels, right, labels), "far": Predictions(labels, p, labels)}
        for p in (right, wrong)
    ]
    accuracy = crossvalidation.robustness_accuracy(folds)
    assert accuracy == {"as recorded": 1.0, "far": 0.5}
    entry = crossvalidation.robustness_metrics(accuracy)["accuracy, far"]
    assert entry == {"value": 0.5, "baseline": 1.0, "baseline_name": "as recorded"}
    assert crossvalidation.robustness_accuracy([{}, {}]) == {}
