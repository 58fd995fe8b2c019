"""Front ends against librosa, scipy and tf.signal; layers as Keras wants them."""

import doctest
import json
from dataclasses import asdict, replace

import keras
import librosa
import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from zoo.spectrogram import (
    PCEN,
    PRESETS,
    STFT,
    FrontEnd,
    LogScale,
    Spectrogram,
    Standardize,
    hz_of_mel,
    layers,
    mel_of_hz,
)

SIGNALS = ("noise", "tone", "clicks", "drift")
presets = pytest.mark.parametrize("name", PRESETS)
signals = pytest.mark.parametrize("kind", SIGNALS)


def signal(kind: str, front_end: FrontEnd, seconds: float = 1.37) -> np.ndarray:
    """One waveform (samples,) float32: loud, with 100 dB between tone and rest, sparse, or low."""
    rng = np.random.default_rng(SIGNALS.index(kind))
    n = np.arange(int(seconds * front_end.sample_rate_hz))
    waveform = {
        "noise": rng.normal(0, 0.1, n.size),
        "tone": 0.5 * np.sin(0.7 * n) + 1e-5 * rng.normal(size=n.size),
        "clicks": 0.9 * (n % 1371 == 5),
        "drift": 1e-3 * np.cumsum(rng.normal(size=n.size)),
    }[kind]
    return waveform.astype("float32")


def librosa_stft(waveform: np.ndarray, front_end: FrontEnd) -> np.ndarray:
    """Magnitude (time, bins) by librosa, from float64, framed as `front_end` says."""
    waveform = waveform.astype(float)
    if front_end.padding != "centred":
        # librosa frames whole transforms, with the window in the middle; we frame windows.
        silence = front_end.window - front_end.hop if front_end.padding == "causal" else 0
        side = (front_end.fft_length - front_end.window) // 2
        waveform = np.pad(waveform, (silence + side, side))
    spectrum = librosa.stft(
        waveform,
        n_fft=front_end.fft_length,
        hop_length=front_end.hop,
        win_length=front_end.window,
        center=front_end.padding == "centred",
    )
    return np.abs(spectrum).T


def librosa_bands(waveform: np.ndarray, front_end: FrontEnd) -> np.ndarray:
    weights = librosa.filters.mel(
        sr=front_end.sample_rate_hz,
        n_fft=front_end.fft_length,
        n_mels=front_end.mels,
        fmin=front_end.fmin_hz,
        fmax=front_end.highest_hz,
        htk=front_end.scale == "htk",
        norm=front_end.norm,
        dtype=np.float64,
    )
    return librosa_stft(waveform, front_end) ** front_end.power @ weights.T


def run(layer: keras.layers.Layer, waveform: np.ndarray) -> np.ndarray:
    """What a layer makes of one clip, without batch and channel."""
    result = layer(waveform[None]).numpy()[0]
    return result[..., 0] if result.ndim == 3 else result


@presets
@signals
def test_stft_equals_librosa(name, kind):
    front_end = replace(PRESETS[name], power=1)
    waveform = signal(kind, front_end)
    expected = librosa_stft(waveform, front_end)
    result = run(STFT(front_end), waveform)
    np.testing.assert_allclose(result, expected, atol=2e-6 * expected.max(), rtol=0)


@presets
@signals
def test_bands_equal_librosa(name, kind):
    front_end = replace(PRESETS[name], level="linear", triangles="hertz")
    waveform = signal(kind, front_end)
    expected = librosa_bands(waveform, front_end)
    result = run(Spectrogram(front_end), waveform)
    np.testing.assert_allclose(result, expected, atol=2e-6 * expected.max(), rtol=0)


@presets
@signals
def test_decibels_equal_librosa(name, kind):
    front_end = replace(PRESETS[name], level="decibel", floor=1e-8, triangles="hertz")
    waveform = signal(kind, front_end)
    to_db = librosa.power_to_db if front_end.power == 2 else librosa.amplitude_to_db
    expected = to_db(librosa_bands(waveform, front_end), amin=front_end.floor, top_db=None)
    result = run(Spectrogram(front_end), waveform)
    # float32 leaves noise some 120 dB under the loudest band.
    audible = expected > expected.max() - 80
    np.testing.assert_allclose(result[audible], expected[audible], atol=3e-3, rtol=0)
    floor_db = 20 / front_end.power * np.log10(front_end.floor)
    assert result.min() >= floor_db - 1e-4
    if kind == "clicks":
        assert (expected == expected.min()).any(), "no band lies at the floor: nothing is tested"


def test_yamnet_equals_tf_signal():
    front_end = PRESETS["yamnet"]
    waveform = signal("noise", front_end)
    magnitude = tf.abs(tf.signal.stft(waveform, 400, 160, 512))
    weights = tf.signal.linear_to_mel_weight_matrix(64, 257, 16_000, 125.0, 7500.0)
    np.testing.assert_allclose(front_end.mel_weights(), weights, atol=2e-5)
    expected = np.log(magnitude @ weights + 0.001)
    np.testing.assert_allclose(run(Spectrogram(front_end), waveform), expected, atol=1e-4)


@pytest.mark.parametrize("n_fft", [None, 1024])
def test_linear_scale_equals_scipy(n_fft):
    front_end = FrontEnd(
        sample_rate_hz=8000,
        window_s=0.05,
        hop_s=0.0125,
        n_fft=n_fft,
        padding="valid",
        power=1,
        scale="linear",
        fmin_hz=300,
        fmax_hz=3400,
        level="linear",
    )
    waveform = signal("noise", front_end)
    frequencies_hz, times_s, spectrum = scipy.signal.stft(
        waveform.astype(float),
        fs=8000,
        window="hann",
        nperseg=400,
        noverlap=300,
        nfft=front_end.fft_length,
        boundary=None,
        padded=False,
    )
    within = (frequencies_hz >= 300) & (frequencies_hz <= 3400)
    np.testing.assert_allclose(front_end.frequencies_hz, frequencies_hz[within])
    np.testing.assert_allclose(front_end.times_s(times_s.size), times_s)
    # scipy divides by the sum of the window, 200.
    expected = 200 * np.abs(spectrum[within].T)
    result = run(Spectrogram(front_end), waveform)
    np.testing.assert_allclose(result, expected, atol=2e-6 * expected.max(), rtol=0)


@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_mel_scale_equals_librosa(scale):
    hz = np.array([0.0, 60, 999, 1000, 1001, 4000, 20_000])
    expected = librosa.hz_to_mel(hz, htk=scale == "htk")
    np.testing.assert_allclose(mel_of_hz(hz, scale), expected, rtol=1e-12)
    np.testing.assert_allclose(hz_of_mel(expected, scale), hz, rtol=1e-12)


@presets
def test_mel_weights_and_frequencies_equal_librosa(name):
    front_end = PRESETS[name]
    expected = librosa.mel_frequencies(
        front_end.mels + 2,
        fmin=front_end.fmin_hz,
        fmax=front_end.highest_hz,
        htk=front_end.scale == "htk",
    )
    np.testing.assert_allclose(front_end.frequencies_hz, expected[1:-1], rtol=1e-12)


@presets
@pytest.mark.parametrize("padding", ["centred", "causal", "valid"])
def test_frame_times_are_where_a_click_is_loudest(name, padding):
    front_end = replace(PRESETS[name], padding=padding, level="linear")
    waveform = np.zeros(int(front_end.sample_rate_hz), "float32")
    at = int(0.6 * waveform.size)
    waveform[at] = 1
    loudness = run(Spectrogram(front_end), waveform).sum(axis=1)
    times_s = front_end.times_s(loudness.size)
    assert front_end.frames(waveform.size) == loudness.size
    assert abs(times_s[loudness.argmax()] - at / waveform.size) <= front_end.hop_s / 2 + 1e-9
    # Frames beside the loudest one are further away.
    centre = np.average(times_s, weights=loudness)
    assert centre == pytest.approx(at / waveform.size, abs=front_end.hop_s / 4)


@presets
def test_a_tone_stands_at_its_frequency(name):
    front_end = PRESETS[name]
    band = front_end.bands * 2 // 3
    n = np.arange(int(front_end.sample_rate_hz))
    hz = front_end.frequencies_hz[band]
    waveform = np.sin(2 * np.pi * hz / front_end.sample_rate_hz * n).astype("float32")
    assert run(Spectrogram(front_end), waveform).mean(axis=0).argmax() == band


@pytest.mark.parametrize("initial", [None, 1.0])
@presets
def test_pcen_equals_librosa(name, initial):
    front_end = replace(PRESETS[name], level="linear")
    bands = librosa_bands(signal("noise", front_end, seconds=3.0), front_end)
    layer = PCEN(front_end.frame_rate_hz, scale=2.0**31, initial=initial)
    # librosa starts its filter at the steady state of ones; `zi` is that times the first input.
    start = 2**31 * bands[:1] if initial is None else np.ones_like(bands[:1])
    expected = librosa.pcen(
        bands * 2**31,
        sr=front_end.sample_rate_hz,
        hop_length=front_end.hop,
        axis=0,
        zi=(1 - layer.smoothing) * start,
    )
    result = layer(bands[None].astype("float32")).numpy()[0]
    np.testing.assert_allclose(result, expected, rtol=2e-5, atol=2e-5)
    if initial is not None:
        default = librosa.pcen(
            bands * 2**31, sr=front_end.sample_rate_hz, hop_length=front_end.hop, axis=0
        )
        np.testing.assert_allclose(expected, default)


@pytest.mark.parametrize("level", ["decibel", "log", "pcen", "linear"])
@presets
def test_a_clip_does_not_depend_on_its_neighbours(name, level):
    layer = Spectrogram(replace(PRESETS[name], level=level))
    quiet = 1e-4 * signal("noise", layer.front_end)
    loud = signal("tone", layer.front_end)
    together = layer(np.stack([loud, quiet])).numpy()[1]
    alone = layer(quiet[None]).numpy()[0]
    np.testing.assert_allclose(together, alone, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("level", ["decibel", "pcen"])
@pytest.mark.parametrize("padding", ["centred", "causal", "valid"])
def test_unknown_lengths_give_the_same(padding, level):
    layer = Spectrogram(replace(PRESETS["yamnet"], padding=padding, level=level))
    graph = tf.function(layer, input_signature=[tf.TensorSpec((None, None))])
    for samples in (401, 5000, 16_000):
        waveform = signal("noise", layer.front_end)[None, :samples]
        expected = layer(waveform)
        assert expected.shape == layer.compute_output_shape((1, samples))
        np.testing.assert_allclose(graph(waveform), expected, rtol=1e-6, atol=1e-6)
    assert layer.compute_output_shape((None, None)) == (None, None, 64, 1)


@pytest.mark.parametrize("level", ["decibel", "log", "pcen", "linear"])
@pytest.mark.parametrize("power", [1, 2])
def test_gradients_flow(level, power):
    """Against a central difference along a random direction, and finite in silence."""
    front_end = replace(PRESETS["hearing_aid"], level=level, power=power, floor=1e-5)
    layer = Spectrogram(front_end)
    rng = np.random.default_rng(3)
    waveform = tf.constant(rng.normal(0, 0.1, (1, 2048)).astype("float32"))
    direction = tf.constant(rng.normal(0, 0.1, (1, 2048)).astype("float32"))
    weights = rng.normal(size=layer.compute_output_shape((1, 2048)))

    def score(x):
        return tf.reduce_sum(tf.cast(layer(x), tf.float64) * weights)

    for x in (waveform, tf.zeros_like(waveform)):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = score(x)
        slope = tape.gradient(value, x)
        assert np.isfinite(slope).all()
        if x is waveform:
            step = 2e-3
            difference = (score(x + step * direction) - score(x - step * direction)) / (2 * step)
            along = np.sum(slope * direction)
            assert along == pytest.approx(float(difference), rel=2e-2, abs=1e-3)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_computes_in_float32_under_every_policy(policy):
    front_end = PRESETS["librosa"]
    waveform = signal("noise", front_end)[None]
    expected = Spectrogram(front_end)(waveform).numpy()
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(policy)
    try:
        model = keras.Sequential([keras.Input((None,)), Spectrogram(front_end), Standardize()])
        result = model(waveform)
        assert keras.layers.Conv2D(1, 1).compute_dtype == policy.removeprefix("mixed_")
    finally:
        keras.mixed_precision.set_dtype_policy(before)
    assert result.dtype == tf.float32
    np.testing.assert_allclose(result, expected, atol=1e-4)


@pytest.mark.parametrize("name", [*PRESETS, "pcen", "linear"])
def test_a_model_trains_and_comes_back_from_disk(name, tmp_path):
    front_end = PRESETS.get(name, replace(PRESETS["yamnet"], mels=32))
    if name == "pcen":
        front_end = replace(front_end, level="pcen")
    if name == "linear":
        front_end = replace(front_end, scale="linear")
    waveforms = np.stack([signal(kind, front_end, seconds=0.5) for kind in SIGNALS])
    spectrogram, standardize = Spectrogram(front_end), Standardize()
    standardize.adapt(spectrogram(waveforms))
    head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((None,)), spectrogram, standardize, *head])
    assert model.layers[0].output.shape == (None, None, front_end.bands, 1)
    model.compile("sgd", "mse")
    model.fit(waveforms, np.zeros((4, 2)), verbose=0)
    assert len(model.trainable_weights) == 2, "the front end must not train"
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].front_end == front_end
    np.testing.assert_array_equal(loaded(waveforms), model(waveforms))
    model.export(tmp_path / "served", verbose=False)
    served = tf.saved_model.load(tmp_path / "served")
    for samples in (waveforms.shape[1], 4 * front_end.window):
        part = waveforms[:, :samples]
        np.testing.assert_allclose(served.serve(part), model(part), rtol=1e-5, atol=1e-5)


def test_settings_survive_json():
    for front_end in PRESETS.values():
        assert FrontEnd(**json.loads(json.dumps(asdict(front_end)))) == front_end


def test_layers_of_level_come_back_from_their_config():
    for layer in (LogScale("log", 0.01, 1), PCEN(50.0, bias=3.0, initial=1.0), Standardize(False)):
        again = type(layer).from_config(layer.get_config())
        assert again.get_config() == layer.get_config()


@pytest.mark.parametrize("per_band", [True, False])
def test_standardize_equals_numpy_over_batches(per_band):
    rng = np.random.default_rng(0)
    # A mean far above the spread, as with decibels, and two channels of different kind.
    x = rng.normal([[-80.0, 3.0]], [[1.0, 5.0]], (90, 7, 5, 2)) + np.arange(5)[:, None]
    layer = Standardize(per_band)
    parts = np.split(x, [10, 11, 60])
    layer.adapt(
        tf.data.Dataset.from_generator(
            lambda: ((part, 0) for part in parts),
            output_signature=(tf.TensorSpec((None, 7, 5, 2), tf.float64), tf.TensorSpec(())),
        )
    )
    axes = (0, 1) if per_band else (0, 1, 2)
    centred = x - x.mean(axis=axes, keepdims=True)
    expected = centred / np.sqrt(np.square(centred).mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(layer(x.astype("float32")), expected, atol=2e-5)
    whole = Standardize(per_band)
    whole.adapt(x)
    np.testing.assert_allclose(whole.mean, layer.mean, rtol=1e-6)
    assert layer.non_trainable_weights and not layer.trainable_weights


def test_standardize_says_what_is_wrong():
    with pytest.raises(ValueError, match="at least one frame"):
        Standardize().adapt([])
    with pytest.raises(ValueError, match="that vary"):
        Standardize().adapt(np.zeros((2, 3, 4, 1)))
    with pytest.raises(ValueError, match="finite"):
        Standardize().adapt(np.full((2, 3, 4, 1), np.nan))
    with pytest.raises(ValueError, match=r"\(batch, time, bands, channels\)"):
        Standardize().adapt(np.zeros((2, 3, 4)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"padding": "center"}, "`padding` must be one of 'centred', 'causal', 'valid'"),
        ({"power": 3}, "`power`"),
        ({"scale": "mel"}, "`scale`"),
        ({"norm": "area"}, "`norm`"),
        ({"level": "db"}, "`level`"),
        ({"triangles": "hz"}, "`triangles`"),
        ({"sample_rate_hz": 0}, "`sample_rate_hz`"),
        ({"hop_s": 0.026}, "skip samples"),
        ({"hop_s": 0.0}, "skip samples"),
        ({"n_fft": 398}, "400 samples"),
        ({"n_fft": 513}, "even"),
        ({"n_fft": 0}, "even"),
        ({"fmax_hz": 8001}, "8000 Hz"),
        ({"fmin_hz": 7600}, "fmin_hz"),
        ({"fmin_hz": -1}, "fmin_hz"),
        ({"floor": 0}, "`floor`"),
        ({"mels": 0}, "`mels`"),
        ({"mels": 128}, "hold none"),
        ({"scale": "linear", "fmin_hz": 130, "fmax_hz": 150}, "no bin"),
    ],
)
def test_settings_that_contradict_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(PRESETS["yamnet"], **change)


def test_waveforms_that_do_not_fit_are_refused():
    layer = Spectrogram(PRESETS["yamnet"])
    with pytest.raises(ValueError, match=r"\(batch, samples\)"):
        layer(np.zeros((1, 16_000, 1), "float32"))
    with pytest.raises(ValueError, match="Divide 16-bit samples"):
        layer(np.zeros((1, 16_000), "int16"))
    with pytest.raises(ValueError, match="399 samples"):
        layer(np.zeros((1, 399), "float32"))


def test_examples_hold():
    result = doctest.testmod(layers)
    assert result.attempted and not result.failed


@pytest.mark.parametrize("level", ["decibel", "pcen"])
def test_names_in_an_export_do_not_count_the_layers_of_the_process(level):
    settings = replace(PRESETS["hearing_aid"], level=level)

    def operations():
        layer = Spectrogram(settings, name="spectrogram")
        graph = tf.function(layer).get_concrete_function(tf.TensorSpec((1, 4000))).graph
        return [each.name for each in graph.get_operations()]

    first = operations()
    assert operations() == first and any("/stft" in name for name in first)
