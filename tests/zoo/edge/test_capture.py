"""Sound files on a device: whole, or refused in one line before the first sample."""

import io
import struct

import numpy as np
import pytest
import soundfile

from zoo.edge import capture

RATE = 8000
FORMATS = {
    "WAV 16": {"format": "WAV", "subtype": "PCM_16"},
    "WAV float": {"format": "WAV", "subtype": "FLOAT"},
    "FLAC": {"format": "FLAC", "subtype": "PCM_16"},
    "Ogg": {"format": "OGG", "subtype": "VORBIS"},
    "MP3": {"format": "MP3", "subtype": "MPEG_LAYER_III"},
}


@pytest.fixture(scope="module")
def contents():
    """A second of noise in every container."""
    sound = np.random.default_rng(0).uniform(-0.9, 0.9, 2 * RATE)
    files = {}
    for kind, options in FORMATS.items():
        file = io.BytesIO()
        soundfile.write(file, sound, RATE, **options)
        files[kind] = file.getvalue()
    return files


def read(path, content):
    path.write_bytes(content)
    return np.concatenate(list(capture.from_file(path).blocks))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_whole_file_is_what_libsndfile_reads(contents, tmp_path, kind):
    path = tmp_path / "a"
    sound = read(path, contents[kind])
    scale = 2**15 if sound.dtype == np.int16 else 1
    expected = soundfile.read(path, dtype="float32", always_2d=True)[0]
    np.testing.assert_allclose(sound / scale, expected, atol=1e-6)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("kind", FORMATS)
def test_the_beginning_of_a_file_is_refused(contents, tmp_path, kind, share):
    content = contents[kind]
    with pytest.raises(ValueError, match=r"^/.*: ") as refused:
        read(tmp_path / "a", content[: int(share * len(content))])
    assert "\n" not in str(refused.value)


def test_an_mp3_that_declares_more_than_it_holds_is_refused(contents, tmp_path):
    content = bytearray(contents["MP3"])
    at = max(content.find(b"Xing"), content.find(b"Info")) + 8
    content[at] = 0x7F  # the highest byte of the number of frames: 2 billion
    with pytest.raises(ValueError, match="MP3 frames declared"):
        read(tmp_path / "a", content)


@pytest.mark.parametrize("rate_hz", [999, 192_001])
def test_a_rate_that_no_recorder_has_is_refused(contents, tmp_path, rate_hz):
    content = bytearray(contents["WAV 16"])
    content[24:32] = struct.pack("<II", rate_hz, 2 * rate_hz)
    with pytest.raises(ValueError, match="outside 1 to 192 kHz"):
        read(tmp_path / "a", content)


def test_a_damaged_flac_frame_is_one_line(contents, tmp_path):
    content = bytearray(contents["FLAC"])
    content[len(content) // 2] ^= 1
    with pytest.raises(ValueError, match="does not decode") as refused:
        read(tmp_path / "a", content)
    assert "\n" not in str(refused.value)


def test_many_channels_that_libsndfile_reads_come_in_blocks_of_4_mib(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros((3000, 1000)), RATE, subtype="ULAW")
    blocks = list(capture.from_file(tmp_path / "a.wav").blocks)
    assert sum(map(len, blocks)) == 3000
    assert max(4 * block.size for block in blocks) <= 1 << 22
    assert len(blocks) == 3  # of 1,048 frames, not of single ones


def test_a_header_of_many_channels_is_read_in_small_blocks(tmp_path):
    channels, frames = 16_000, 200
    fmt = struct.pack("<HHIIHH", 1, channels, RATE, 2 * channels * RATE, 2 * channels, 16)
    sound = bytes(2 * channels * frames)
    body = b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(sound))
    content = b"RIFF" + struct.pack("<I", len(body) + len(sound)) + body + sound
    (tmp_path / "a.wav").write_bytes(content)
    blocks = list(capture.from_file(tmp_path / "a.wav").blocks)
    assert sum(len(block) for block in blocks) == frames
    assert max(block.nbytes for block in blocks) <= 1 << 22
