"""Checks of sound files against the lengths and checksums that their containers declare.

libsndfile reads a recording that was cut short as if it were a shorter one, and skips damaged Ogg
pages and MP3 frames. These checks read the container itself, so that such a file is reported.
"""

from typing import BinaryIO

from zoo.data.container import flac, mp3, ogg, wav

_FAULTS = {"WAV": wav.fault, "FLAC": flac.fault, "OGG": ogg.fault, "MP3": mp3.fault}


def fault(container: str, file: BinaryIO, size: int) -> str | None:
    """Reason why a file does not hold the sound that it declares, or None.

    Args:
        container: WAV, FLAC, OGG or MP3.
        file: open, at any position.
        size: of the file [bytes].
    """
    return _FAULTS[container](file, size)
