"""Read one recording: header, decoding, checks, mix to mono, resampling.

A recording that cannot be used raises `DamagedRecording`, whose text is the reason; nothing is
returned of it. Whole corpora go through `zoo.data.inspection` and `zoo.data.pipeline`.

libsndfile decodes everything. tensorflow-io 0.37's ops agree with it to 1e-6 on whole files except
32-bit integer WAV. But they are slower on compressed files, one wrong byte makes them end the
process (WAV) or never return (FLAC), and they read a Vorbis file that was cut short as a shorter
one. `python -m recipes.benchmarks.audio_decoders` shows each case.
"""

import contextlib
import os
import stat
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import soundfile
import soxr

from zoo import containers
from zoo.containers import CONTAINERS, MAX_SAMPLES
from zoo.containers.unfinished import finish_header
from zoo.data.sound_checks import DamagedRecording, cancels, check
from zoo.edge.channels import ChannelMixer
from zoo.edge.resampling import describe_missing_band

Mono = Literal["first", "mean"]
_scratch = threading.local()

RESAMPLER = "HQ"  # soxr's 20-bit quality, the same in training and serving
_TELEPHONE_ENCODINGS = (
    "G721_32",
    "G723_24",
    "G723_40",
    "NMS_ADPCM_16",
    "NMS_ADPCM_24",
    "NMS_ADPCM_32",
)
_SEEKABLE = ("WAV", "FLAC")  # libsndfile 1.2 seeks to wrong frames in Vorbis and MP3
_OF_16_BITS = np.float32(2.0**-15)
_BLOCK_SIZE = 1 << 24  # samples decoded at once, so that a wrong header cannot fill the memory
_KEPT_SAMPLES = 1 << 22  # that a thread keeps memory for
UNFINISHED = "its header lacks the length, as a pipe leaves it: read to the end of the file"


@dataclass(frozen=True, slots=True)
class Header:
    """Header of a recording.

    Attributes:
        container: WAV, FLAC, OGG or MP3.
        encoding: libsndfile's name, such as PCM_16 or VORBIS.
        sample_rate_hz: [Hz].
        channels: number of them.
        frames: samples of each channel.
        remark: on the header, for the user; empty: none.
    """

    container: str
    encoding: str
    sample_rate_hz: int
    channels: int
    frames: int
    remark: str = ""

    @property
    def duration_s(self) -> float:
        """Length [s]."""
        return self.frames / self.sample_rate_hz


def read_header(path: str | Path) -> Header:
    """Read the header of a file and check it against the content of the file.

    Args:
        path: a WAV, FLAC, Ogg or MP3 file, recognised by its content.

    Raises:
        DamagedRecording: not a readable sound file, cut short, without samples, or with a sample
            rate outside 1 to 192 kHz.
    """
    path = Path(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait forever
            raise DamagedRecording(
                "a folder, not a file" if path.is_dir() else "not a regular file"
            )
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise DamagedRecording("empty: 0 bytes")
            sound, is_unfinished = _sound_info(path, file)
            kind = CONTAINERS.get(sound.format)
            if kind is None:
                raise DamagedRecording(
                    f"{sound.format} is not among WAV, FLAC, Ogg, MP3. "
                    "Convert: ffmpeg -i FILE FILE.wav"
                )
            if sound.subtype in _TELEPHONE_ENCODINGS:
                raise DamagedRecording(f"{sound.subtype} is a telephone's encoding: convert it")
            fault = containers.fault(kind, file, size) or containers.header_fault(
                kind, size, sample_rate_hz=sound.samplerate, frames=sound.frames
            )
    except OSError as error:
        raise DamagedRecording((error.strerror or str(error)).lower()) from None
    if fault:
        raise DamagedRecording(fault)
    return Header(
        container=kind,
        encoding=sound.subtype,
        sample_rate_hz=sound.samplerate,
        channels=sound.channels,
        frames=sound.frames,
        remark=UNFINISHED if is_unfinished else "",
    )


def _sound_info(path: Path, file: BinaryIO) -> tuple[soundfile.SoundFile, bool]:
    """Header as libsndfile reads it, and whether it lacks the length of the sound."""
    try:
        with open_sound(path) as (sound, is_unfinished):
            return sound, is_unfinished
    except (RuntimeError, TypeError, ValueError) as error:
        raise DamagedRecording(containers.unreadable(file, error)) from None


def _file_name(path: str | Path) -> Any:
    """Bytes, which libsndfile opens in any encoding; soundfile's annotation lacks them."""
    return os.fsencode(path)


@contextlib.contextmanager
def open_sound(path: str | Path) -> Generator[tuple[soundfile.SoundFile, bool]]:
    """A file as libsndfile opens it, and whether its header lacks the length of the sound.

    libsndfile takes a length of 0 for an empty file; such a header is completed on the fly.

    Args:
        path: of the file.
    """
    with Path(path).open("rb") as raw:
        file, is_unfinished = finish_header(raw)
        with soundfile.SoundFile(file if is_unfinished else _file_name(path)) as sound:
            yield sound, is_unfinished


def _reason(error: Exception) -> str:
    return str(getattr(error, "error_string", error)).strip(" .") or "libsndfile gives no reason"


def decode(
    path: str | Path, header: Header, spans: Sequence[tuple[int, int]] | None = None
) -> list[np.ndarray]:
    """Decode a recording as a whole, or spans of it.

    Args:
        path: of the file.
        header: of the file.
        spans: (start, stop) [frames] of each; None: the whole recording.

    Returns:
        One (frames, channels) float32 array for each span, full scale at 1.

    Raises:
        DamagedRecording: it holds fewer frames than it declares, does not decode, or is too long
            to be decoded at once.
    """
    spans = [(0, header.frames)] if spans is None else spans
    is_seekable = header.container in _SEEKABLE
    ends = [stop - start for start, stop in spans] if is_seekable else [stop for _, stop in spans]
    if header.channels * (sum(ends) if is_seekable else max(ends)) > MAX_SAMPLES:
        raise DamagedRecording(
            f"too long to be decoded at once: more than {MAX_SAMPLES:,} samples. Cut it into parts"
        )
    try:
        with open_sound(path) as (file, _):
            if is_seekable:
                pieces = [_read(file, start, stop) for start, stop in spans]
            else:
                whole = _read(file, 0, max(stop for _, stop in spans))
                pieces = [whole[start:stop] for start, stop in spans]
    except (RuntimeError, MemoryError) as error:
        raise DamagedRecording(f"does not decode: {_reason(error)}") from None
    for (start, stop), piece in zip(spans, pieces, strict=True):
        if len(piece) != stop - start:
            raise DamagedRecording(
                f"cut short: {header.frames} frames declared, "
                f"{len(piece)} of the {stop - start} from frame {start} on could be read"
            )
    return pieces


def _read(file: soundfile.SoundFile, start: int, stop: int) -> np.ndarray:
    """(frames, channels), fewer frames when the file ends early."""
    if file.tell() != start:
        file.seek(start)
    block = max(1, _BLOCK_SIZE // file.channels)
    pieces = [_read_block(file, min(block, stop - start))]
    done = len(pieces[0])
    while done < stop - start and len(pieces[-1]):
        pieces.append(_read_block(file, min(block, stop - start - done)))
        done += len(pieces[-1])
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def _read_block(file: soundfile.SoundFile, frames: int) -> np.ndarray:
    """(frames, channels) float32; 16-bit samples as integers, which NumPy divides faster."""
    if file.subtype != "PCM_16":
        return file.read(frames, dtype="float32", always_2d=True)
    left = max(0, file.frames - file.tell())
    sound = file.read(out=_integers(min(frames, left), file.channels))
    return np.multiply(sound, _OF_16_BITS, dtype=np.float32)


def _integers(frames: int, channels: int) -> np.ndarray:
    """(frames, channels) int16, memory of this thread: fresh memory costs as much as decoding."""
    size = frames * channels
    kept = getattr(_scratch, "integers", None)
    if kept is None or len(kept) < size:
        kept = np.empty(size, np.int16)
        if size <= _KEPT_SAMPLES:
            _scratch.integers = kept
    return kept[:size].reshape(frames, channels)


def mono(sound: np.ndarray, policy: Mono = "mean") -> np.ndarray:
    """Mix (frames, channels) to one channel (frames,): their mean, or the first.

    Where the mean has less than -40 dB of their power, as that of a channel and its negative, the
    strongest channel is taken in its place.

    Raises:
        ValueError: another policy.
    """
    if policy not in ("first", "mean"):
        raise ValueError(f"`mono` must be 'first' or 'mean'. Received: {policy!r}.")
    if sound.shape[1] == 1 or policy == "first":
        return sound[:, 0]
    with np.errstate(over="ignore", invalid="ignore"):  # of samples that are not finite
        if cancels(sound):
            return sound[:, int(np.square(sound).sum(axis=0).argmax())]
        return sound.mean(axis=1)


def resampled_length(frames: int, rate_hz: int, target_hz: int) -> int:
    """Number of samples after resampling, rounded to the nearest, at least one."""
    return max(1, (2 * frames * target_hz + rate_hz) // (2 * rate_hz))


def resample(waveform: np.ndarray, rate_hz: int, target_hz: int) -> np.ndarray:
    """Resample (samples,) from `rate_hz` to `target_hz`, float32, band-limited (soxr HQ)."""
    if rate_hz == target_hz:
        return np.ascontiguousarray(waveform, dtype=np.float32)
    length = resampled_length(len(waveform), rate_hz, target_hz)
    result = soxr.resample(waveform, rate_hz, target_hz, quality=RESAMPLER)
    if len(result) < length:  # soxr may differ by one
        result = np.pad(result, (0, length - len(result)))
    return result[:length]


def read(
    path: str | Path, *, sample_rate_hz: int | None = None, policy: Mono = "mean"
) -> tuple[np.ndarray, int]:
    """Read a whole recording: (samples,) float32 and its sample rate [Hz].

    Args:
        path: WAV, FLAC, Ogg or MP3.
        sample_rate_hz: resample to this; None keeps the recording's own.
        policy: mix several channels to their mean, or use the first.

    Raises:
        DamagedRecording: it cannot be used; the text is the reason.
    """
    header = read_header(path)
    (sound,) = decode(path, header)
    check(sound, header.sample_rate_hz)
    target_hz = sample_rate_hz or header.sample_rate_hz
    return resample(mono(sound, policy), header.sample_rate_hz, target_hz), target_hz


def stream(
    path: str | Path, *, sample_rate_hz: int | None = None, policy: Mono = "mean"
) -> Generator[np.ndarray]:
    """Blocks (samples,) of a recording of any length, float32, equal to `read` end to end.

    The sound is not checked: samples that are not finite are NaN, and nothing of those beside them
    changes. Whether channels cancel in their mean is decided in each block.

    Args:
        path: WAV, FLAC, Ogg or MP3.
        sample_rate_hz: resample to this; None keeps the recording's own.
        policy: mix several channels to their mean, or use the first.

    Raises:
        DamagedRecording: it cannot be used; the text is the reason.
    """
    header = read_header(path)
    yield from _stream(path, header, sample_rate_hz, lambda sound: mono(sound, policy))


def stream_live(
    path: str | Path,
    *,
    sample_rate_hz: int | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> Generator[np.ndarray]:
    """As `stream`, its channels mixed as on a device: dead and opposite ones are left out.

    Args:
        path: WAV, FLAC, Ogg or MP3.
        sample_rate_hz: resample to this; None keeps the recording's own.
        note: is given each way of mixing that is not the mean of all channels, once, and first
            that the recording lacks high frequencies.

    Raises:
        DamagedRecording: it cannot be used; the text is the reason.
    """
    header = read_header(path)
    missing = describe_missing_band(header.sample_rate_hz, sample_rate_hz or 0)
    if missing:
        note(missing)
    mixer, notes = ChannelMixer(header.sample_rate_hz), {""}

    def mix(sound: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            mixed = mixer.process(sound)
        if mixer.mix.note not in notes:
            notes.add(mixer.mix.note)
            note(mixer.mix.note)
        return mixed

    yield from _stream(path, header, sample_rate_hz, mix, mixer.finish)


def _stream(
    path: str | Path,
    header: Header,
    sample_rate_hz: int | None,
    mix: Callable[[np.ndarray], np.ndarray],
    finish: Callable[[], np.ndarray] = lambda: np.zeros(0, np.float32),
) -> Generator[np.ndarray]:
    """Blocks of a recording, decoded, mixed and resampled.

    Args:
        path: of the file.
        header: of the file.
        sample_rate_hz: of the result; None: that of the recording.
        mix: (frames, channels) to (samples,), which may keep some back.
        finish: the samples that it kept.
    """
    rate_hz, target_hz = header.sample_rate_hz, sample_rate_hz or header.sample_rate_hz
    resampler = _StreamResampler(rate_hz, target_hz) if rate_hz != target_hz else None
    frames = max(1, _BLOCK_SIZE // 16 // header.channels)
    done = 0
    try:
        with open_sound(path) as (file, _):
            while len(sound := file.read(frames, dtype="float32", always_2d=True)):
                done += len(sound)
                block = mix(sound)
                block = np.where(np.isfinite(block), block, np.float32(np.nan))
                yield resampler.process(block) if resampler else block
    except (RuntimeError, MemoryError) as error:
        raise DamagedRecording(f"does not decode: {_reason(error)}") from None
    if done != header.frames:
        raise DamagedRecording(f"cut short: {header.frames} frames declared, {done} could be read")
    rest = finish()
    if len(rest):
        rest = np.where(np.isfinite(rest), rest, np.float32(np.nan))
        yield resampler.process(rest) if resampler else rest
    if resampler:
        yield resampler.finish()


class _StreamResampler:
    """`resample` block by block; a sample that is not finite becomes NaN where it would be."""

    def __init__(self, rate_hz: int, target_hz: int) -> None:
        self._stream = soxr.ResampleStream(rate_hz, target_hz, 1, "float32", RESAMPLER)
        self._rate_hz, self._target_hz = rate_hz, target_hz
        self._read = self._written = 0
        self._bad: set[int] = set()  # of samples to be written

    def process(self, block: np.ndarray) -> np.ndarray:
        """Samples that the block completes."""
        bad = np.flatnonzero(~np.isfinite(block))
        if bad.size:
            places = (bad + self._read) * self._target_hz / self._rate_hz
            self._bad |= {*np.floor(places).astype(int), *np.ceil(places).astype(int)}
            block = np.where(np.isfinite(block), block, np.float32(0))
        self._read += len(block)
        return self._marked(self._stream.resample_chunk(block))

    def finish(self) -> np.ndarray:
        """The last samples."""
        rest = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)
        missing = resampled_length(self._read, self._rate_hz, self._target_hz) - self._written
        rest = np.pad(rest, (0, max(0, missing - len(rest))))[: max(0, missing)]
        return self._marked(rest)

    def _marked(self, samples: np.ndarray) -> np.ndarray:
        end = self._written + len(samples)
        here = [place - self._written for place in self._bad if self._written <= place < end]
        if here:
            samples = samples.copy()
            samples[here] = np.nan
        self._written = end
        return samples
