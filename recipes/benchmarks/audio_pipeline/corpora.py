"""Files of the benchmark: synthetic ones, WAV copies, and dropping them from the cache."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile

from zoo.data import corpora

CLIPS, CLASSES = 320, 10
DURATION_S = 5.0
FILE_RATE_HZ = 44_100


def write_synthetic_corpus(root: Path) -> Path:
    """Write Ogg files of a tone in noise, in folders of ten classes; returns `root`."""
    rng = np.random.default_rng(0)
    time_s = np.arange(int(FILE_RATE_HZ * DURATION_S)) / FILE_RATE_HZ
    for number in range(CLIPS):
        folder = root / f"class {number % CLASSES}"
        folder.mkdir(parents=True, exist_ok=True)
        sound = 0.1 * rng.standard_normal(len(time_s))
        sound += 0.3 * np.sin(2 * np.pi * rng.uniform(100, 5000) * time_s)
        soundfile.write(folder / f"{number}.ogg", sound, FILE_RATE_HZ, subtype="VORBIS")
    return root


def write_wav_copy(corpus: Path, root: Path) -> Path:
    """Write the clips of a corpus as 16-bit WAV in folders of classes; returns `root`."""
    index = corpora.read(corpus).index
    for number, (path, label) in enumerate(zip(index["path"], index["label"], strict=True)):
        folder = root / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        sound, rate_hz = soundfile.read(path)
        soundfile.write(folder / f"{number}.wav", sound, rate_hz, subtype="PCM_16")
    return root


def drop_from_cache(paths: Iterable[str]) -> None:
    """Ask the system to forget the content of files, where it can."""
    if hasattr(os, "posix_fadvise"):
        for path in paths:
            with open(path, "rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
