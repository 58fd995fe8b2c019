"""Clips played at other speeds: as long, as high and as many as promised."""

import numpy as np
import pandas as pd
import pytest

from zoo.data.cache import ClipStore
from zoo.data.clips import Clips
from zoo.data.speed import add_copies, add_speeds, rows_of_all_copies

RATE = 8000


@pytest.fixture(scope="module")
def clips() -> Clips:
    """Tones of 500 and 800 Hz, 0.5 and 0.75 s long."""
    tones = [(500, 4000), (800, 6000)]
    waves = [np.sin(2 * np.pi * f * np.arange(n) / RATE) for f, n in tones]
    data = np.concatenate(waves).astype("float32")
    index = pd.DataFrame({"path": ["a", "b"], "label": ["low", "high"], "group": ["g", "h"]})
    rows = np.array([1, 0])
    return Clips(
        index.iloc[rows].reset_index(drop=True),
        ClipStore(data, np.array([n for _, n in tones])),
        rows,
        ("high", "low"),
        RATE,
        pd.DataFrame(),
        pd.DataFrame(),
    )


def test_speed_changes_length_and_pitch_together(clips):
    played = add_speeds(clips, (0.8, 1.25))
    np.testing.assert_array_equal(played.source.lengths, [6000, 4000, 7500, 5000, 4800, 3200])
    for row, hertz in enumerate([800, 500, 640, 400, 1000, 625]):
        wave = played.source[row]
        assert wave.dtype == np.float32 and len(wave) == played.source.lengths[row]
        spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave)), 8 * RATE))
        assert spectrum.argmax() / 8 == pytest.approx(hertz, abs=1)


def test_labels_and_groups_go_along_and_the_clips_themselves_come_first(clips):
    played = add_speeds(clips, (0.8, 1.25))
    assert list(played.index["group"]) == ["h", "g"] * 3
    np.testing.assert_array_equal(played.labels, [0, 1] * 3)
    np.testing.assert_array_equal(played.index["speed"], [1, 1, 0.8, 0.8, 1.25, 1.25])
    np.testing.assert_array_equal(played.source[0], clips.source[1])
    for x, y in played[played.index["speed"] == 0.8].all_batches(2, duration_s=0.5):
        assert x.shape == (2, 4000)
        np.testing.assert_array_equal(y, [0, 1])


def test_a_choice_of_clips_is_found_at_every_speed(clips):
    played = add_speeds(clips, (0.8, 1.25))
    rows = rows_of_all_copies(played.index, np.array([1]))
    np.testing.assert_array_equal(rows, [1, 3, 5])
    assert set(played.index["group"].iloc[rows]) == {"g"}
    np.testing.assert_array_equal(rows_of_all_copies(clips.index, np.array([1])), [1])


def test_noisy_copies_follow_and_are_found_by_their_clip(clips):
    clips = clips[np.arange(2)]
    features = add_speeds(clips, (0.8,)).with_features(lambda x: x[:, :4], duration_s=0.1)
    noisy = add_speeds(clips, (1.0, 1.0)).with_features(
        lambda x: x[:, :4], duration_s=0.1, augment=lambda x, labels, seed: (x + 1, labels)
    )
    joined = add_copies(features, noisy)
    rows = rows_of_all_copies(joined.index, np.array([1]))
    np.testing.assert_array_equal(rows, [1, 3, 5, 7, 9])
    np.testing.assert_array_equal(joined.labels[rows], joined.labels[1])
    for row in (5, 7, 9):
        np.testing.assert_allclose(joined.source[row], joined.source[1] + 1)
    with pytest.raises(ValueError, match=r"each of the 2 clips .* Received: 1"):
        add_copies(features, noisy[np.array([0])])


@pytest.mark.parametrize("speed", [0.0, -1.0, 5.0, float("nan")])
def test_a_speed_that_is_no_speed_is_refused(clips, speed):
    with pytest.raises(ValueError, match="Speeds must lie between"):
        add_speeds(clips, (speed,))
