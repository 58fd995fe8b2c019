"""Occlusion maps: exact where the log-odds are a sum, at the right frequencies and times."""

from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from zoo import plots
from zoo.convnets import standardize_of
from zoo.explain import explain as explain_by
from zoo.explain.methods import MIN_EVIDENCE_NATS
from zoo.spectrogram import FrontEnd, Spectrogram, Standardize, Trim

explain = partial(explain_by, method="occlusion")

RATE, SECONDS = 8000, 1.6
FRONT = FrontEnd(
    sample_rate_hz=RATE, window_s=0.032, hop_s=0.016, scale="linear", fmin_hz=500, fmax_hz=3500
)
NOISE_DB = -42.5  # the median of what `tone` has outside of it
RNG = np.random.default_rng(0)

SAVED_MODELS = Path("saved_models")


def linear(
    weights: np.ndarray, *, pool: int = 1, offset: float = 1.0, trim: bool = False
) -> keras.Model:
    """Log-odds of "tone" are sum(weights x) + offset, x the standardized spectrogram."""
    waveform = keras.Input((round(RATE * SECONDS),), name="waveform")
    x = Spectrogram(FRONT, name="spectrogram")(waveform)
    if pool > 1:
        x = layers.AveragePooling2D(pool, name="pooled")(x)
    if trim:
        x = Trim(name="trim")(x)
    x = Standardize(name="standardize", per_band=False)(x)
    there = layers.Dense(1, activation="sigmoid", name="there")(layers.Flatten()(x))
    both = layers.Concatenate(name="probabilities")([layers.Rescaling(-1.0, 1.0)(there), there])
    model = keras.Model(waveform, {"probabilities": both})
    model.get_layer("there").set_weights([weights.reshape(-1, 1), np.full(1, offset)])
    standardize_of(model).mean.assign([[NOISE_DB]])
    standardize_of(model).deviation.assign([20.0])
    return model


def tone() -> np.ndarray:
    """2 kHz from 0.6 to 1 s in silence that is nearly one."""
    t = np.arange(round(RATE * SECONDS)) / RATE
    sounds = (t >= 0.6) & (t < 1.0)
    noise = np.random.default_rng(0).normal(size=len(t))
    return (1e-3 * noise + 0.3 * sounds * np.sin(2e3 * 2 * np.pi * t)).astype(np.float32)


def shape_behind(pool: int) -> tuple[int, int]:
    return FRONT.frames(round(RATE * SECONDS)) // pool, FRONT.bands // pool


def test_the_evidence_is_the_mean_over_patches_of_what_they_add_to_the_log_odds():
    shape = shape_behind(1)
    weights = 0.1 * RNG.normal(size=shape)
    model, waveform = linear(weights), tone()
    result = explain(
        model, waveform, ("none", "tone"), label="tone", patch_s=0.16, patch_share=0.125
    )
    x = (result.level - NOISE_DB) / 20
    height, width = round(0.16 / 0.016), round(0.125 * shape[1])
    rows = sorted({*range(0, shape[0] - height + 1, height // 2), shape[0] - height})
    columns = sorted({*range(0, shape[1] - width + 1, width // 2), shape[1] - width})
    total, count = np.zeros(shape), np.zeros(shape)
    for i in rows:
        for j in columns:
            where = slice(i, i + height), slice(j, j + width)
            total[where] += (weights * x)[where].sum()
            count[where] += 1
    assert count.min() >= 1
    np.testing.assert_allclose(result.evidence, total / count, atol=2e-4)
    log_odds = (weights * x).sum() + 1
    assert result.probability == pytest.approx(1 / (1 + np.exp(-log_odds)), rel=1e-4)
    at = result.region.frames, result.region.bands
    rest = log_odds - (weights * x)[at].sum()
    assert result.region.without == pytest.approx(1 / (1 + np.exp(-rest)), rel=1e-4)
    against = explain(model, waveform, ("none", "tone"), label="none", patch_s=0.16)
    np.testing.assert_allclose(against.evidence, -result.evidence, atol=2e-4)


@pytest.mark.parametrize("pool", [1, 2])
def test_a_tone_is_found_where_and_when_it_sounds(pool):
    model = linear(np.full(shape_behind(pool), 0.02 * pool**2), pool=pool, offset=-8.0)
    result = explain(model, tone(), ("none", "tone"), patch_s=0.064, patch_share=0.05)
    assert result.evidence.shape == result.level.shape
    at = result.region
    assert at.from_s == pytest.approx(0.6, abs=0.08) and at.to_s == pytest.approx(1.0, abs=0.08)
    assert 1600 < at.low_hz < 2000 < at.high_hz < 2400
    assert at.without < result.probability
    assert result.sentence() == (
        f"tone {result.probability:.2f}: {at.from_s:.2f} to {at.to_s:.2f} s, {at.low_hz:,.0f} to "
        f"{at.high_hz:,.0f} Hz; without it {at.without:.2f}"
    )


def test_without_evidence_no_region_is_named():
    result = explain(linear(np.zeros(shape_behind(1))), tone(), ("none", "tone"))
    assert result.region is None and np.abs(result.evidence).max() < MIN_EVIDENCE_NATS
    assert result.sentence() == (
        "tone 0.73: evidence is spread over the clip, no single region stands out"
    )


def test_trimmed_silence_has_no_evidence_and_repeated_frames_are_occluded_in_all_copies():
    weights = np.full(shape_behind(1), 1e-3)
    model, sound = linear(weights, trim=True), tone()
    t = np.arange(len(sound)) / RATE
    sound[(t < 0.6) | (t >= 1.0)] = 0  # digital silence, which `trim` cuts off
    result = explain(model, sound, ("none", "tone"), label="tone", patch_s=0.3)
    silent = (result.times_s < 0.58) | (result.times_s > 1.02)
    assert np.all(result.evidence[silent] == 0) and result.evidence[~silent].max() > 1e-4
    kept = np.flatnonzero(result.level.max(axis=1) > result.level.max() - 60)
    x = (result.level[kept[0] : kept[-1] + 1] - NOISE_DB) / 20
    times = np.bincount(np.arange(len(result.level)) % len(x))  # copies of each frame
    # one patch over everything: what the whole sound adds to the log-odds
    whole = explain(
        model, sound, ("none", "tone"), label="tone", patch_s=2 * SECONDS, patch_share=1.0
    )
    expected = (1e-3 * x * times[:, None]).sum()
    np.testing.assert_allclose(whole.evidence[kept[0] : kept[-1] + 1], expected, rtol=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"waveform": np.zeros(10, np.float32)}, r"shape \(12800,\). Received: \(10,\)"),
        ({"classes": ("tone",)}, "the 2 outputs of the model. Received: 1"),
        ({"label": "dog"}, "one of none, tone. Received: 'dog'"),
        (
            {"model": keras.Sequential([keras.Input((2,)), layers.Dense(1)])},
            "Expected a sound model",
        ),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    given = {"model": linear(np.zeros(shape_behind(1))), "waveform": tone()}
    given |= {"classes": ("none", "tone"), **change}
    with pytest.raises(ValueError, match=message):
        explain(**given)


def test_the_figure_frames_the_region_in_both_panels():
    level, times_s = RNG.normal(size=(20, 8)), 0.1 * np.arange(20)
    figure = plots.evidence(
        level,
        level,
        times_s,
        np.geomspace(100, 4000, 8),
        label="dog 0.97",
        region=(slice(5, 10), slice(2, 4)),
    )
    for panel in figure.axes[:2]:
        (frame,) = [patch for patch in panel.patches if patch.get_width() < 1.9]
        assert frame.get_x() == pytest.approx(0.45) and frame.get_width() == pytest.approx(0.5)
        assert (frame.get_y(), frame.get_height()) == (1.5, 2)


def test_times_count_from_the_start_of_the_recording_and_end_with_the_clip():
    model, sound = linear(np.full(shape_behind(1), 0.02), offset=-8.0), tone()
    small = {"patch_s": 0.064, "patch_share": 0.05}
    late = explain(model, np.roll(sound, round(0.6 * RATE)), ("none", "tone"), **small)
    shifted = explain(model, sound, ("none", "tone"), start_s=3.0, **small)
    assert late.region.to_s == pytest.approx(SECONDS)
    assert shifted.region.from_s == pytest.approx(3.6, abs=0.08)
