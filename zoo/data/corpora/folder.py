"""A folder of class folders: `rain/a.wav`, `wind/b.flac`.

Optional `groups.csv`: filename, group.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo.data.corpora.index import SOUND_NAMES, Corpus, make_corpus, read_table

_GROUPS = "groups.csv"


def recognise(root: Path) -> bool:
    """Whether the folder has this layout."""
    return any(_has_sound_suffix(name) for _, name in _files(root))


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
    if len(names) < len(files):
        others = len(files) - len(names)
        notes.append(f"{others} files are not named like recordings and were left out.")
    return make_corpus(
        "A folder of class folders",
        root,
        {
            "path": [str(root / name) for name in names],
            "label": [Path(name).parts[0] for name in names],
            "group": None if groups is None else [groups[name] for name in names],
            "source": names,
        },
        notes=notes,
    )


def _files(root: Path) -> Iterator[tuple[str, str]]:
    """(class folder, path relative to root) of every file below a class folder, sorted."""
    for label in sorted(entry.name for entry in os.scandir(root) if entry.is_dir()):
        if label.startswith((".", "__")):
            continue
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
