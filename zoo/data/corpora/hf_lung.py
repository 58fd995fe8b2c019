"""HF_Lung_V1 (Hsu and others 2021): 9765 recordings of 15 s at 4 kHz, breath phases and events.

`{train,test}/steth_*.wav` or `trunc_*.wav`, beside each `*_label.txt`: LABEL HH:MM:SS.mmm
HH:MM:SS.mmm, LABEL one of I (inspiration), E (expiration), D (crackles), Wheeze, Rhonchi, Stridor.
Patients are not named; the date in a recording's name is the nearest to one.
"""

import re
from pathlib import Path

from zoo.data.corpora.index import Corpus, make_corpus, read_notes, sound_files

LABELS = ("I", "E", "D", "Wheeze", "Rhonchi", "Stridor")
_STEM = re.compile(r"(?P<device>steth|trunc)_(?P<date>\d{4}-?\d{2}-?\d{2})\D.*")
_FOLDS = ("train", "test")


def recognise(root: Path) -> bool:
    """Whether the folder has this layout."""
    return any(
        _STEM.fullmatch(path.stem)
        for fold in _FOLDS
        if (root / fold).is_dir()
        for path in sound_files(root / fold)
    )


def read(root: Path) -> Corpus:
    """Index the events, which may overlap; group is the date. Gaps are unlabelled, not normal."""
    rows, damaged, empty = [], [], 0
    for fold in _FOLDS:
        for path in sound_files(root / fold) if (root / fold).is_dir() else ():
            match = _STEM.fullmatch(path.stem)
            if not match:
                damaged.append((path, 0.0, "its name does not start with steth_DATE or trunc_DATE"))
                continue
            try:
                events = _events(path.with_name(f"{path.stem}_label.txt"))
            except (OSError, ValueError) as error:
                damaged.append((path, 0.0, f"its annotation cannot be read: {error}"))
                continue
            empty += not events
            date = match["date"].replace("-", "")
            rows += [(path, *event, fold, date, match["device"]) for event in events]
    notes = [f"{empty} recordings have no event."] if empty else []
    names = ("path", "start_s", "end_s", "label", "fold", "group", "device")
    columns = {name: [row[k] for row in rows] for k, name in enumerate(names)}
    columns["source"] = [path.stem for path in columns["path"]]
    columns["path"] = [str(path) for path in columns["path"]]
    return make_corpus("HF_Lung_V1", root, columns, damaged=damaged, notes=notes)


def _events(path: Path) -> list[tuple[float, float, str]]:
    """(start s, end s, label) of each event; raises ValueError naming the line that is wrong."""
    events = []
    for number, line in enumerate(read_notes(path).splitlines(), 1):
        if not line.strip():
            continue
        fields = line.split()
        try:
            label, start_s, end_s = fields[0], _seconds(fields[1]), _seconds(fields[2])
        except (ValueError, IndexError):
            label, start_s, end_s = "", 0.0, 0.0
        if label not in LABELS or not 0 <= start_s < end_s < float("inf"):
            raise ValueError(
                f"line {number} of {path.name} must be {'|'.join(LABELS)}, start, end; "
                f"it is {line[:60]!r}"
            )
        events.append((start_s, end_s, label))
    return events


def _seconds(clock: str) -> float:
    """'00:00:03.638' -> 3.638."""
    hours, minutes, seconds = clock.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
