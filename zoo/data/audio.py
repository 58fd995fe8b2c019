"""One recording: read its header, decode it, check it, make it mono, resample it.

A recording that cannot be used raises `Damaged`, whose text is the reason: nothing is ever half
read. Whole corpora go through `zoo.data.inspection` and `zoo.data.pipeline`.

libsndfile decodes everything. tensorflow-io 0.37's ops agree with it to 1e-6 on whole files except
32-bit integer WAV, but are slower on what is compressed, and one wrong byte makes them end the
process (WAV) or never return (FLAC); a Vorbis file that was cut short they read as a shorter one.
`python -m recipes.benchmarks.audio_decoders` shows each.
"""

import math
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
import soxr

from zoo.data import container

Mono = Literal["first", "mean"]

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 192_000
RESAMPLER = "HQ"  # soxr's 20-bit quality, everywhere: training, serving and apps hear the same
_CONTAINERS = {name: "WAV" for name in ("WAV", "WAVEX", "RF64")} | {
    name: name for name in ("FLAC", "OGG", "MP3")
}
_FOREIGN = ("G721_32", "G723_24", "G723_40", "NMS_ADPCM_16", "NMS_ADPCM_24", "NMS_ADPCM_32")
_SEEKS = ("WAV", "FLAC")  # libsndfile 1.2 lands beside the place in Vorbis and MP3
_LONGEST = 1 << 40  # frames; a header that promises more does not know
_BLOCK = 1 << 24  # samples asked for at once, so that a lying header cannot take all memory
_CLIPPED_SHARE = 0.01
_CANCELLED = 1e-4  # power of the mean over mean power of the channels: -40 dB
CANCELS = "its channels cancel in their mean: use the first channel"


class Damaged(ValueError):
    """A recording that cannot be used; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a recording's header says.

    container: WAV, FLAC, OGG or MP3. encoding: libsndfile's name, such as PCM_16 or VORBIS.
    frames: samples of each channel.
    """

    container: str
    encoding: str
    sample_rate_hz: int
    channels: int
    frames: int

    @property
    def duration_s(self) -> float:
        """Length [s]."""
        return self.frames / self.sample_rate_hz


def read_header(path: str | Path) -> Header:
    """Read what `path` declares, and check it against the bytes that are there.

    Args:
        path: a WAV, FLAC, Ogg or MP3 file. Its content decides what it is, not its name.

    Raises:
        Damaged: not a readable sound file, cut short, without samples, or outside 1 to 192 kHz.
    """
    path = Path(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait forever
            raise Damaged("a folder, not a file" if path.is_dir() else "not a regular file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise Damaged("empty: 0 bytes")
            info = _sound_info(path, file)
            kind = _CONTAINERS.get(info.format)
            if kind is None:
                raise Damaged(f"{info.format} is not among WAV, FLAC, Ogg, MP3: convert it")
            if info.subtype in _FOREIGN:
                raise Damaged(f"{info.subtype} is a telephone's encoding: convert it")
            fault = container.fault(kind, file, size)
    except OSError as error:
        raise Damaged((error.strerror or str(error)).lower()) from None
    if fault:
        raise Damaged(fault)
    if not LOWEST_RATE_HZ <= info.samplerate <= HIGHEST_RATE_HZ:
        raise Damaged(f"its rate of {info.samplerate} Hz lies outside 1 to 192 kHz")
    if info.frames == 0:
        raise Damaged("no samples: its length is zero")
    if info.frames > _LONGEST:
        raise Damaged("its header does not say how long it is: write it again, to a file")
    return Header(
        container=kind,
        encoding=info.subtype,
        sample_rate_hz=info.samplerate,
        channels=info.channels,
        frames=info.frames,
    )


def _sound_info(path: Path, file) -> soundfile.SoundFile:
    """Header as libsndfile reads it."""
    try:
        with soundfile.SoundFile(os.fsencode(path)) as sound:
            return sound
    except (RuntimeError, TypeError, ValueError) as error:
        file.seek(0)
        raise Damaged(
            f"not readable as sound, it starts with {file.read(4)!r}: {_reason(error)}"
        ) from None


def _reason(error: Exception) -> str:
    return str(getattr(error, "error_string", error)).strip(" .") or "libsndfile gives no reason"


def decode(
    path: str | Path, header: Header, spans: Sequence[tuple[int, int]] | None = None
) -> list[np.ndarray]:
    """Decode whole, or the given spans of frames.

    Returns:
        One (frames, channels) float32 array for each span, full scale at 1.

    Raises:
        Damaged: it holds fewer frames than it declares, or does not decode.
    """
    spans = [(0, header.frames)] if spans is None else spans
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            if header.container in _SEEKS:
                pieces = [_read(file, start, stop) for start, stop in spans]
            else:
                whole = _read(file, 0, max(stop for _, stop in spans))
                pieces = [whole[start:stop] for start, stop in spans]
    except (RuntimeError, MemoryError) as error:
        raise Damaged(f"does not decode: {_reason(error)}") from None
    for (start, stop), piece in zip(spans, pieces, strict=True):
        if len(piece) != stop - start:
            raise Damaged(
                f"cut short: {header.frames} frames declared, "
                f"{len(piece)} of the {stop - start} from frame {start} on could be read"
            )
    return pieces


def _read(file: soundfile.SoundFile, start: int, stop: int) -> np.ndarray:
    """(frames, channels), fewer frames when the file ends early."""
    if file.tell() != start:
        file.seek(start)
    block = max(1, _BLOCK // file.channels)
    pieces = [file.read(min(block, stop - start), dtype="float32", always_2d=True)]
    done = len(pieces[0])
    while done < stop - start and len(pieces[-1]):
        pieces.append(file.read(min(block, stop - start - done), dtype="float32", always_2d=True))
        done += len(pieces[-1])
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def check(sound: np.ndarray, sample_rate_hz: int) -> tuple[str, ...]:
    """Check decoded sound (frames, channels): raise on what is useless, return what is odd.

    Raises:
        Damaged: no samples, samples that are not finite, or every sample the same (silence).

    Returns:
        Remarks: clipping (1 % of the samples at full scale or beyond), and channels that would
        cancel in their mean.
    """
    if sound.size == 0:
        raise Damaged("no samples: its length is zero")
    low, high = float(sound.min()), float(sound.max())
    if not (math.isfinite(low) and math.isfinite(high)):  # numpy's extremes pass NaN on
        wrong = ~np.isfinite(sound).all(axis=1)
        raise Damaged(
            f"{int(wrong.sum())} frames are NaN or infinite, "
            f"the first at {wrong.argmax() / sample_rate_hz:.3f} s"
        )
    if low == high:
        raise Damaged(f"silent: every sample is {low:g}")
    remarks = []
    peak = max(-low, high)
    if peak > 0.999:
        share = float((np.abs(sound) > 0.999).mean())
        if share > _CLIPPED_SHARE:
            remarks.append(f"clipped: {100 * share:.1f} % of its samples are at full scale")
    if peak > 1:
        remarks.append(f"louder than full scale: its peak is {peak:.3g}")
    if _cancels(sound):
        remarks.append(CANCELS)
    return tuple(remarks)


def _cancels(sound: np.ndarray) -> bool:
    if sound.shape[1] < 2:
        return False
    return float(np.square(sound.mean(axis=1)).mean()) < _CANCELLED * float(np.square(sound).mean())


def mono(sound: np.ndarray, policy: Mono = "mean") -> np.ndarray:
    """One channel (frames,) of (frames, channels): their mean, or the first."""
    if policy not in ("first", "mean"):
        raise ValueError(f"`mono` must be 'first' or 'mean'. Received: {policy!r}.")
    if sound.shape[1] == 1 or policy == "first":
        return sound[:, 0]
    return sound.mean(axis=1)


def resampled_length(frames: int, rate_hz: int, target_hz: int) -> int:
    """Samples after resampling, rounded to the nearest, at least one."""
    return max(1, (2 * frames * target_hz + rate_hz) // (2 * rate_hz))


def resample(waveform: np.ndarray, rate_hz: int, target_hz: int) -> np.ndarray:
    """(samples,) at `rate_hz` -> (samples,) at `target_hz`, float32, band-limited (soxr HQ)."""
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
    """Read one whole recording: (samples,) float32 and its rate [Hz].

    Args:
        path: WAV, FLAC, Ogg or MP3.
        sample_rate_hz: resample to this; None keeps the recording's own.
        policy: how several channels become one.

    Raises:
        Damaged: it cannot be used; the text says why.
    """
    header = read_header(path)
    (sound,) = decode(path, header)
    check(sound, header.sample_rate_hz)
    target_hz = sample_rate_hz or header.sample_rate_hz
    return resample(mono(sound, policy), header.sample_rate_hz, target_hz), target_hz
