"""Sources of sound: a file, raw samples or WAV on standard input, a microphone."""

import io
import os
import sys
import wave
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from zoo import containers
from zoo.containers.unfinished import finish_header
from zoo.edge.condition import Condition

Block = npt.NDArray[Any]  # (samples, channels), int16, int32 or float32

FORMATS = {"s16le": "<i2", "s32le": "<i4", "f32le": "<f4"}
HEADER_CUT = "its header is cut short"
_ENCODED = (b"fLaC", b"OggS", b"RF64", b"RIFX", b"FORM", b"caff")  # not raw, nor WAV
_FRAMES = 4096  # of a file at a time
_LIVE_FRAMES = 256  # of what is still being recorded
_BLOCK_BYTES = 1 << 22  # of a file at a time, whatever number of channels it declares


class Source(NamedTuple):
    """A stream of sound.

    Attributes:
        sample_rate_hz: of the stream [Hz].
        blocks: (samples, channels), as they come; GAP before one where samples were lost.
    """

    sample_rate_hz: int
    blocks: Iterator[Block | Literal[Condition.GAP]]


def from_file(path: Path) -> Source:
    """A WAV file of integers; any other sound file where the package soundfile is installed.

    The container is checked before the first sample is read, as in `zoo.data.audio`.

    Raises:
        ValueError: not a file that can be read here, one that was cut short or is damaged, or (from
            `blocks`) one that does not decode.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file. Expected a sound file, or - for standard input.")
    if not path.stat().st_size:
        raise ValueError(f"{path}: empty: 0 bytes. Copy it again.")
    raw = path.open("rb")
    file, is_unfinished = finish_header(raw)
    try:
        reader = wave.Wave_read(file)
    except (wave.Error, EOFError, RuntimeError) as error:  # RuntimeError: a chunk beyond the end
        raw.close()
        return _soundfile(path, str(error) or HEADER_CUT)
    rate_hz = reader.getframerate()
    with path.open("rb") as content:
        frames = None if is_unfinished else reader.getnframes()
        try:
            _check(path, content, "WAV", rate_hz, frames)
        except ValueError:
            raw.close()
            raise
    return Source(
        rate_hz, _wave_blocks(file, reader, str(path), is_small=False, is_endless=is_unfinished)
    )


def _check(path: Path, file: BinaryIO, kind: str, rate_hz: int, frames: int | None) -> None:
    """Raise ValueError where a file does not hold the sound that it declares.

    Args:
        path: of the file.
        file: open.
        kind: WAV, FLAC, OGG or MP3.
        rate_hz: that its header declares [Hz].
        frames: that its header declares; None: as many as there are.
    """
    size = os.fstat(file.fileno()).st_size
    fault = containers.fault(kind, file, size) or containers.header_fault(
        kind, size, sample_rate_hz=rate_hz, frames=1 if frames is None else frames
    )
    if fault:
        raise ValueError(f"{path}: {fault}. Copy or convert the file again.")


def from_stdin(rate_hz: int | None, channels: int, sample_format: str) -> Source:
    """Raw samples, or WAV, whose header holds rate and channels.

    Args:
        rate_hz: of raw samples [Hz].
        channels: of raw samples.
        sample_format: of raw samples, one of `FORMATS`.

    Raises:
        ValueError: raw samples whose rate is not given, a WAV that cannot be read, or a file of
            another format.
    """
    if sys.stdin.isatty():
        raise ValueError("No input: give a sound file, pipe samples, or use --mic.")
    stream = cast(io.BufferedReader, sys.stdin.buffer)
    head = stream.peek(4)[:4]
    if head in _ENCODED or head[:3] == b"ID3":
        raise ValueError(
            f"standard input: expected raw samples or WAV, got a file that starts with {head!r}. "
            "Decode it: ffmpeg -i FILE -f wav - | ..."
        )
    if head == b"RIFF":
        try:
            file, _ = finish_header(stream)
            reader = wave.Wave_read(file)
        except (wave.Error, EOFError, RuntimeError) as error:
            reason = str(error) or HEADER_CUT
            raise ValueError(f"standard input: expected WAV of integers ({reason}).") from None
        blocks = _wave_blocks(file, reader, "standard input", is_small=True, is_endless=True)
        return Source(reader.getframerate(), blocks)
    if rate_hz is None:
        raise ValueError("Raw samples on standard input have no rate of their own: give --rate.")
    return Source(rate_hz, _raw(stream, channels, np.dtype(FORMATS[sample_format])))


def from_microphone(rate_hz: int, channels: int) -> Source:
    """The default microphone, from now on until Ctrl-C.

    Raises:
        ValueError: no package sounddevice, or no microphone.
    """
    try:
        sounddevice: Any = import_module("sounddevice")  # optional
    except (ImportError, OSError) as error:  # OSError: without its own library PortAudio
        raise ValueError(
            f"--mic needs the package sounddevice ({error}). Install it, or pipe raw samples: "
            f"arecord -t raw -f S16_LE -r {rate_hz} | zoo-edge MODEL - --rate {rate_hz}"
        ) from None

    def blocks() -> Iterator[Block | Literal[Condition.GAP]]:
        with stream:
            while True:
                samples, is_overflow = stream.read(_LIVE_FRAMES)
                if is_overflow:
                    yield Condition.GAP
                yield samples

    try:
        stream = sounddevice.InputStream(samplerate=rate_hz, channels=channels, dtype="int16")
    except sounddevice.PortAudioError as error:
        raise ValueError(f"The microphone cannot be opened: {error}.") from None
    return Source(rate_hz, blocks())


def _raw(stream: io.BufferedReader, channels: int, dtype: np.dtype[Any]) -> Iterator[Block]:
    """Blocks of whole frames, each as soon as it can be read."""
    frame, rest = channels * dtype.itemsize, b""
    while data := stream.read1(_FRAMES * frame):
        data = rest + data
        whole = len(data) - len(data) % frame
        rest = data[whole:]
        yield (
            np.frombuffer(data[:whole], dtype).astype(dtype.newbyteorder("=")).reshape(-1, channels)
        )


def _wave_blocks(
    file: BinaryIO, reader: wave.Wave_read, name: str, *, is_small: bool, is_endless: bool
) -> Iterator[Block]:
    """Blocks of a WAV file, closed at its end.

    Args:
        file: to close.
        reader: of it.
        name: for the message.
        is_small: small blocks, each as soon as it was recorded.
        is_endless: its header does not say where it ends.

    Raises:
        ValueError: the file was cut short.
    """
    width, channels, declared = reader.getsampwidth(), reader.getnchannels(), reader.getnframes()
    read = 0
    frames = min(_LIVE_FRAMES if is_small else _FRAMES, max(1, _BLOCK_BYTES // (width * channels)))
    with file:
        while data := reader.readframes(frames):
            whole = len(data) - len(data) % (width * channels)
            read += whole // (width * channels)
            yield _integers(data[:whole], width).reshape(-1, channels)
    if read < declared and not is_endless:
        raise ValueError(
            f"{name}: the file was cut short: {read} samples of {declared}. Copy it again."
        )


def _integers(data: bytes, width: int) -> Block:
    """Samples of a WAV file, 1 to 4 bytes each, as int16 or int32 at the same full scale."""
    if width == 2:
        return np.frombuffer(data, "<i2").astype(np.int16)
    if width == 1:  # the only ones without a sign
        return (np.frombuffer(data, np.uint8).astype(np.int16) - 128) << 8
    samples = np.zeros((len(data) // width, 4), np.uint8)
    samples[:, 4 - width :] = np.frombuffer(data, np.uint8).reshape(-1, width)
    return samples.view("<i4")[:, 0].astype(np.int32)


def _soundfile(path: Path, reason: str) -> Source:
    try:
        soundfile: Any = import_module("soundfile")  # optional
    except (ImportError, OSError):
        raise ValueError(
            f"{path}: expected WAV of integers ({reason}). Install the package soundfile, which "
            "reads more, or convert the file."
        ) from None
    try:
        file = soundfile.SoundFile(os.fsencode(path))
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: no header at all
        with path.open("rb") as content:
            raise ValueError(f"{path}: {containers.unreadable(content, error)}") from None
    kind = containers.CONTAINERS.get(file.format)
    if kind is None:
        raise ValueError(
            f"{path}: {file.format} is not among WAV, FLAC, Ogg, MP3. "
            "Convert: ffmpeg -i FILE FILE.wav"
        )
    with path.open("rb") as content:
        _check(path, content, kind, file.samplerate, file.frames)
    return Source(file.samplerate, _soundfile_blocks(path, file, soundfile.SoundFileError))


def _soundfile_blocks(path: Path, file: Any, fault: type[Exception]) -> Iterator[Block]:
    """Blocks of a file up to its declared length; raises ValueError where it does not decode."""
    frames = min(_FRAMES, max(1, _BLOCK_BYTES // (4 * file.channels)))
    read = 0
    with file:
        while read < file.frames:
            try:
                block = file.read(min(frames, file.frames - read), dtype="float32", always_2d=True)
            except fault as error:
                raise ValueError(f"{path}: does not decode ({error}). Copy it again.") from None
            if not len(block):
                raise ValueError(
                    f"{path}: the file was cut short: {read} samples of {file.frames}. "
                    "Copy it again."
                )
            read += len(block)
            yield block
