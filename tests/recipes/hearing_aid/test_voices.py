"""Clips of speech and music from unpacked packages: their length, level and groups."""

import numpy as np
import pytest
import soundfile

from recipes.hearing_aid import voices
from zoo.data import corpora

RATE = 8000


def tone(seconds: float, level: float = 0.3) -> np.ndarray:
    return level * np.sin(2 * np.pi * 440 * np.arange(int(seconds * RATE)) / RATE)


def test_prompts_are_joined_and_tracks_are_cut(tmp_path):
    voice, music = tmp_path / "x/sounds/en_US_f_Someone", tmp_path / "x/moh"
    voice.mkdir(parents=True)
    music.mkdir()
    for k in range(10):
        soundfile.write(voice / f"{k}.wav", tone(3), RATE)
    soundfile.write(voice / "short.wav", tone(0.5, 0.9), RATE)  # neither is used
    soundfile.write(voice / "silence.wav", tone(2, 0.9), RATE)
    track = np.concatenate([tone(8), tone(8, 0.001), tone(8), tone(4)])
    soundfile.write(music / "track.wav", track, RATE)

    out = tmp_path / "out"
    assert voices.main([str(tmp_path / "x"), "--out", str(out)]) == 0
    index = corpora.read(out).index
    assert sorted(index["label"]) == ["music"] * 2 + ["speech"] * 3  # ten prompts: three a clip
    assert set(index["group"]) == {"track", "en_US_f_Someone"}
    for path, label in zip(index["path"], index["label"], strict=True):
        sound, rate = soundfile.read(path)
        assert rate == RATE and np.abs(sound).max() == pytest.approx(0.3, abs=0.01)
        # three prompts of 3 s, each with 0.2 to 0.6 s behind it
        low, high = (8, 8) if label == "music" else (9.6, 10.8)
        assert low <= len(sound) / RATE <= high


def test_a_folder_without_packages_and_an_output_that_exists_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Unpack the Debian packages"):
        voices.main([str(tmp_path), "--out", str(tmp_path / "out")])
    with pytest.raises(ValueError, match="exists already"):
        voices.main([str(tmp_path), "--out", str(tmp_path)])
