"""Checks of sound files against the lengths and checksums that their containers declare.

libsndfile reads a recording that was cut short as if it were a shorter one, and skips damaged Ogg
pages and MP3 frames. These checks read the container itself, so that such a file is reported. Their
time is proportional to the size of the file at most. Standard library only: `zoo.data` and the
device runtime `zoo.edge` share them.
"""

from typing import BinaryIO

from zoo.containers import flac, mp3, ogg, wav

MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 192_000
MAX_SAMPLES = 1 << 29  # decoded at once, of all channels: 2 GiB of float32

# libsndfile's name of a format -> container
CONTAINERS = {name: "WAV" for name in ("WAV", "WAVEX", "RF64")} | {
    name: name for name in ("FLAC", "OGG", "MP3")
}
_FAULTS = {"WAV": wav.fault, "FLAC": flac.fault, "OGG": ogg.fault, "MP3": mp3.fault}
# Frames that a byte can hold at most: GSM 6.10 packs 320 into 65 bytes; a constant FLAC frame takes
# ten bytes for 65,535; an Opus packet of 120 ms at 48 kHz three; an MP3 frame of 24 bytes is 576.
_MAX_FRAMES_A_BYTE = {"WAV": 8, "FLAC": 8192, "OGG": 8192, "MP3": 64}
_MAX_FRAMES = 1 << 40  # a header with more has no valid length


def fault(container: str, file: BinaryIO, size: int) -> str | None:
    """Reason why a file does not hold the sound that it declares, or None.

    Args:
        container: WAV, FLAC, OGG or MP3.
        file: open, at any position.
        size: of the file [bytes].
    """
    return _FAULTS[container](file, size)


def unreadable(file: BinaryIO, error: Exception) -> str:
    """Why a file is not readable as sound, and the cure, which ends with a command to copy.

    Args:
        file: open.
        error: of libsndfile, or of `wave`; a TypeError where soundfile takes the file for samples
            without a header by its name.
    """
    if isinstance(error, TypeError):
        return "samples without a header: zoo edge takes them from standard input, with --rate"
    file.seek(0)
    reason = str(getattr(error, "error_string", error)).strip(" .") or "no reason given"
    return (
        f"not readable as sound, it starts with {file.read(4)!r}: {reason}. "
        "Convert: ffmpeg -i FILE FILE.wav"
    )


def header_fault(container: str, size: int, *, sample_rate_hz: int, frames: int) -> str | None:
    """Reason why a header cannot be right, or None.

    Args:
        container: WAV, FLAC, OGG or MP3.
        size: of the file [bytes].
        sample_rate_hz: that it declares [Hz].
        frames: samples of each channel that it declares.
    """
    if not MIN_RATE_HZ <= sample_rate_hz <= MAX_RATE_HZ:
        return f"its rate of {sample_rate_hz} Hz lies outside 1 to 192 kHz"
    if frames <= 0:
        return "no samples: its length is zero"
    if frames > _MAX_FRAMES:
        return "its header does not state its length: write it again, to a file"
    if frames > _MAX_FRAMES_A_BYTE[container] * size:
        return f"its header declares {frames} frames, more than {size} bytes can hold"
    return None
