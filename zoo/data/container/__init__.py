"""What a sound file's own container promises, held against the bytes that are there.

libsndfile reads a recording that was cut short as if it were a shorter one, and steps over damaged
Ogg pages and MP3 frames. These checks read the container itself, so that such a file is named
instead.
"""

from typing import BinaryIO

from zoo.data.container import flac, mp3, ogg, wav

_FAULTS = {"WAV": wav.fault, "FLAC": flac.fault, "OGG": ogg.fault, "MP3": mp3.fault}


def fault(container: str, file: BinaryIO, size: int) -> str | None:
    """Why a file does not hold the sound that it declares, or None.

    Args:
        container: WAV, FLAC, OGG or MP3.
        file: open, at any place.
        size: of the file [bytes].
    """
    return _FAULTS[container](file, size)
