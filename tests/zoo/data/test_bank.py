"""Sound banks: what is written is read, cut, trimmed and levelled."""

import numpy as np
import pytest
import soundfile

from zoo.data.bank import (
    RATE_HZ,
    Bank,
    loud_level_db,
    read_bank,
    read_sound,
    trim_silence,
    write_bank,
)
from zoo.spectrogram import ReferenceLevel

ROW = {"kind": "tone", "label": "a", "fold": 0, "group": "g", "licence": "CC0-1.0", "source": "s"}


def tone(hz, seconds, amplitude=0.5):
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (amplitude * np.sin(2 * np.pi * hz * time_s)).astype(np.float32)


@pytest.fixture
def bank():
    clips = [tone(440, 0.5), tone(1000, 0.7, 0.1)]
    return Bank.of_clips(clips, [ROW, {**ROW, "label": "b", "group": "h"}])


def test_round_trip(bank, tmp_path):
    write_bank(tmp_path / "bank", bank)
    read = read_bank(tmp_path / "bank")
    assert read.table.equals(bank.table[read.table.columns])
    for row in range(2):
        clip, original = read.clip(row), bank.clip(row)
        # lossy: the spectrum's peak and the level stay
        assert np.abs(np.fft.rfft(clip)).argmax() == np.abs(np.fft.rfft(original)).argmax()
        assert clip.std() == pytest.approx(original.std(), rel=0.05)


def test_a_bank_is_written_as_a_whole_or_not_at_all(bank, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(bank.table.__class__, "to_csv", interrupt)  # after the sound is written
        write_bank(tmp_path / "bank", bank)
    assert not list(tmp_path.iterdir())
    write_bank(tmp_path / "bank", bank)
    with pytest.raises(ValueError, match="bank: is there already"):
        write_bank(tmp_path / "bank", bank)


def test_join_and_choose(bank):
    joined = Bank.join([bank, bank])
    assert len(joined) == 4
    np.testing.assert_array_equal(joined.clip(3), bank.clip(1))
    chosen = joined.choose((joined.table["label"] == "b").to_numpy())
    np.testing.assert_array_equal(chosen.clip(0), bank.clip(1))


def test_a_folder_without_a_bank_is_named(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ValueError, match=rf"{folder.name}: no bank\.csv"):
            read_bank(folder)


def test_a_file_shorter_than_its_table_is_refused(bank, tmp_path):
    write_bank(tmp_path / "bank", bank)
    file = tmp_path / "bank" / "part-00.ogg"
    soundfile.write(file, tone(440, 0.2), RATE_HZ, format="OGG", subtype="OPUS")
    with pytest.raises(ValueError, match="expected 19200 samples"):
        read_bank(tmp_path / "bank")


def test_the_level_is_that_of_the_reference_level():
    clip = np.concatenate([tone(300, 0.5, 0.02), tone(300, 0.5, 0.3), np.zeros(1000, "float32")])
    gain = float(ReferenceLevel(RATE_HZ).gain(clip[None])[0, 0])
    assert -20 - 20 * np.log10(gain) == pytest.approx(loud_level_db(clip), abs=1e-3)


def test_silence_at_the_ends_is_left_out():
    silence = np.zeros(RATE_HZ // 2, np.float32)
    bank = Bank.of_clips([np.concatenate([silence, tone(440, 1.0), silence])], [ROW])
    trimmed = trim_silence(bank)
    assert trimmed.table["start"].iloc[0] == RATE_HZ // 2
    assert len(trimmed.clip(0)) == RATE_HZ


def test_sound_is_read_at_the_rate_of_the_bank(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.stack([tone(440, 1.0)] * 2, axis=1), 32_000)
    x = read_sound(tmp_path / "x.wav")
    assert x.shape == (RATE_HZ // 2,)
    assert np.abs(np.fft.rfft(x)).argmax() == 440  # 880 Hz at twice the rate, in bins of 2 Hz
