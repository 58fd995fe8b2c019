"""A folder of class folders: `rain/a.wav`, `wind/b.flac`.

Optional `groups.csv`: filename, group.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zoo.data.corpora.index import (
    OTHER_SOUND_NAMES,
    SOUND_NAMES,
    Corpus,
    display_name,
    make_corpus,
    read_table,
    sound_files,
)

TITLE = "A folder of class folders"
_GROUPS = "groups.csv"


def recognise(root: Path) -> bool:
    """Whether the folder has this layout."""
    return any(_has_sound_suffix(name) for _, name in _files(root))


def describe_unread(root: Path) -> str:
    """What a folder of class folders holds instead of recordings that are read, as sentences."""
    names = [name for _, name in _files(root) if name.lower().endswith(OTHER_SOUND_NAMES)]
    return " ".join(notes_on_other_files(names))


def read(root: Path) -> Corpus:
    """Index the corpus; the label is the name of the folder directly under `root`.

    Raises:
        ValueError: no recording, or a groups.csv that cannot be used.
    """
    files = list(_files(root))
    names = [name for _, name in files if _has_sound_suffix(name)]
    groups = _groups(root, names)
    notes = []
    if groups is None:
        notes.append(
            f"No {_GROUPS} (filename,group): a split by file may leak, since clips of one "
            "recording can be in both parts."
        )
    others = [name for _, name in files if not _has_sound_suffix(name)]
    notes += notes_on_other_files(others)
    notes += _notes_on_empty_classes(root, names)
    notes += _notes_on_loose_recordings(root)
    return make_corpus(
        TITLE,
        root,
        {
            "path": [str(root / name) for name in names],
            "label": [display_name(Path(name).parts[0]) for name in names],
            "group": None if groups is None else [groups[name] for name in names],
            "source": list(map(display_name, names)),
        },
        notes=notes,
    )


def notes_on_other_files(others: Sequence[str]) -> Iterator[str]:
    """Lines on files that are not read: sound in other formats, and the rest."""
    sound = [name for name in others if name.lower().endswith(OTHER_SOUND_NAMES)]
    if sound:
        suffixes = Counter(Path(name).suffix.lower() for name in sound)
        kinds = ", ".join(f"{suffix} ({count})" for suffix, count in suffixes.most_common())
        count = f"{len(sound)} recordings are" if len(sound) > 1 else "1 recording is"
        yield (
            f"{count} in a format that is not read, {kinds}, and left out, the first "
            f"{display_name(sound[0])}. Convert: ffmpeg -i FILE FILE.wav"
        )
    if len(others) > len(sound):
        rest = len(others) - len(sound)
        count = f"{rest} files are" if rest > 1 else "1 file is"
        yield f"{count} not named like recordings and left out."


def _notes_on_empty_classes(root: Path, names: Sequence[str]) -> Iterator[str]:
    """A line on folders that look like classes but hold no recording that is read."""
    present = {Path(name).parts[0] for name in names}
    missing = [label for label in _labels(root) if label not in present]
    if missing:
        shown = ", ".join(map(display_name, missing))
        what = "Class folders" if len(missing) > 1 else "The class folder"
        yield f"{what} without a recording that is read: {shown}."


def _notes_on_loose_recordings(root: Path) -> Iterator[str]:
    """A line on recordings beside the class folders: they have no class."""
    loose = [path.name for path in sound_files(root) if path.is_file()]
    if loose:
        count = f"{len(loose)} recordings are" if len(loose) > 1 else "1 recording is"
        yield (
            f"{count} beside the class folders and left out, the first {display_name(loose[0])}. "
            "Put each into the folder of its class."
        )


def _labels(root: Path) -> list[str]:
    """Names of the class folders, sorted."""
    names = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    return [name for name in names if not name.startswith((".", "__"))]


def _files(root: Path) -> Iterator[tuple[str, str]]:
    """(class folder, path relative to root) of every file below a class folder, sorted."""
    for label in _labels(root):
        for folder, below, names in os.walk(root / label):
            # a folder called x.wav is not a class: it is reported as damaged when it is read
            not_files = [name for name in below if _has_sound_suffix(name)]
            below[:] = sorted(set(below) - set(not_files))
            for name in sorted([*names, *not_files]):
                if not name.startswith("."):
                    yield label, os.path.relpath(os.path.join(folder, name), root)


def _has_sound_suffix(name: str) -> bool:
    return name.lower().endswith(SOUND_NAMES)


def _groups(root: Path, names: list[str]) -> dict[str, str] | None:
    """File -> group, from groups.csv; a file is given by its path under root, or by its name."""
    path = root / _GROUPS
    if not path.is_file():
        return None
    table = read_table(path, separator=",", columns=("filename", "group"))
    listed = dict(zip(table["filename"], table["group"], strict=True))
    pairs = set(zip(table["filename"], table["group"], strict=True))
    counts = Counter(name for name, _ in pairs)
    repeated = sorted(name for name, count in counts.items() if count > 1)
    if repeated:
        raise ValueError(
            f"{path} gives several groups to {repeated[0]}. Name each recording once; of two "
            "with the same name give the paths, such as CLASS/NAME."
        )
    groups: dict[str, Any] = {
        name: listed.get(Path(name).as_posix(), listed.get(Path(name).name)) for name in names
    }
    missing = [name for name, group in groups.items() if not group]
    if missing:
        raise ValueError(
            f"{path} must give a group to every recording. Missing: {len(missing)}, "
            f"the first {missing[0]}."
        )
    return groups
