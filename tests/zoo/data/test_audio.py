"""One recording at a time: read whole and right, or refused with the reason."""

import io
import os
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import soundfile
import soxr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.data import audio, page_sound
from zoo.data.audio import DamagedRecording, decode, mono, read, read_header, resample
from zoo.data.sound_checks import check

RATE_HZ = 8000
MUTATIONS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def tone(frames=RATE_HZ, frequency_hz=440.0, rate_hz=RATE_HZ):
    time_s = np.arange(frames) / rate_hz
    return 0.5 * np.sin(2 * np.pi * frequency_hz * time_s)


def noise(frames=2000, channels=1, seed=0):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (frames, channels))


# Lengths of sound that programs leave in a header which they cannot complete: nothing, sox,
# arecord, ffmpeg.
PIPED = [0, 0x7FFFF000, 0x7FFFFF00, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def written(path, sound, rate_hz=RATE_HZ, **options):
    soundfile.write(path, sound, rate_hz, **options)
    return path


def reason(path):
    with pytest.raises(DamagedRecording) as refusal:
        read(path)
    text = str(refusal.value)
    assert "\n" not in text
    return text


def riff(payload, *, code=1, channels=1, bits=16, rate_hz=RATE_HZ, declared=None, behind=b""):
    """A WAV file written by hand, after the published layout of RIFF."""
    block = channels * bits // 8
    fmt = struct.pack("<HHIIHH", code, channels, rate_hz, rate_hz * block, block, bits)
    body = b"WAVE" + b"fmt " + struct.pack("<I", 16) + fmt
    size = len(payload) if declared is None else declared
    body += b"data" + struct.pack("<I", size) + payload + behind
    return b"RIFF" + struct.pack("<I", len(body)) + body


# What is read


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("subtype", "step"),
    [
        ("PCM_U8", 2**-7),
        ("PCM_16", 2**-15),
        ("PCM_24", 2**-23),
        ("PCM_32", 2**-23),  # what float32 holds
        ("FLOAT", 2**-24),
        ("DOUBLE", 2**-24),
        ("ULAW", 2**-5),
        ("ALAW", 2**-5),
    ],
)
def test_every_wav_encoding_reads_as_the_signal_written(tmp_path, subtype, step, channels):
    sound = noise(channels=channels)
    path = written(tmp_path / "a.wav", sound, subtype=subtype)
    header = read_header(path)
    assert (header.container, header.encoding) == ("WAV", subtype)
    assert (header.frames, header.channels, header.sample_rate_hz) == (2000, channels, RATE_HZ)
    (decoded,) = decode(path, header)
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, sound, atol=step)


def test_32_bit_integers_are_not_taken_for_floats(tmp_path):
    numbers = np.array([0, 1 << 30, -(1 << 30), 1 << 29, -(1 << 31)], dtype="<i4")
    path = tmp_path / "a.wav"
    path.write_bytes(riff(numbers.tobytes(), bits=32))
    np.testing.assert_array_equal(read(path)[0], [0, 0.5, -0.5, 0.25, -1])


def test_mu_law_is_expanded_as_g711_says(tmp_path):
    # G.711, table 2a: codes of the largest negative, a middle, the smallest and the largest value
    path = tmp_path / "a.wav"
    path.write_bytes(riff(bytes([0x00, 0x0F, 0xFF, 0x80]), code=7, bits=8))
    np.testing.assert_array_equal(read(path)[0] * 32768, [-32124, -16764, 0, 32124])


@pytest.mark.parametrize(
    ("name", "options", "error"),
    [
        ("a.flac", {"subtype": "PCM_16"}, 2**-15),
        ("a.flac", {"subtype": "PCM_24"}, 2**-23),
        ("a.ogg", {"subtype": "VORBIS"}, 0.02),
        ("a.mp3", {"subtype": "MPEG_LAYER_III"}, 0.07),
        ("a.wav", {"format": "WAVEX", "subtype": "PCM_24"}, 2**-23),
        ("a.wav", {"format": "RF64", "subtype": "PCM_16"}, 2**-15),
        ("a.wav", {"endian": "BIG", "subtype": "PCM_16"}, 2**-15),
    ],
)
def test_every_container_reads_as_the_signal_written(tmp_path, name, options, error):
    path = written(tmp_path / name, tone(), **options)
    sound, rate_hz = read(path)
    assert (len(sound), rate_hz) == (RATE_HZ, RATE_HZ)
    inner = slice(500, -500)  # lossy codecs ring at the ends
    np.testing.assert_allclose(sound[inner], tone()[inner], atol=error)
    np.testing.assert_allclose(sound, soundfile.read(path, dtype="float32")[0], atol=1e-6)


def test_opus_is_read_too(tmp_path):
    opus = {"format": "OGG", "subtype": "OPUS"}
    path = written(tmp_path / "a.opus", tone(48_000, rate_hz=48_000), 48_000, **opus)
    sound, _ = read(path)
    np.testing.assert_array_equal(sound, soundfile.read(path, dtype="float32")[0])


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_spans_are_cut_to_the_frame_in_any_order(tmp_path, name):
    path = written(tmp_path / name, tone(80_000))
    header = read_header(path)
    (whole,) = decode(path, header)
    spans = [(100, 900), (70_000, 72_000), (5000, 8000), (0, 1), (4000, 6000)]
    for (start, stop), piece in zip(spans, decode(path, header, spans), strict=True):
        np.testing.assert_array_equal(piece, whole[start:stop])
        (alone,) = decode(path, header, [(start, stop)])
        np.testing.assert_array_equal(alone, piece)


def test_content_decides_not_the_name(tmp_path):
    path = written(tmp_path / "a.wav", tone(), format="FLAC")
    assert read_header(path).container == "FLAC"
    np.testing.assert_allclose(read(path)[0], tone(), atol=2**-15)


def test_names_need_not_be_ascii(tmp_path):
    path = written(tmp_path / "дождь 雨 é.wav", tone())
    assert len(read(path)[0]) == RATE_HZ
    if os.name == "posix":
        raw = os.fsencode(tmp_path) + b"/\xff\xfe.wav"  # no valid UTF-8
        os.rename(path, raw)
        assert len(read(os.fsdecode(raw))[0]) == RATE_HZ


@pytest.mark.parametrize("declared", PIPED)
def test_a_piped_wav_without_length_is_read_to_its_end(tmp_path, declared):
    path = tmp_path / "a.wav"
    numbers = (tone() * 32767).astype("<i2")
    path.write_bytes(riff(numbers.tobytes(), declared=declared))
    np.testing.assert_array_equal(read(path)[0], numbers / np.float32(32768))
    header = read_header(path)
    assert header.frames == RATE_HZ and "lacks the length" in header.remark
    (part,) = decode(path, header, [(100, 200)])
    np.testing.assert_array_equal(part[:, 0], numbers[100:200] / np.float32(32768))


def test_a_length_of_zero_before_other_chunks_is_no_sound(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(riff(b"", behind=b"LIST" + struct.pack("<I", 4) + b"INFO"))
    assert reason(path) == "no samples: its length is zero"


def test_chunks_around_the_sound_do_not_matter(tmp_path):
    numbers = (tone(999) * 127 + 128).astype("u1")  # odd length: padded
    chunk = b"LIST" + struct.pack("<I", 4) + b"INFO"
    for behind in (b"\0" + chunk, chunk, b"", b"\0", b"\0\0\0"):
        path = tmp_path / "a.wav"
        path.write_bytes(riff(numbers.tobytes(), bits=8, behind=behind))
        assert len(read(path)[0]) == 999


# What is refused


def test_an_empty_file_is_named(tmp_path):
    path = tmp_path / "a.wav"
    path.touch()
    assert reason(path) == "empty: 0 bytes"


def test_a_folder_named_like_a_recording_is_named(tmp_path):
    path = tmp_path / "a.wav"
    path.mkdir()
    assert reason(path) == "a folder, not a file"


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    assert reason(tmp_path / "a.wav") == "not a regular file"


def test_a_missing_file_is_named(tmp_path):
    assert reason(tmp_path / "a.wav") == "no such file or directory"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read it all")
def test_a_forbidden_file_is_named(tmp_path):
    path = written(tmp_path / "a.wav", tone())
    path.chmod(0)
    assert reason(path) == "permission denied"


@pytest.mark.parametrize("content", [b"<html>not found</html>" * 50, b"RIFF", bytes(4000)])
def test_other_content_under_a_sound_name_is_named(tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert reason(path).startswith(f"not readable as sound, it starts with {content[:4]!r}")


def test_sound_in_another_container_is_named(tmp_path):
    path = written(tmp_path / "a.wav", tone(), format="AIFF")
    assert "AIFF is not among WAV, FLAC, Ogg, MP3" in reason(path)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_a_truncated_file_is_never_read_short(tmp_path, name, share):
    path = written(tmp_path / name, noise(16_000)[:, 0])
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    text = reason(path)
    if name == "a.wav":
        present = int(share * len(content)) - 44
        assert text == f"cut short: the header declares 32000 bytes of sound, {present} are there"


def test_a_wav_that_declares_too_little_is_named(tmp_path):
    path = tmp_path / "a.wav"
    payload = (noise() * 32767).astype("<i2").tobytes()
    path.write_bytes(riff(payload, declared=1000))
    assert reason(path) == "its header declares less sound than follows: 3000 bytes are left over"


def test_a_wav_that_declares_too_little_is_named_though_silence_follows(tmp_path):
    path = tmp_path / "a.wav"
    payload = (noise() * 32767).astype("<i2").tobytes()
    path.write_bytes(riff(payload + bytes(600) + payload, declared=len(payload)))
    assert "declares less sound than follows" in reason(path)


def test_a_wav_header_that_contradicts_itself_is_named(tmp_path):
    path = tmp_path / "a.wav"
    content = bytearray(riff((noise() * 32767).astype("<i2").tobytes()))
    content[24:28] = struct.pack("<I", 9000)  # the rate, not the bytes a second
    path.write_bytes(content)
    assert "9000 frames of 2 bytes are not 16000 bytes a second" in reason(path)
    content[22:24] = struct.pack("<H", 2)  # channels
    path.write_bytes(content)
    assert "frames of 2 and of 4 bytes" in reason(path)


def test_a_damaged_ogg_page_is_named(tmp_path):
    path = written(tmp_path / "a.ogg", noise(40_000)[:, 0])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "checksum does not match" in reason(path)


def test_a_missing_ogg_page_is_named(tmp_path):
    path = written(tmp_path / "a.ogg", noise(100_000)[:, 0])
    content = path.read_bytes()
    starts = [k for k in range(len(content)) if content.startswith(b"OggS", k)]
    path.write_bytes(content[: starts[3]] + content[starts[4] :])
    assert "page is missing" in reason(path)


def test_a_damaged_flac_frame_is_named(tmp_path):
    path = written(tmp_path / "a.flac", noise(40_000)[:, 0])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "does not decode" in reason(path)


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize("frames", [1, 4095, 4097, 20_000])
@pytest.mark.parametrize("level", [1e-3, 1])
def test_a_flac_that_declares_too_little_is_named(tmp_path, frames, subtype, level):
    # a last frame of nothing but zeros takes a dozen bytes
    path = written(tmp_path / "a.flac", level * noise(frames, 2), subtype=subtype)
    assert read_header(path).frames == frames
    content = bytearray(path.read_bytes())
    content[22:26] = struct.pack(">I", frames + 1)
    path.write_bytes(content)
    assert "samples, its last frame ends at" in reason(path)


def test_an_mp3_with_a_hole_or_a_wrong_count_is_named(tmp_path):
    path = written(tmp_path / "a.mp3", noise(40_000)[:, 0])
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + content[middle + 50 :])
    assert "no MP3 frame at byte" in reason(path)
    at = max(content.find(b"Xing"), content.find(b"Info")) + 8
    count = struct.unpack(">I", content[at : at + 4])[0]
    path.write_bytes(content[:at] + struct.pack(">I", count - 20) + content[at + 4 :])
    assert reason(path) == f"{count - 20} MP3 frames declared, {count} are there"


def test_tags_around_an_mp3_do_not_matter(tmp_path):
    path = written(tmp_path / "a.mp3", tone())
    content = path.read_bytes()
    before = b"ID3\x04\0\0" + bytes([0, 0, 1, 0]) + bytes(128)
    path.write_bytes(before + content + b"TAG" + bytes(125))
    assert len(read(path)[0]) == RATE_HZ


@pytest.mark.parametrize(("rate_hz", "good"), [(999, 0), (1000, 1), (192_000, 1), (192_001, 0)])
def test_rates_outside_1_to_192_khz_are_named(tmp_path, rate_hz, good):
    path = tmp_path / "a.wav"
    path.write_bytes(riff((tone() * 32767).astype("<i2").tobytes(), rate_hz=rate_hz))
    if good:
        assert read(path)[1] == rate_hz
    else:
        assert reason(path) == f"its rate of {rate_hz} Hz lies outside 1 to 192 kHz"


def test_zero_length_is_named(tmp_path):
    path = written(tmp_path / "a.wav", np.zeros(0))
    assert "its length is zero" in reason(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_named_with_their_place(tmp_path, value):
    sound = tone()
    sound[2000:2003] = value
    path = written(tmp_path / "a.wav", sound, subtype="FLOAT")
    assert reason(path) == "3 frames are NaN or infinite, the first at 0.250 s"


@pytest.mark.parametrize("level", [0.0, 0.25])
def test_silence_and_a_constant_are_named(tmp_path, level):
    path = written(tmp_path / "a.wav", np.full(100, level))
    assert reason(path) == f"silent: every sample is {level:g}"


def test_less_than_any_microphone_carries_is_silence(tmp_path):
    sound = np.zeros(RATE_HZ)
    sound[5] = 1 / 32768  # one bit in a second: -129 dBFS
    assert reason(written(tmp_path / "a.wav", sound)) == (
        "silent: -129 dBFS, no sound is below -100"
    )


# What is odd


def test_clipping_is_remarked_with_its_share():
    sound = np.clip(4 * tone(), -1, 1)[:, None].astype("float32")
    share = 100 * (2 * np.abs(np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)) > 0.999).mean()
    assert check(sound, RATE_HZ) == (f"clipped: {share:.1f} % of its samples are at full scale",)
    assert check(tone()[:, None].astype("float32"), RATE_HZ) == ()


def test_louder_than_full_scale_is_remarked():
    assert check(np.array([[0.0], [1.5]], "float32"), RATE_HZ)[-1].startswith("louder")


def test_an_offset_and_hardly_any_sound_are_remarked():
    quiet = tone()[:, None].astype("float32") * 1e-4  # RMS 0.5e-4 / sqrt(2): -89 dBFS
    assert check(quiet, RATE_HZ) == ("nearly silent: its level is -89 dBFS",)
    right = 0.25 + tone() / 10
    assert check(np.stack([tone(), right], 1).astype("float32"), RATE_HZ) == (
        "offset: its mean is 0.25 of full scale",
    )


@pytest.mark.parametrize("channels", [1, 2])
def test_a_large_offset_hides_no_quiet_sound(channels):
    """0.9 with noise of -75 dBFS upon it, of which float32 sums would leave no digit."""
    noisy = 0.9 + 10 ** (-75 / 20) * np.random.default_rng(0).standard_normal((5000, channels))
    assert check(noisy.astype("float32"), RATE_HZ) == (
        "nearly silent: its level is -75 dBFS",
        "offset: its mean is 0.9 of full scale",
    )


def test_remarks_begin_where_they_say():
    quiet = tone()[:, None] * 10 ** (-66.9 / 20)  # of -9.03 dBFS: -75.93
    assert check(quiet.astype("float32"), RATE_HZ) == ("nearly silent: its level is -76 dBFS",)
    assert check((2.1 * quiet).astype("float32"), RATE_HZ) == ()  # -69.5 dBFS
    # an offset is one from 1 % of full scale and a quarter of the RMS on
    small = tone()[:, None] * 0.02
    assert check((small + 0.0099).astype("float32"), RATE_HZ) == ()
    assert check((small - 0.0101).astype("float32"), RATE_HZ) == (
        "offset: its mean is -0.0101 of full scale",
    )
    rms = 0.5 / np.sqrt(2)
    assert check((tone()[:, None] + 0.245 * rms).astype("float32"), RATE_HZ) == ()
    assert len(check((tone()[:, None] + 0.255 * rms).astype("float32"), RATE_HZ)) == 1
    # 1 % of the samples at full scale are clipping, fewer are not
    sound = tone(1000)[:, None].astype("float32")
    sound[:10] = -0.9995
    assert check(sound, RATE_HZ) == ()
    sound[10] = 0.9995
    assert check(sound, RATE_HZ) == ("clipped: 1.1 % of its samples are at full scale",)
    sound[10] = 1.0
    assert check(sound, RATE_HZ) == ("clipped: 1.1 % of its samples are at full scale",)
    sound[:] *= 1.01
    assert check(sound, RATE_HZ)[1] == "louder than full scale: its peak is 1.01"
    sound[:] *= -1
    assert check(sound, RATE_HZ)[1] == "louder than full scale: its peak is 1.01"


@pytest.mark.parametrize("channels", [1, 2])
def test_numbers_whose_square_is_no_float32_are_loud_and_no_more(channels):
    sound = np.array([3e38, 3e38, -1e38, 2e38], "float32")[:, None].repeat(channels, axis=1)
    remarks = check(sound, RATE_HZ)
    assert remarks[-1] == "louder than full scale: its peak is 3e+38"
    assert remarks[0].startswith("offset: its mean is 1.75e+38")


def test_two_channels_of_which_one_has_an_offset():
    left, right = tone(), tone(frequency_hz=300.0) - 0.2
    expected = ("offset: its mean is -0.2 of full scale",)
    assert check(np.stack([left, right], 1).astype("float32"), RATE_HZ) == expected
    assert check(np.stack([right, left], 1).astype("float32"), RATE_HZ) == expected


def test_sound_is_decoded_in_blocks_and_up_to_a_bound(tmp_path, monkeypatch):
    sound = noise(300, channels=2)
    path = written(tmp_path / "a.wav", sound, subtype="FLOAT")
    monkeypatch.setattr(audio, "_BLOCK_SIZE", 128)  # 64 frames of two channels
    header = read_header(path)
    for spans in ([(0, 64)], [(10, 75), (0, 128)], [(299, 300), (5, 5)], None):
        pieces = decode(path, header, spans)
        for piece, (start, stop) in zip(pieces, spans or [(0, 300)], strict=True):
            np.testing.assert_array_equal(piece, sound[start:stop].astype("float32"))
    blocks = list(audio.stream(path))
    np.testing.assert_allclose(np.concatenate(blocks), sound.mean(axis=1), atol=1e-6)
    assert {len(block) for block in blocks} == {128 // 16 // 2}

    monkeypatch.setattr(audio, "MAX_SAMPLES", 200)  # 100 frames
    assert len(decode(path, header, [(0, 50), (200, 250)])) == 2
    with pytest.raises(DamagedRecording, match=r"too long to be decoded at once: more than 200 s"):
        decode(path, header, [(0, 50), (200, 251)])
    # what cannot be sought is decoded from its beginning
    ogg = written(tmp_path / "a.ogg", sound)
    header = read_header(ogg)
    assert [len(piece) for piece in decode(ogg, header, [(90, 100), (0, 100)])] == [10, 100]
    with pytest.raises(DamagedRecording, match="too long"):
        decode(ogg, header, [(0, 10), (90, 101)])


def test_a_file_that_shrinks_while_it_is_read_is_named(tmp_path):
    path = written(tmp_path / "a.wav", tone())
    header = read_header(path)
    written(path, tone(500))
    with pytest.raises(DamagedRecording, match="cut short: 8000 frames declared, 500 of the 8000"):
        decode(path, header)
    with pytest.raises(DamagedRecording, match="500 of the 7000 from frame 0 on"):
        decode(path, header, [(0, 100), (0, 7000)])


def test_sound_for_pages_is_scaled_and_at_16_khz_at_most():
    for content, kind in ((page_sound.wav_content, "WAV"), (page_sound.ogg_content, "OGG")):
        for rate_hz, heard_hz in ((48_000, 16_000), (8000, 8000)):
            sound = 0.1 * tone(rate_hz // 4, rate_hz=rate_hz)
            with soundfile.SoundFile(io.BytesIO(content(sound, rate_hz))) as file:
                assert (file.format, file.samplerate) == (kind, heard_hz)
                heard = file.read()
            assert len(heard) == heard_hz // 4
            assert np.abs(heard).max() == pytest.approx(0.5, rel=0.03)
        assert not np.frombuffer(page_sound.wav_content(np.zeros(100), 8000)[44:], np.int16).any()
    with soundfile.SoundFile(io.BytesIO(page_sound.wav_content(tone(), 8000, peak=0.25))) as file:
        assert np.abs(file.read()).max() == pytest.approx(0.25, abs=1e-3)


def test_the_length_after_resampling_is_rounded_to_the_nearest():
    for frames, rate_hz, target_hz, length in (
        *((1, 8000, 100, 1), (120, 8000, 100, 2), (119, 8000, 100, 1), (121, 8000, 100, 2)),
        *((0, 8000, 100, 1), (8000, 44_100, 16_000, 2902), (3, 2, 3, 5), (3, 2, 2, 3)),
    ):
        assert audio.resampled_length(frames, rate_hz, target_hz) == length


def test_channels_that_cancel_are_remarked():
    left = tone()
    assert "cancel" in check(np.stack([left, -left], 1), RATE_HZ)[0]
    assert check(np.stack([left, -0.9 * left], 1), RATE_HZ) == ()
    assert check(np.stack([left, left], 1), RATE_HZ) == ()


def test_mono_is_the_mean_or_the_first():
    sound = noise(channels=3)
    np.testing.assert_allclose(mono(sound, "mean"), sound.sum(axis=1) / 3)
    np.testing.assert_array_equal(mono(sound, "first"), sound[:, 0])
    with pytest.raises(ValueError, match="'first' or 'mean'"):
        mono(sound, "left")


# Resampling


@pytest.mark.parametrize(
    ("rate_hz", "target_hz"), [(44_100, 16_000), (8000, 22_050), (4000, 4001), (8000, 11_025)]
)
def test_resampling_is_soxr_at_high_quality(rate_hz, target_hz):
    sound = noise(5000)[:, 0].astype("float32")
    ours = resample(sound, rate_hz, target_hz)
    theirs = soxr.resample(sound, rate_hz, target_hz, quality="HQ")
    assert len(ours) == round(5000 * target_hz / rate_hz)
    shared = min(len(ours), len(theirs))
    np.testing.assert_array_equal(ours[:shared], theirs[:shared])


@pytest.mark.parametrize("target_hz", [8000, 6000, 11_025])
def test_a_stream_of_blocks_is_the_whole_recording(tmp_path, target_hz, monkeypatch):
    monkeypatch.setattr(audio, "_BLOCK_SIZE", 16 * 1000)  # blocks of 500 frames
    sound = noise(frames=4321, channels=2).astype("float32")
    path = written(tmp_path / "a.wav", sound, subtype="FLOAT")
    whole, _ = read(path, sample_rate_hz=target_hz)
    blocks = list(audio.stream(path, sample_rate_hz=target_hz))
    assert len(blocks) > 5
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-6)
    sound[2000, 1] = np.nan
    written(path, sound, subtype="FLOAT")
    places = np.flatnonzero(
        np.isnan(np.concatenate([*audio.stream(path, sample_rate_hz=target_hz)]))
    )
    at = 2000 * target_hz / RATE_HZ
    assert list(places) == sorted({int(np.floor(at)), int(np.ceil(at))})


def test_resampling_keeps_a_tone_and_removes_what_cannot_be_held():
    low = resample(tone(44_100, 1000, 44_100).astype("float32"), 44_100, 16_000)
    inner = slice(1000, -1000)
    np.testing.assert_allclose(low[inner], tone(16_000, 1000, 16_000)[inner], atol=1e-4)
    high = resample(tone(44_100, 10_000, 44_100).astype("float32"), 44_100, 16_000)
    assert np.abs(high[inner]).max() < 1e-4


# Odd files of others, and damaged ones of ours


SCIPYS = sorted(Path(scipy.io.__file__).parent.glob("tests/data/*.wav"))


@pytest.mark.skipif(not SCIPYS, reason="scipy was installed without its tests")
@pytest.mark.parametrize("path", SCIPYS, ids=lambda path: path.stem)
def test_scipys_odd_files_equal_soundfile_and_scipy_or_are_refused(path):
    header, refused = None, None
    try:
        header = read_header(path)
        (ours,) = decode(path, header)
    except DamagedRecording as damage:
        refused = str(damage)
    assert bool(refused) == any(
        part in path.stem
        for part in ("early-eof", "incomplete", "inconsistent", "36bit", "45bit", "53bit", "64bit")
        if "64bit-float" not in path.stem
    )
    if header:
        np.testing.assert_array_equal(
            ours, soundfile.read(path, dtype="float32", always_2d=True)[0]
        )
    if header and "ulaw" not in path.stem:  # which scipy does not read
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rate_hz, theirs = scipy.io.wavfile.read(path)
        assert (rate_hz, len(theirs)) == (header.sample_rate_hz, header.frames)
        if theirs.dtype.kind == "f":
            np.testing.assert_allclose(ours, theirs.reshape(ours.shape), rtol=1e-6)


def _originals():
    """Small files of every kind, in memory."""
    import io

    contents = {}
    for name, options in {
        "WAV 16": {"format": "WAV", "subtype": "PCM_16"},
        "WAV 24": {"format": "WAV", "subtype": "PCM_24"},
        "WAV float": {"format": "WAV", "subtype": "FLOAT"},
        "WAV mu-law": {"format": "WAV", "subtype": "ULAW"},
        "RF64": {"format": "RF64", "subtype": "PCM_16"},
        "FLAC": {"format": "FLAC", "subtype": "PCM_16"},
        "Ogg": {"format": "OGG", "subtype": "VORBIS"},
        "MP3": {"format": "MP3", "subtype": "MPEG_LAYER_III"},
    }.items():
        file = io.BytesIO()
        soundfile.write(file, noise(4000, seed=1)[:, 0], RATE_HZ, **options)
        contents[name] = file.getvalue()
    return contents


ORIGINALS = _originals()


def mutated_is_whole_or_refused(path, content):
    path.write_bytes(content)
    try:
        sound, rate_hz = read(path)
    except DamagedRecording as damage:
        assert str(damage) and "\n" not in str(damage)
        return None
    header = read_header(path)
    assert len(sound) == header.frames and rate_hz == header.sample_rate_hz
    assert np.isfinite(sound).all()
    return header


@MUTATIONS
@given(
    # an MP3's encoder says how much of its ends to drop, and nothing says it twice
    kind=st.sampled_from([name for name in ORIGINALS if name != "MP3"]),
    flips=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 255)), min_size=1, max_size=3),
)
def test_a_mutated_header_never_crashes_and_never_loses_sound(tmp_path, kind, flips):
    content = bytearray(ORIGINALS[kind])
    for place, value in flips:
        content[place] = value
    header = mutated_is_whole_or_refused(tmp_path / "a", content)
    if header and len(flips) == 1:  # two wrong bytes may agree with each other
        # a padding byte behind the sound cannot be distinguished from the sound's last
        assert header.frames == 4000 or (header.container == "WAV" and header.frames == 3999)


@MUTATIONS
@given(
    kind=st.sampled_from(list(ORIGINALS)),
    start=st.floats(0, 1),
    length=st.integers(0, 40),
    patch=st.binary(max_size=40),
)
def test_bytes_replaced_anywhere_never_crash(tmp_path, kind, start, length, patch):
    content = ORIGINALS[kind]
    place = int(start * len(content))
    mutated_is_whole_or_refused(tmp_path / "a", content[:place] + patch + content[place + length :])


@MUTATIONS
@given(kind=st.sampled_from(list(ORIGINALS)), share=st.floats(0, 1, exclude_max=True))
def test_no_beginning_of_a_file_is_read(tmp_path, kind, share):
    content = ORIGINALS[kind]
    path = tmp_path / "a"
    path.write_bytes(content[: int(share * len(content))])
    reason(path)


@MUTATIONS
@given(
    content=st.binary(max_size=300), magic=st.sampled_from([b"RIFF", b"OggS", b"fLaC", b"\xff\xfb"])
)
def test_noise_behind_a_magic_word_never_crashes(tmp_path, content, magic):
    mutated_is_whole_or_refused(tmp_path / "a", magic + content)
