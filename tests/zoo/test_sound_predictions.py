"""Predictions for recordings as users have them: channels, formats that are not read, folders."""

import numpy as np
import pytest
import soundfile

from zoo.data import audio
from zoo.predictions import predict_file
from zoo.sound_predictions import find_recordings

RATE_HZ = 32_000


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
        np.testing.assert_allclose(*numbers, atol=2e-4)
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
