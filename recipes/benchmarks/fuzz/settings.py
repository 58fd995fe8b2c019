"""Settings of the fuzzing."""

from dataclasses import dataclass
from pathlib import Path

# Name of a target -> what is damaged.
TARGETS = {
    "manifest": "manifest.json, its seal left as it was",
    "resealed manifest": "manifest.json with other values, sealed again",
    "golden": "golden.npz, sealed again",
    "checkpoint": "newest checkpoint of a training",
    "cache": "files of a cache of decoded clips",
    "trial": "JSON file of a leaderboard's trial",
    "budget": "TOML file of a device's budget",
    "csv": "tables of test machines, by the library, the device and the app",
    "csv machine": "the same, with semicolons, commas before decimals, a row of units",
    "csv utf-16": "the same, with tabs",
    "WAV 16": "16-bit integers",
    "WAV float": "32-bit floats",
    "WAV mu-law": "G.711",
    "RF64": "64-bit lengths",
    "FLAC": "",
    "Ogg": "Vorbis",
    "MP3": "",
    "corpus": "tables and annotations of five corpus layouts",
    "keras": "configuration and bytes of model.keras",
    "tflite": "bytes of a TFLite file, read as a graph",
    "litert": "bytes of a TFLite file, opened and run by LiteRT, sealed again",
}


@dataclass(frozen=True)
class Settings:
    """Settings of the fuzzing.

    Attributes:
        minutes: in all, shared equally by the targets, on the clock.
        seed: of the damage.
        targets: names among `TARGETS`.
        out: folder of the table.
        cases: of each target at most; None: as many as there is time for.
    """

    minutes: float = 10.0
    seed: int = 0
    targets: tuple[str, ...] = tuple(TARGETS)
    out: Path = Path("runs", "fuzz")
    cases: int | None = None
