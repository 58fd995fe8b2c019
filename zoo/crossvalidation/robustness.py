"""Accuracy on held-out clips that are softer, noisy, filtered, reverberant or cut."""

from collections.abc import Callable, Sequence
from functools import partial

import keras
import numpy as np
import tensorflow as tf

from zoo.augment import AddNoise, Gain, Room
from zoo.crossvalidation.predictions import Predictions, pool_predictions
from zoo.data.clips import Clips
from zoo.metrics import multiclass
from zoo.progress import say

AS_RECORDED = "as recorded"
LOW_PASS_HZ = 8000.0
MIN_MICROPHONE_RATE_HZ = 16_000  # below it the responses of microphones differ little
BATCH_SIZE = 16

Change = Callable[[np.ndarray, int], np.ndarray]  # waveforms (batch, samples), seed -> the same
RobustnessEvaluator = Callable[[keras.Model, np.ndarray], dict[str, Predictions]]


def robustness_conditions(sample_rate_hz: float) -> dict[str, Change]:
    """Changes of waveforms (batch, samples) that a classifier of clips should tolerate.

    Each is one number, not a range, so that tables of several models can be compared: gains of -20
    and -40 dB; white noise 20 dB below the mean power of the clip; nothing above 8 kHz, where there
    is something; echoes of a reverberation time of 0.5 s, as strong as the direct sound; the
    middle half of the clip, repeated; from 16 kHz on, the responses of `MICROPHONES`, whose
    resonance and steep edges no augmentation of this package draws.

    Args:
        sample_rate_hz: of the waveforms [Hz].

    Returns:
        Name of the condition -> change(waveforms, seed); the first changes nothing.
    """
    room = Room(sample_rate_hz, reverberation_s=(0.5, 0.5), direct_db=(0.0, 0.0))
    conditions: dict[str, Change] = {
        AS_RECORDED: lambda x, seed: x,
        "20 dB softer": _layer(Gain((-20.0, -20.0))),
        "40 dB softer": _layer(Gain((-40.0, -40.0))),
        "white noise, SNR 20 dB": _layer(AddNoise((20.0, 20.0), (0.0, 0.0))),
    }
    if sample_rate_hz > 2 * LOW_PASS_HZ:
        conditions["nothing above 8 kHz"] = lambda x, seed: _low_pass(x, sample_rate_hz)
    conditions["reverberation 0.5 s"] = _layer(room)
    conditions["middle half, repeated"] = lambda x, seed: _middle_half(x)
    if sample_rate_hz >= MIN_MICROPHONE_RATE_HZ:
        for name, response_db in MICROPHONES.items():
            conditions[name] = partial(_through, response_db, sample_rate_hz)
    return conditions


def make_robustness_evaluator(clips: Clips, duration_s: float) -> RobustnessEvaluator:
    """A function that predicts held-out clips under each of `robustness_conditions`.

    Args:
        clips: waveforms, all.
        duration_s: of a clip for the model [s].

    Returns:
        (model, test rows) -> condition -> predictions of the test rows.

    Raises:
        ValueError: features instead of waveforms.
    """
    if clips.sample_rate_hz is None:
        raise ValueError("Expected waveforms. Received: clips without a sample rate.")
    return partial(_evaluate_robustness, clips, duration_s, clips.sample_rate_hz)


def _evaluate_robustness(
    clips: Clips, duration_s: float, sample_rate_hz: float, model: keras.Model, test: np.ndarray
) -> dict[str, Predictions]:
    """A function of a module, so that it can be sent to another process."""
    conditions = robustness_conditions(sample_rate_hz)
    say(f"predicting {len(test)} test clips under {len(conditions)} conditions")
    parts: dict[str, list[np.ndarray]] = {name: [] for name in conditions}
    batches = clips[test].all_batches(BATCH_SIZE, duration_s=duration_s)
    for seed, (x, _) in enumerate(batches):
        for name, change in conditions.items():
            changed = change(x.numpy(), seed)
            parts[name].append(model(changed, training=False)["probabilities"].numpy())
    labels = clips.labels[test]
    return {
        name: Predictions(labels, np.concatenate(part).astype(np.float64), test)
        for name, part in parts.items()
    }


def robustness_accuracy(folds: Sequence[dict[str, Predictions]]) -> dict[str, float]:
    """Accuracy under each condition over the test parts of all folds; empty without results.

    Args:
        folds: of each fold, condition -> predictions.
    """
    accuracy = {}
    for name in folds[0] if folds else ():
        pooled = pool_predictions([predictions[name] for predictions in folds])
        accuracy[name] = multiclass.accuracy(pooled.labels, pooled.probabilities)
    return accuracy


def robustness_metrics(accuracy: dict[str, float]) -> dict[str, dict[str, float | str]]:
    """Manifest entry of `robustness_accuracy`: each beside the accuracy on clips as recorded."""
    return {
        f"accuracy, {name}": {
            "value": value,
            "baseline": accuracy[AS_RECORDED],
            "baseline_name": AS_RECORDED,
        }
        for name, value in accuracy.items()
        if name != AS_RECORDED
    }


def _layer(layer: Gain | AddNoise | Room) -> Change:
    def change(x: np.ndarray, seed: int) -> np.ndarray:
        return layer.augment(tf.constant(x), tf.constant([0, seed])).numpy()

    return change


def telephone_db(hz: np.ndarray) -> np.ndarray:
    """Response of a telephone, 300 to 3400 Hz by Butterworth slopes of 24 dB an octave [dB]."""
    return -10 * np.log10((1 + (300 / hz) ** 8) * (1 + (hz / 3400) ** 8))


def small_microphone_db(hz: np.ndarray) -> np.ndarray:
    """Response of a small microphone in a case [dB].

    Slopes of 12 dB an octave below 250 Hz and above 6 kHz, and a resonance of 10 dB at 3 kHz, a
    normal curve of 0.3 octaves.
    """
    edges = -10 * np.log10((1 + (250 / hz) ** 4) * (1 + (hz / 6000) ** 4))
    return edges + 10 * np.exp(-0.5 * (np.log2(hz / 3000) / 0.3) ** 2)


def pocket_db(hz: np.ndarray) -> np.ndarray:
    """Response of a microphone in a pocket: 6 dB an octave above 1 kHz [dB]."""
    return -10 * np.log10(1 + (hz / 1000) ** 2)


MICROPHONES = {
    "telephone band": telephone_db,
    "small microphone": small_microphone_db,
    "microphone in a pocket": pocket_db,
}


def _through(
    response_db: Callable[[np.ndarray], np.ndarray],
    sample_rate_hz: float,
    x: np.ndarray,
    seed: int,
) -> np.ndarray:
    """Waveforms (batch, samples) through a response without delay."""
    hz = np.maximum(np.fft.rfftfreq(x.shape[1], 1 / sample_rate_hz), 1.0)
    spectrum = np.fft.rfft(x) * 10 ** (response_db(hz) / 20)
    return np.fft.irfft(spectrum, x.shape[1]).astype(np.float32)


def _low_pass(x: np.ndarray, sample_rate_hz: float) -> np.ndarray:
    spectrum = np.fft.rfft(x)
    spectrum[:, np.fft.rfftfreq(x.shape[1], 1 / sample_rate_hz) > LOW_PASS_HZ] = 0
    return np.fft.irfft(spectrum, x.shape[1]).astype(np.float32)


def _middle_half(x: np.ndarray) -> np.ndarray:
    quarter = x.shape[1] // 4
    middle = x[:, quarter : x.shape[1] - quarter]
    return np.concatenate([middle, middle], axis=1)[:, : x.shape[1]]
