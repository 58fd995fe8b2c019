"""Explanations of streaming, recurrent and multi-label models, against closed forms."""

import keras
import numpy as np
import pytest
import soundfile
from keras import layers

from zoo.convnets import standardize_of
from zoo.explain import evidence_of_recording, explain, explain_recording
from zoo.explain.clip import open_clip
from zoo.explain.methods import explain_clip
from zoo.explain.occlusion import sum_over_patches
from zoo.presets import sound
from zoo.spectrogram import FrontEnd, Spectrogram, Standardize

RATE, SECONDS = 8000, 0.8
FRONT = FrontEnd(
    sample_rate_hz=RATE,
    window_s=0.032,
    hop_s=0.016,
    scale="linear",
    fmin_hz=500,
    fmax_hz=3500,
    padding="causal",
)
FRAMES, BANDS = FRONT.frames(round(RATE * SECONDS)), FRONT.bands
PATCH = {"patch_s": 0.064, "patch_share": 0.125}
METHODS = ("occlusion", "gradient", "integrated-gradients")


def noise(seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).normal(size=round(RATE * SECONDS)).astype(np.float32)


def front(waveform: keras.KerasTensor) -> keras.KerasTensor:
    x = Spectrogram(FRONT, name="spectrogram")(waveform)
    return Standardize(name="standardize", per_band=False)(x)


def standardized(model: keras.Model) -> keras.Model:
    standardize_of(model).mean.assign([[-40.0]])
    standardize_of(model).deviation.assign([20.0])
    return model


@pytest.fixture(scope="module")
def sum_so_far() -> tuple[keras.Model, np.ndarray]:
    """A recurrent model y[t] = sum over s <= t of w x[s], and w (bands,)."""
    waveform = keras.Input((round(RATE * SECONDS),), name="waveform")
    x = layers.Reshape((FRAMES, BANDS))(front(waveform))
    memory = layers.SimpleRNN(1, activation="linear", return_sequences=True, name="memory")
    model = keras.Model(waveform, {"prediction": memory(x)})
    weights = 0.1 * np.random.default_rng(1).normal(size=BANDS)
    memory.set_weights([weights[:, None], np.ones((1, 1)), np.zeros(1)])
    return standardized(model), weights


@pytest.mark.parametrize("method", METHODS)
def test_of_a_sum_over_time_a_frame_counts_in_all_outputs_after_it(sum_so_far, method):
    model, weights = sum_so_far
    result = explain(model, noise(), ["sum"], method=method, **PATCH)
    x = (result.level + 40) / 20
    later = (FRAMES - np.arange(FRAMES)) / FRAMES  # share of the outputs that hold a frame
    expected = sum_over_patches(later[:, None] * x * weights, (4, round(BANDS / 8)))
    np.testing.assert_allclose(result.evidence, expected, atol=2e-3)


@pytest.mark.parametrize("method", METHODS)
def test_an_output_at_a_time_rests_on_what_was_before_it(sum_so_far, method):
    model, weights = sum_so_far
    opened = open_clip(model, noise(), at_s=0.4)
    assert opened.at == 24  # 25 hops of 16 ms end at 0.4 s
    result = explain_clip(opened, ["sum"], method=method, **PATCH)
    x = (result.level + 40) / 20
    before = (np.arange(FRAMES) <= 24)[:, None]
    expected = sum_over_patches(before * x * weights, (4, round(BANDS / 8)))
    np.testing.assert_allclose(result.evidence, expected, atol=2e-3)
    assert result.probability == pytest.approx((before * x * weights).sum(), rel=1e-3, abs=1e-3)
    assert np.abs(result.evidence[28:]).max() < 1e-5


@pytest.mark.parametrize("at_s", [-0.1, 5.0])
def test_a_time_without_an_output_is_refused(sum_so_far, at_s):
    with pytest.raises(ValueError, match=r"`at_s` must lie within 0\.02 to 0\.80 s"):
        open_clip(sum_so_far[0], noise(), at_s=at_s)


def test_a_time_counts_from_the_start_of_the_recording(sum_so_far):
    model, waveform = sum_so_far[0], noise()
    assert open_clip(model, waveform, at_s=2.4, start_s=2.0).at == 24
    with pytest.raises(ValueError, match=r"within 2\.02 to 2\.80 s\. Received: 1"):
        open_clip(model, waveform, at_s=1.0, start_s=2.0)


@pytest.fixture(scope="module")
def streaming() -> keras.Model:
    """Causal convolutions and an LSTM, as they stream."""
    keras.utils.set_random_seed(0)
    mel = FrontEnd(sample_rate_hz=RATE, window_s=0.032, hop_s=0.016, mels=32, padding="causal")
    model = sound("crnn_hop", 3, duration_s=None, front_end=mel)
    layer = standardize_of(model)
    layer.mean.assign(np.full(layer.mean.shape, -40.0))
    layer.deviation.assign(np.full(layer.deviation.shape, 20.0))
    return model


@pytest.mark.parametrize("method", ["occlusion", "gradient", "grad-cam"])
def test_a_streaming_network_with_memory_sees_nothing_of_the_future(streaming, method):
    opened = open_clip(streaming, noise(), at_s=0.4)
    result = explain_clip(opened, ("a", "b", "c"), label="b", method=method, **PATCH)
    assert result.evidence.shape == result.level.shape == (FRAMES, 32)
    late = 30  # frame 24 ends at 0.4 s, patches are 4 frames long
    assert np.abs(result.evidence[late:]).max() < 1e-5 * np.abs(result.evidence[:25]).max() + 1e-7
    assert np.ptp(result.evidence[:25]) > 0


def test_a_stream_is_explained_from_a_start_to_its_end(streaming, tmp_path, capsys):
    """A model without a length of its own takes what is left of the recording, once."""
    path, start = tmp_path / "a.wav", round(0.4 * RATE)
    soundfile.write(path, noise(), RATE, subtype="FLOAT")
    result = explain_recording(
        streaming, path, ("a", "b", "c"), start_s=0.4, at_s=0.72, method="gradient"
    )
    assert "repeated" not in capsys.readouterr().err
    assert result.window_s == (0.4, 0.8) and result.times_s[-1] < 0.8
    opened = open_clip(streaming, noise()[start:], at_s=0.32)
    alone = explain_clip(opened, ("a", "b", "c"), method="gradient")
    np.testing.assert_allclose(result.evidence, alone.evidence, atol=1e-5)
    sound, _ = evidence_of_recording(streaming, path, result)
    assert len(sound) == len(noise()) - start
    with pytest.raises(ValueError, match="must fill one frame"):
        explain_recording(streaming, path, ("a", "b", "c"), start_s=0.795)


@pytest.mark.parametrize("method", [*METHODS, "smoothgrad"])
def test_labels_that_occur_together_have_evidence_of_their_own(method):
    """Two labels, one for the lower bands and one for the upper: log-odds are sums over them."""
    waveform = keras.Input((round(RATE * SECONDS),), name="waveform")
    y = layers.Dense(2, activation="sigmoid", name="probabilities")
    model = keras.Model(waveform, {"probabilities": y(layers.Flatten()(front(waveform)))})
    half = BANDS // 2
    weights = np.zeros((FRAMES, BANDS, 2))
    weights[:, :half, 0] = weights[:, half:, 1] = 0.001
    y.set_weights([weights.reshape(-1, 2), np.zeros(2)])
    standardized(model)
    for number, label in enumerate(("low", "high")):
        result = explain(model, noise(), ("low", "high"), label=label, method=method, **PATCH)
        x = (result.level + 40) / 20
        expected = sum_over_patches(weights[..., number] * x, (4, round(BANDS / 8)))
        np.testing.assert_allclose(result.evidence, expected, atol=2e-3)
        logit = (weights[..., number] * x).sum()
        assert result.probability == pytest.approx(1 / (1 + np.exp(-logit)), rel=1e-3)


def test_one_output_a_clip_has_no_time():
    waveform = keras.Input((round(RATE * SECONDS),), name="waveform")
    y = layers.Dense(2, activation="softmax", name="probabilities")
    model = keras.Model(waveform, {"probabilities": y(layers.Flatten()(front(waveform)))})
    with pytest.raises(ValueError, match="with one output a clip"):
        open_clip(standardized(model), noise(), at_s=0.4)
