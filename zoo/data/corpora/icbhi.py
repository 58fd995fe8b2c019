"""ICBHI 2017 respiratory sounds (Rocha and others 2019): 920 recordings, 126 patients, 6898 cycles.

`{patient}_{index}_{place}_{sc|mc}_{device}.wav`, beside it `.txt` of the same stem without header,
tab-separated: start s, end s, crackle 0/1, wheeze 0/1. Official split: `official_split.txt` or, as
published, `ICBHI_challenge_train_test.txt`: stem TAB train|test. In 91 of its stems the device is
another than in the file's name, so it is joined on the first four fields.
"""

import re
from pathlib import Path

from zoo.data.corpora.index import Corpus, make_corpus, read_notes, sound_files

_STEM = re.compile(
    r"(?P<patient>\d+)_(?P<index>[^_]+)_(?P<place>Tc|Al|Ar|Pl|Pr|Ll|Lr)_(?P<mode>sc|mc)"
    r"_(?P<device>Meditron|LittC2SE|Litt3200|AKGC417L)"
)
_SPLITS = ("official_split.txt", "icbhi_challenge_train_test.txt")
_LABELS = {("0", "0"): "normal", ("1", "0"): "crackle", ("0", "1"): "wheeze", ("1", "1"): "both"}


def recognise(root: Path) -> bool:
    """Whether the folder has this layout."""
    return any(_STEM.fullmatch(path.stem) for path in sound_files(root))


def read(root: Path) -> Corpus:
    """Index the cycles: label normal, crackle, wheeze or both; group is the patient."""
    fold = _official_split(root)
    rows, damaged, unlisted = [], [], 0
    for path in sound_files(root):
        match = _STEM.fullmatch(path.stem)
        if not match:
            damaged.append((path, 0.0, "its name is not PATIENT_INDEX_PLACE_MODE_DEVICE"))
            continue
        try:
            cycles = _cycles(path.with_suffix(".txt"))
        except (OSError, ValueError) as error:
            damaged.append((path, 0.0, f"its annotation cannot be read: {error}"))
            continue
        part = fold.get(tuple(match.groups()[:4]))
        unlisted += part is None
        for start_s, end_s, label in cycles:
            rows.append((path, start_s, end_s, label, part, match))
    notes = []
    if fold and unlisted:
        notes.append(f"{unlisted} recordings are in neither train nor test of the official split.")
    if not fold:
        notes.append(f"No official split here ({' or '.join(_SPLITS)}): folds are made by patient.")
    return make_corpus(
        "ICBHI 2017",
        root,
        {
            "path": [str(row[0]) for row in rows],
            "start_s": [row[1] for row in rows],
            "end_s": [row[2] for row in rows],
            "label": [row[3] for row in rows],
            "fold": [row[4] for row in rows],
            "group": [row[5]["patient"] for row in rows],
            "device": [row[5]["device"] for row in rows],
            "source": [row[0].stem for row in rows],
            "place": [row[5]["place"] for row in rows],
        },
        damaged=damaged,
        notes=notes,
    )


def _cycles(path: Path) -> list[tuple[float, float, str]]:
    """(start s, end s, label) of each cycle; raises ValueError naming the line that is wrong."""
    cycles = []
    for number, line in enumerate(read_notes(path).splitlines(), 1):
        if not line.strip():
            continue
        fields = line.split()
        try:
            start_s, end_s = float(fields[0]), float(fields[1])
            label = _LABELS[fields[2], fields[3]]
        except (ValueError, IndexError, KeyError):
            raise ValueError(
                f"line {number} of {path.name} must be start s, end s, crackle 0/1, wheeze 0/1; "
                f"it is {line[:60]!r}"
            ) from None
        if not 0 <= start_s < end_s < float("inf"):
            raise ValueError(f"line {number} of {path.name} runs from {start_s} to {end_s} s")
        cycles.append((start_s, end_s, label))
    return cycles


def _official_split(root: Path) -> dict[tuple[str, ...], str]:
    """Patient, index, place and mode -> train or test; empty where there is no such file."""
    files = [path for path in sorted(root.iterdir()) if path.name.lower() in _SPLITS]
    if not files:
        return {}
    fold = {}
    for number, line in enumerate(read_notes(files[0]).splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        stem = fields[0].split("_")
        if len(fields) != 2 or len(stem) < 4 or fields[1].lower() not in ("train", "test"):
            raise ValueError(
                f"Line {number} of {files[0]} must be a recording's stem and train or test. "
                f"Received: {line[:60]!r}."
            )
        fold[tuple(stem[:4])] = fields[1].lower()
    return fold
