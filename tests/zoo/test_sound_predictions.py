"""Predictions for recordings as users have them: channels, formats that are not read, folders."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from recipes.speech_snr.evaluation import whole_ratio_db as recipe_ratio_db
from zoo.data import audio
from zoo.edge.condition import Condition
from zoo.edge.estimator import HopEstimate
from zoo.predictions import predict_file
from zoo.sound_predictions import EstimatePrediction, find_recordings

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def sound():
    """Two seconds of noise whose level moves."""
    random = np.random.default_rng(0)
    return random.normal(scale=0.05, size=2 * RATE_HZ) * np.linspace(0.2, 1, 2 * RATE_HZ)


@pytest.mark.parametrize(
    ("gains", "note"),
    [
        ((1, -1), "channels cancel each other, channel 1 is used alone"),
        ((0, 1), "no sound in channel 1, left out"),
        ((1, 1), ""),
    ],
)
@pytest.mark.parametrize("model", ["saved_models/scenes-tiny", "saved_models/hearing-aid"])
def test_channels_are_mixed_as_on_a_device_and_what_is_left_out_is_said(
    sound, gains, note, model, tmp_path, capsys
):
    soundfile.write(tmp_path / "one.wav", sound, RATE_HZ, subtype="FLOAT")
    soundfile.write(tmp_path / "two.wav", sound[:, None] * gains, RATE_HZ, subtype="FLOAT")
    alone = predict_file(model, tmp_path / "one.wav").table().rows
    capsys.readouterr()
    both = predict_file(model, tmp_path / "two.wav").table().rows
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if "channel" in line] == ([f"two.wav: {note}"] if note else [])
    for one, two in zip(alone, both, strict=True):
        numbers = [[x for x in row if isinstance(x, float)] for row in (one, two)]
        np.testing.assert_allclose(numbers[0], numbers[1], atol=2e-4)
        assert [x for x in one if isinstance(x, str)] == [x for x in two if isinstance(x, str)]


def test_a_whole_recording_whose_channels_cancel_is_its_strongest_channel(sound, tmp_path):
    soundfile.write(
        tmp_path / "a.wav", np.stack([-0.999 * sound, sound], 1), RATE_HZ, subtype="FLOAT"
    )
    mixed, _ = audio.read(tmp_path / "a.wav")
    np.testing.assert_allclose(mixed, sound, atol=1e-6)


def test_a_stream_of_odd_blocks_is_mixed_to_its_last_sample(sound, tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "_BLOCK_SIZE", 16 * 2 * 333)
    stereo = np.stack([sound, 0.5 * sound], 1)[:12_345]
    soundfile.write(tmp_path / "a.wav", stereo, RATE_HZ, subtype="FLOAT")
    blocks = [*audio.stream_live(tmp_path / "a.wav")]
    np.testing.assert_allclose(np.concatenate(blocks), stereo.mean(axis=1), atol=1e-6)
    assert len(blocks) > 5


def test_what_is_left_out_of_a_folder_is_said(sound, tmp_path, capsys):
    soundfile.write(tmp_path / "a.wav", sound, RATE_HZ)
    for name in ("b.m4a", "c.M4A", "d.aiff", "notes.txt", ".DS_Store"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in find_recordings(tmp_path)] == ["a.wav"]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "3 recordings are in a format that is not read, .m4a (2), .aiff (1)" in lines[0]
    assert "Convert: ffmpeg" in lines[0] and lines[1].startswith("1 file is not named like")
    (tmp_path / "a.wav").unlink()
    with pytest.raises(ValueError, match=r"no recording in this folder.*\.m4a \(2\).*ffmpeg"):
        find_recordings(tmp_path)


def test_a_single_recording_has_a_summary_too(sound, tmp_path, capsys):
    soundfile.write(tmp_path / "a.wav", sound, RATE_HZ)
    predict_file("saved_models/hearing-aid", tmp_path / "a.wav")
    assert " of 2.0 s" in capsys.readouterr().err


def test_the_ratio_of_a_whole_recording_is_that_of_the_card():
    random = np.random.default_rng(1)
    gains = np.repeat([0.1, 0.01, 0.2], 3 * RATE_HZ)
    samples = (gains * random.normal(size=gains.size)).astype("float32")
    samples[4 * RATE_HZ : 4 * RATE_HZ + 800] = 0.0
    powers = np.square(samples[: samples.size // 256 * 256].reshape(-1, 256)).mean(axis=1)
    ratios = random.uniform(-10, 20, size=powers.size)
    hops = [
        HopEstimate((k + 1) * 0.016, Condition.SOUND, 10 * np.log10(power), np.array([ratio, 60.0]))
        for k, (power, ratio) in enumerate(zip(np.maximum(powers, 1e-12), ratios, strict=True))
    ]
    expected = recipe_ratio_db(samples, ratios)
    prediction = EstimatePrediction("a.wav", ["snr_db", "level"], ["dB", "dB(A)"], 0.016, hops)
    assert prediction.whole_ratio_db == pytest.approx(expected, abs=1e-3)
    assert prediction.summary().endswith(f"from 2 s on, by powers, snr_db {expected:.1f} dB")

    silent = [hop._replace(condition=Condition.SILENT, values=None) for hop in hops[200:]]
    some = replace(prediction, hops=[*hops[:200], *silent])
    expected = recipe_ratio_db(samples[: 200 * 256], ratios[:200])
    assert some.whole_ratio_db == pytest.approx(expected, abs=1e-3)
    short = replace(prediction, hops=hops[:100])
    assert short.whole_ratio_db is None and "too short for a ratio" in short.summary()
    assert replace(prediction, names=["level", "x"]).whole_ratio_db is None


@pytest.mark.parametrize("model", ["saved_models/scenes-tiny", "saved_models/hearing-aid"])
def test_frequencies_that_a_recording_lacks_are_said(sound, model, tmp_path, capsys):
    soundfile.write(tmp_path / "a.wav", sound, 8000)
    predict_file(model, tmp_path / "a.wav")
    said = [line for line in capsys.readouterr().err.splitlines() if "without sound above" in line]
    model_khz = 8 if "hearing" in model else 16
    assert said == [
        "a.wav: recorded at 8000 Hz, so without sound above 4 kHz; the model was trained on sound "
        f"up to {model_khz} kHz"
    ]
    soundfile.write(tmp_path / "a.wav", sound, 44_100)
    predict_file(model, tmp_path / "a.wav")
    assert "recorded at" not in capsys.readouterr().err


def test_a_recording_of_milliseconds_is_said_to_be_repeated(sound, tmp_path, capsys):
    soundfile.write(tmp_path / "a.wav", sound[:320], 32_000)
    predict_file("saved_models/scenes-tiny", tmp_path / "a.wav")
    assert "a.wav: only 10 ms of sound, repeated to fill a window" in capsys.readouterr().err
