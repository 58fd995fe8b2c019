"""`python -m zoo.edge`: files, pipes, a microphone; one line for each change, and for mistakes."""

import io
import os
import signal
import subprocess
import sys
import time
import types
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests import edge_models
from zoo.edge import capture
from zoo.edge.__main__ import main

ROOT = Path(__file__).parents[3]
RATE = 16_000


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return edge_models.write_folder(tmp_path_factory.mktemp("edge") / "tiny-ear")


@pytest.fixture(scope="module")
def sound():
    """A second of hum, a second of roar with a clipped stretch, half a second of nothing."""
    rng = np.random.default_rng(0)
    parts = [rng.normal(scale=s, size=RATE).clip(-0.9, 0.9) for s in (0.01, 0.6)]
    x = np.round(np.concatenate([*parts, np.zeros(RATE // 2)]) * 32767).astype("<i2")
    x[RATE + 12_000 : RATE + 12_010] = 32767
    return x


def wav(path, x, width=2, rate=RATE):
    with wave.open(path if isinstance(path, io.BytesIO) else str(path), "wb") as file:
        file.setnchannels(1 if x.ndim == 1 else x.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(x.tobytes())
    return path


def run(*words, given=b""):
    return subprocess.run(
        [sys.executable, "-m", "zoo.edge", *map(str, words)],
        cwd=ROOT,
        input=given,
        capture_output=True,
    )


def programs(text):
    """(program, or condition in brackets) of every line below the head."""
    return [line.split()[1] for line in text.splitlines()[1:]]


EXPECTED = ["quiet", "music", "(clipped)", "(silent)"]


def test_a_file_prints_a_line_for_each_change(tiny, sound, tmp_path, capsys):
    assert main([str(tiny), str(wav(tmp_path / "x.wav", sound))]) == 0
    output = capsys.readouterr()
    assert programs(output.out) == EXPECTED
    times = [float(line.split()[0]) for line in output.out.splitlines()[1:]]
    assert 1.0 < times[1] < 1.4 and times[2] == pytest.approx(1.75, abs=0.016)
    assert "2.5 s in 156 hops, 2 changes of program; not classified: 1 clipped" in output.err


def test_standard_input_is_raw_or_wav(tiny, sound):
    raw = run(tiny, "-", "--rate", RATE, given=sound.tobytes())
    assert raw.returncode == 0, raw.stderr
    assert programs(raw.stdout.decode()) == EXPECTED
    piped = run(tiny, given=wav(io.BytesIO(), sound).getvalue())
    assert piped.stdout == raw.stdout
    stereo = np.stack([sound, sound], axis=1).astype("<f4") / np.float32(32768)
    floats = run(
        *(tiny, "-", "--rate", RATE, "--channels", 2, "--format", "f32le"), given=stereo.tobytes()
    )
    assert floats.stdout == raw.stdout


@pytest.mark.parametrize("declared", [0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_a_header_that_a_pipe_left_is_read_to_the_end(tiny, sound, tmp_path, capsys, declared):
    content = bytearray(wav(io.BytesIO(), sound).getvalue())
    content[40:44] = declared.to_bytes(4, "little")
    (tmp_path / "x.wav").write_bytes(content)
    assert main([str(tiny), str(tmp_path / "x.wav")]) == 0
    output = capsys.readouterr()
    assert programs(output.out) == EXPECTED and "2.5 s in 156 hops" in output.err
    if declared in (0, 0x80000000):
        piped = run(tiny, given=bytes(content))
        assert programs(piped.stdout.decode()) == EXPECTED, piped.stderr


@pytest.mark.parametrize("content", ["raw", "WAV"])
def test_a_pipe_may_end_or_pause_within_a_frame(tiny, sound, content):
    stereo = np.stack([sound, sound], axis=1)[: 156 * 256]  # read in whole blocks
    header = wav(io.BytesIO(), stereo).getvalue()[:40] + bytes(4)
    given = (header if content == "WAV" else b"") + stereo.tobytes()
    options = [] if content == "WAV" else ["--rate", str(RATE), "--channels", "2"]
    command = [sys.executable, "-m", "zoo.edge", str(tiny), "-", *options]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        process.stdin.write(given[:1025])
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"  time [s]")
        time.sleep(0.3)  # it has read them
        process.stdin.write(given[1025:1026])
        process.stdin.flush()
        time.sleep(0.3)
        output, errors = process.communicate(given[1026:] + b"x")
    assert process.returncode == 0, errors
    assert programs("head\n" + output.decode()) == EXPECTED


def extensible(content):
    """The WAV file with WAVE_FORMAT_EXTENSIBLE, as ffmpeg writes 24 bits or many channels."""
    tail = bytes.fromhex("160010000000000001000000000010008000 00aa00389b71".replace(" ", ""))
    fmt = b"fmt " + (40).to_bytes(4, "little") + b"\xfe\xff" + content[22:36] + tail
    size = (len(content) + 24 - 8).to_bytes(4, "little")
    return content[:4] + size + content[8:12] + fmt + content[36:]


@pytest.mark.parametrize("is_pipe", [True, False])
@pytest.mark.parametrize("kind", ["extensible", "doubled", "both"])
def test_extended_and_doubled_headers_are_read(
    tiny, sound, tmp_path, capsys, monkeypatch, kind, is_pipe
):
    content = wav(tmp_path / "own.wav", sound).read_bytes()
    if kind in ("extensible", "both"):
        content = extensible(content)
    if kind in ("doubled", "both"):
        outer = b"RIFF" + b"\xff" * 4 + content[8:12] + content[12 : content.index(b"data") + 4]
        content = outer + b"\xff" * 4 + content
    monkeypatch.setitem(sys.modules, "soundfile", None)
    if is_pipe:
        done = run(str(tiny), "-", given=content)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.decode()
    else:
        (tmp_path / "own.wav").write_bytes(content)
        assert main([str(tiny), str(tmp_path / "own.wav")]) == 0
        lines = capsys.readouterr().out
    assert programs(lines) == EXPECTED


@pytest.mark.parametrize(
    ("width", "convert"),
    [
        (1, lambda x: ((x >> 8) + 128).astype(np.uint8)),
        (3, lambda x: (x.astype("<i4") << 8).view(np.uint8).reshape(-1, 4)[:, :3].copy()),
        (4, lambda x: x.astype("<i4") << 16),
    ],
)
def test_integers_of_every_width_are_the_same_sound(tiny, sound, tmp_path, capsys, width, convert):
    x = convert(sound[: 2 * RATE])
    with wave.open(str(tmp_path / "x.wav"), "wb") as file:
        file.setparams((1, width, RATE, 0, "NONE", ""))
        file.writeframes(x.tobytes())
    assert main([str(tiny), str(tmp_path / "x.wav")]) == 0
    assert programs(capsys.readouterr().out) == EXPECTED[: 3 if width > 1 else 2]
    ours = np.concatenate(list(capture.from_file(tmp_path / "x.wav").blocks))[:, 0]
    theirs, _ = soundfile.read(tmp_path / "x.wav", dtype="int32")
    full = {np.dtype(np.int16): 2.0**15, np.dtype(np.int32): 2.0**31}[ours.dtype]
    np.testing.assert_array_equal(ours / full, theirs / 2.0**31)


def test_other_sound_files_need_soundfile(tiny, sound, tmp_path, capsys, monkeypatch):
    flac = tmp_path / "x.flac"
    soundfile.write(flac, sound, RATE)
    assert main([str(tiny), str(flac)]) == 0
    assert programs(capsys.readouterr().out) == EXPECTED
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert main([str(tiny), str(flac)]) == 2
    assert "Install the package soundfile" in capsys.readouterr().err


def test_the_microphone_is_read_until_it_is_interrupted(tiny, sound, capsys, monkeypatch):
    class Stream:
        def __init__(self, samplerate, channels, dtype):
            assert (samplerate, channels, dtype) == (RATE, 1, "int16")
            self.place = 0

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def read(self, frames):
            if self.place >= len(sound):
                raise KeyboardInterrupt
            self.place += frames
            return sound[self.place - frames : self.place, None], self.place == 20 * frames

    module = types.SimpleNamespace(InputStream=Stream, PortAudioError=RuntimeError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    assert main([str(tiny), "--mic", "--rate", str(RATE)]) == 130
    lines = capsys.readouterr().out
    assert [name for name in programs(lines) if name != "(gap)"] == EXPECTED
    assert f"{19 * 256 / RATE + 0.016:.3f}  (gap)" in lines  # the hop after the overflow
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert main([str(tiny), "--mic"]) == 2
    assert capsys.readouterr().err.startswith("error: --mic needs the package sounddevice")


def test_stress_comes_out_as_csv(tmp_path, capsys):
    history = tmp_path / "history.csv"
    history.write_text("time_s,strain\n0,0\n0.05,0.1\n0.1,0.2\n")
    assert main(["saved_models/material-maxwell", str(history)]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head == "time_s,prediction_mpa"
    # E = 1 MPa, and 0.1 s is short beside the relaxation at such a stress: nearly elastic.
    np.testing.assert_allclose(
        np.genfromtxt(rows, delimiter=","), [[0, 0], [0.05, 0.1], [0.1, 0.2]], atol=1e-3
    )


def mistakes(tiny, tmp_path):
    """Words of the command line -> what the line says."""
    text = tmp_path / "text.wav"
    text.write_text("no sound at all")
    raw, empty = tmp_path / "a.raw", tmp_path / "empty.wav"
    raw.write_bytes(bytes(1000))
    empty.touch()
    cut = wav(tmp_path / "cut.wav", np.zeros(4000, "<i2"))
    cut.write_bytes(cut.read_bytes()[:-1001])
    rows = tmp_path / "rows.csv"
    rows.write_text("time,stretch\n0,0\n0,1\n")
    stress = "saved_models/material-maxwell"
    return {
        (tmp_path,): "no manifest.json",
        (tiny, tmp_path / "none.wav"): "no such file",
        (tiny, text): "it starts with b'no s': Format not recognised. Convert: ffmpeg -i FILE",
        (tiny, raw): "samples without a header: zoo edge takes them from standard input",
        (tiny, empty): "empty: 0 bytes",
        (tiny, cut): "cut short: the header declares 8000 bytes of sound, 6999 are there",
        (tiny, "--weights", "int8"): "There are: float32",
        (tiny, "-"): "give --rate",
        (tiny, "-", "--rate", "7"): "sample rate of 1000",
        (tiny, "-", "--rate", "8000", "--channels", "0"): "--channels must be 1 or more",
        (tiny, "-", "--rate", "0"): "Expected a sample rate of 1000 to 384000 Hz",
        (stress, rows): "line 3: time does not increase",
        (stress, text): "line 1: no column looks like time",
        (stress, tmp_path / "none.csv"): "no such file",
        ("budget", tmp_path / "none.tflite"): "no such model",
        ("budget", text): "not a TFLite file",
        ("budget", tiny, "--budget", text): "expected numbers by name",
        ("budget", tiny, "--steps", "0"): "--steps must be 1 or more",
        ("budget", tiny, "--hop", "0"): "--hop must be a length of sound above 0 s",
        ("budget", tiny, "--hop=-1"): "--hop must be a length of sound above 0 s",
        (stress, "--mic"): "--mic is for models of sound",
    }


def test_every_mistake_is_one_line(tiny, tmp_path, capsys, monkeypatch):
    empty = types.SimpleNamespace(buffer=io.BufferedReader(io.BytesIO()), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", empty)
    for words, message in mistakes(tiny, tmp_path).items():
        assert main([*map(str, words)]) == 2, words
        lines = [x for x in capsys.readouterr().err.splitlines() if " hops, " not in x]
        assert len(lines) == 1 and lines[0].startswith("error: ") and message in lines[0], words


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"RIFF", "expected WAV of integers (its header is cut short)"),
        (b'fLaC\0\0\0"', "expected raw samples or WAV, got a file that starts with b'fLaC'"),
        (b"ID3\4\0\0\0\0", "expected raw samples or WAV, got a file that starts with b'ID3"),
    ],
)
def test_a_pipe_of_another_file_is_refused(tiny, capsys, monkeypatch, content, message):
    given = types.SimpleNamespace(
        buffer=io.BufferedReader(io.BytesIO(content)), isatty=lambda: False
    )
    monkeypatch.setattr(sys, "stdin", given)
    assert main([str(tiny), "-", "--rate", str(RATE)]) == 2
    assert message in capsys.readouterr().err


def test_a_reader_that_leaves_ends_it_quietly(tiny, sound, tmp_path):
    sound.tofile(tmp_path / "x.raw")
    reader, writer = os.pipe()
    os.close(reader)
    with (tmp_path / "x.raw").open("rb") as raw:
        done = subprocess.run(
            [sys.executable, "-m", "zoo.edge", str(tiny), "-", "--rate", str(RATE)],
            cwd=ROOT,
            stdin=raw,
            stdout=writer,
            stderr=subprocess.PIPE,
        )
    os.close(writer)
    assert done.returncode == 0 and done.stderr.count(b"\n") <= 1, done.stderr


def test_an_interrupt_ends_it_quietly(tiny, sound):
    command = [sys.executable, "-m", "zoo.edge", str(tiny), "-", "--rate", str(RATE)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        process.stdin.write(sound.tobytes())
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"  time [s]")  # it is at work
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode == 130
    assert errors.decode().splitlines()[-1].endswith(" of program") or b"not classified" in errors
    assert b"Traceback" not in errors


def test_estimates_end_with_the_sound_and_say_why_there_are_none(sound, tmp_path, capsys):
    def rows(x):
        assert main(["saved_models/speech-snr", str(wav(tmp_path / "x.wav", x))]) == 0
        output = capsys.readouterr()
        return [line.split(",") for line in output.out.splitlines()], output.err

    (heading, *lines), said = rows(sound)  # the last half second is digital silence
    assert heading[0] == "time_s" and heading[-1] == "condition"
    assert [line[0] for line in lines] == ["0.992", "2.000", "2.496"]
    assert [line[-1] for line in lines] == ["sound", "sound", "silent"]
    assert all(lines[0][1:]) and lines[2][1:-1] == ["", ""]
    assert "2.5 s in 156 hops; not estimated: 1 clipped, 31 silent" in said

    short = np.stack([sound[:4000], 0 * sound[:4000]], axis=1)
    (_, *lines), said = rows(short)
    assert [line[0] for line in lines] == ["0.240"]
    assert said.splitlines()[-2:] == [
        "0.000 s: no sound in channel 2, left out",
        "0.2 s in 15 hops",
    ]
