"""A sound bank: many recordings in one array at one rate, with a table of what and whose they are.

    bank = Bank.join([read_bank(folder) for folder in folders])

A bank on the disk is a folder of `bank.csv` and Ogg files that hold the clips end to end.
"""

import io
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd
import soundfile
import soxr

from zoo.data.audio import mono
from zoo.files import replacing_folder, write_bytes, writing

RATE_HZ = 16_000
COLUMNS = ("kind", "label", "fold", "group", "licence", "source")
FRAME = RATE_HZ // 50  # 20 ms
HELD_OUT = 5  # one group in so many is not trained on
ACTIVE_DB = 30.0  # below the loudest frame, speech is a pause
Part = Literal["train", "validation", "test"]
LOUD_FRAMES = 5  # the level that a clip reaches for 100 ms, as in `zoo.spectrogram.ReferenceLevel`
_BLOCK = 1 << 16  # samples written at a time: libsndfile keeps a block on its stack
_PART_S = 1200  # seconds of one file


@dataclass(frozen=True)
class Bank:
    """Recordings at 16 kHz, end to end.

    Attributes:
        samples: (all samples,) int16.
        table: one row a clip: `start` and `length` [samples], `kind` (such as "voice"), `label`,
            `fold` (0: none), `group` (recording or speaker), `licence` (SPDX), `source`, `loud_db`
            (level that it reaches for 100 ms [dB]).
    """

    samples: np.ndarray
    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)

    def clip(self, row: int) -> np.ndarray:
        """Clip (samples,) float32."""
        start, length = (int(self.table[name].iloc[row]) for name in ("start", "length"))
        return self.samples[start : start + length].astype(np.float32) / 32768

    def choose(self, mask: np.ndarray) -> "Bank":
        """The clips of a mask (clips,); the samples stay as they are."""
        rows = np.flatnonzero(np.asarray(mask))
        return Bank(self.samples, self.table.iloc[rows].reset_index(drop=True))

    @classmethod
    def join(cls, banks: Sequence["Bank"]) -> Self:
        """Several banks as one."""
        tables, start = [], 0
        for bank in banks:
            tables.append(bank.table.assign(start=bank.table["start"] + start))
            start += len(bank.samples)
        samples = np.concatenate([bank.samples for bank in banks])
        return cls(samples, pd.concat(tables, ignore_index=True))

    @classmethod
    def of_clips(cls, clips: Sequence[np.ndarray], rows: Sequence[dict]) -> Self:
        """A bank of clips (samples,) at 16 kHz with their rows of `COLUMNS`."""
        lengths = np.array([len(clip) for clip in clips], np.int64)
        table = pd.DataFrame(list(rows), columns=list(COLUMNS)).assign(
            start=np.cumsum(lengths) - lengths,
            length=lengths,
            loud_db=[loud_level_db(clip) for clip in clips],
        )
        joined = np.concatenate([np.clip(clip, -1, 1) for clip in clips])
        return cls(np.round(32767 * joined).astype(np.int16), table)


def trim_silence(bank: Bank, range_db: float = 60.0) -> Bank:
    """The bank with silence at the ends of its clips left out, as `zoo.spectrogram.Trim` does.

    Args:
        bank: its samples stay as they are.
        range_db: below the loudest frame of 20 ms [dB].
    """
    starts, lengths = [], []
    for row in range(len(bank)):
        clip = bank.clip(row)
        frames = np.pad(clip, (0, -len(clip) % FRAME)).reshape(-1, FRAME)
        power = np.mean(np.square(frames, dtype=np.float64), axis=1)
        loud = np.flatnonzero(power > power.max() * 10 ** (-range_db / 10))
        first, last = (int(loud[0]), int(loud[-1])) if len(loud) else (0, len(frames) - 1)
        starts.append(int(bank.table["start"].iloc[row]) + first * FRAME)
        lengths.append(min(len(clip), (last + 1) * FRAME) - first * FRAME)
    return Bank(bank.samples, bank.table.assign(start=starts, length=lengths))


def part_of(group: str) -> Part:
    """Part of a speaker, piece or recording, by its name alone: "train", "validation" or "test".

    One in five is held out, half of these to choose by, half to measure.

    Args:
        group: as in the table of a bank.
    """
    number = zlib.crc32(group.encode())
    if number % HELD_OUT:
        return "train"
    return "test" if number // HELD_OUT % 2 else "validation"


def active_level(x: np.ndarray) -> float:
    """Root mean square over the frames of 20 ms that are at most 30 dB below the loudest.

    Args:
        x: waveform (samples,) at 16 kHz; shorter than a frame or silent: 0.
    """
    if len(x) < FRAME:
        return 0.0
    power = np.mean(np.square(x[: len(x) // FRAME * FRAME].reshape(-1, FRAME)), axis=1)
    active = power > power.max() * 10 ** (-ACTIVE_DB / 10)
    return float(np.sqrt(power[active].mean())) if active.any() else 0.0


def loud_level_db(clip: np.ndarray) -> float:
    """Level that a clip reaches for 100 ms in all: its fifth largest frame of 20 ms [dB]."""
    padded = np.pad(clip, (0, -len(clip) % FRAME))
    power = np.sort(np.mean(np.square(padded.reshape(-1, FRAME), dtype=np.float64), axis=1))
    return float(10 * np.log10(power[-min(LOUD_FRAMES, len(power))] + 1e-12))


def read_sound(path: Path, seconds: float | None = None) -> np.ndarray:
    """A recording at 16 kHz in one channel, (samples,) float32.

    Args:
        path: of the file.
        seconds: to read from its start at most; None: all.
    """
    with soundfile.SoundFile(path) as file:
        frames = -1 if seconds is None else round(seconds * file.samplerate)
        x, rate_hz = file.read(frames, dtype="float32", always_2d=True), file.samplerate
    x = mono(x)
    return x if rate_hz == RATE_HZ else soxr.resample(x, rate_hz, RATE_HZ).astype(np.float32)


def write_bank(folder: Path, bank: Bank, quality: float = 0.84) -> None:
    """Write a bank as Ogg Opus, as a whole or not at all.

    Args:
        folder: new folder.
        bank: to write.
        quality: compression of libsndfile, 0 (256 kbit/s) to 1 (6 kbit/s).

    Raises:
        ValueError: the folder is there already.
        OSError: it cannot be written.
    """
    if folder.exists():
        raise ValueError(f"{folder}: is there already. Give another folder, or remove this one.")
    parts, part, filled, files = [], [], 0, []
    for row in range(len(bank)):
        length = int(bank.table["length"].iloc[row])
        if filled and filled + length > _PART_S * RATE_HZ:
            parts.append(part)
            part, filled = [], 0
        files.append(len(parts))
        part.append(row)
        filled += length
    lengths = bank.table["length"].to_numpy()
    table = bank.table.assign(file=files, start=np.cumsum(lengths) - lengths)
    with replacing_folder(folder) as work:
        for number, rows in enumerate([*parts, part]):
            samples = np.concatenate([bank.clip(row) for row in rows])
            content = io.BytesIO()  # libsndfile does not say why it could not write a file
            with soundfile.SoundFile(
                content, "w", RATE_HZ, 1, "OPUS", format="OGG", compression_level=quality
            ) as file:
                for start in range(0, len(samples), _BLOCK):
                    file.write(samples[start : start + _BLOCK])
            write_bytes(work / "new" / f"part-{number:02d}.ogg", content.getvalue())
        with writing(work / "new" / "bank.csv") as path:
            table.to_csv(path, index=False)


def read_bank(folder: Path, threads: int = 8) -> Bank:
    """Read a bank that `write_bank` wrote.

    Raises:
        OSError: a file that cannot be read.
        ValueError: no bank there, or a file shorter than the table says.
    """
    if not (folder / "bank.csv").is_file():
        raise ValueError(
            f"{folder}: no bank.csv. Expected a sound bank, as `python -m recipes.embedding bank` "
            "makes it."
        )
    table = pd.read_csv(folder / "bank.csv", keep_default_na=False)
    files, lengths = table["file"].to_numpy(int), table["length"].to_numpy(int)
    expected = {int(k): int(lengths[files == k].sum()) for k in np.unique(files)}

    def read(number: int) -> np.ndarray:
        path = folder / f"part-{number:02d}.ogg"
        x, _ = soundfile.read(path, dtype="int16")
        if len(x) < expected[number]:
            raise ValueError(f"{path}: expected {expected[number]} samples, got {len(x)}.")
        return x[: expected[number]]

    with ThreadPoolExecutor(threads) as pool:
        samples = np.concatenate(list(pool.map(read, expected)))
    return Bank(samples, table.drop(columns="file"))
