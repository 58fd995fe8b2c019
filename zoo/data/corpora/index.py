"""Index of a corpus: a table with one row per clip, without sound."""

import csv
import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

SOUND_NAMES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3")
# Names of sound that is not read: a class of such files alone must not vanish without a word.
OTHER_SOUND_NAMES = (
    *(".m4a", ".aac", ".aif", ".aiff", ".aifc", ".wma", ".au", ".snd", ".caf", ".w64", ".webm"),
    *(".mp4", ".mka", ".3gp", ".amr", ".spx", ".ac3", ".ape", ".wv", ".mp2", ".tta", ".dsf"),
)
_TEXT, _TIME, _CATEGORY = ("path",), ("start_s", "end_s"), ("label", "fold", "group", "device")
COLUMNS = (*_TEXT, *_TIME, *_CATEGORY, "source")
_MAX_TABLE_BYTES = 1 << 26  # of a corpus' table: three times that of TAU 2022 with 230,000 clips
_MAX_NOTES_BYTES = 1 << 20  # of the annotation of one recording


@dataclass(frozen=True)
class Corpus:
    """A corpus as its folder describes it, before any recording is opened.

    Attributes:
        title: name of the corpus.
        root: its folder.
        index: one row per clip. `path`; `start_s`, `end_s` [s], NaN where the clip is the whole
            recording; `label`; `fold`: the official fold or `train`, `test`; `group`: what must not
            be in both parts of a split (patient, place, original recording); `device`; `source`:
            the recording that the clip was cut from. Missing where the corpus does not give it.
            More columns may follow.
        damaged: path, start_s, reason of clips that are listed in the corpus but cannot be used.
        notes: remarks for users who train on it.
    """

    title: str
    root: Path
    index: pd.DataFrame
    damaged: pd.DataFrame
    notes: tuple[str, ...] = ()


def make_corpus(
    title: str,
    root: Path,
    columns: Mapping[str, Iterable[Any] | None],
    *,
    damaged: Iterable[tuple[Path | str, float, str]] = (),
    notes: Iterable[str] = (),
) -> Corpus:
    """Make a `Corpus` of its columns; rows whose file does not exist move to `damaged`.

    Args:
        title: name of the corpus.
        root: its folder.
        columns: name -> values; standard columns that are not given are missing throughout.
        damaged: path, start_s and reason of clips that cannot be used.
        notes: for users.

    Raises:
        ValueError: no clip that can be used, a clip without a label, or a path that leaves `root`.
    """
    others = dict(columns)
    index: Any = pd.DataFrame({name: others.pop(name, None) for name in COLUMNS} | others)
    index = index.astype({name: "float64" for name in _TIME})
    index = index.astype({name: "category" for name in (*_CATEGORY, "source")})
    damaged = [(str(path), start_s, reason) for path, start_s, reason in damaged]
    _require_inside(root, index["path"])
    exists = paths_exist(index["path"])
    missing = index[~exists]
    damaged += [
        (p, s, "not found") for p, s in zip(missing["path"], missing["start_s"], strict=True)
    ]
    index = index[exists].reset_index(drop=True)
    if index.empty:
        raise ValueError(
            f"{root} is laid out as {title} but has no recording that can be used: "
            + (f"{damaged[0][0]}: {damaged[0][2]}." if damaged else "no clip is listed.")
        )
    unlabelled = index["label"].isna() | (index["label"] == "")
    if unlabelled.any():
        path = index["path"][unlabelled].iloc[0]
        raise ValueError(f"{path} has no label in {title}. Every clip needs one.")
    for name in _CATEGORY:
        index[name] = index[name].cat.remove_unused_categories()
    return Corpus(
        title=title,
        root=root,
        index=index,
        damaged=pd.DataFrame(damaged, columns=["path", "start_s", "reason"]),
        notes=tuple(notes),
    )


def display_name(path: str | Path) -> str:
    r"""A path as text that can be printed and written in UTF-8, whatever its encoding on the disk.

    Bytes that are no UTF-8 become escapes: `caf\xe9.wav`.
    """
    return os.fsencode(path).decode("utf-8", errors="backslashreplace")


def _require_inside(root: Path, paths: pd.Series) -> None:
    """Raise ValueError where a corpus' own table names a file outside the corpus.

    Links inside the folder are followed: whoever makes them has chosen to.
    """
    inside = f"{os.path.normpath(root)}{os.sep}"
    for path in paths:
        if "\0" in path or not os.path.normpath(path).startswith(inside):
            raise ValueError(
                f"{root}: its table names {path.removeprefix(inside)!r}, which lies outside the "
                "corpus. Expected names of recordings in it; do not use a corpus that asks for "
                "other files."
            )


def paths_exist(paths: pd.Series) -> Any:
    """Whether each path exists, by listing each folder once: stat of 230,000 files is slow."""
    listed: dict[str, set[str]] = {}

    def exists(path: str) -> bool:
        folder, name = os.path.split(path)
        if folder not in listed:
            try:
                listed[folder] = set(os.listdir(folder))
            except OSError:
                listed[folder] = set()
        return name in listed[folder]

    return paths.map(exists).astype(bool)


def read_table(path: Path, *, separator: str, columns: Iterable[str]) -> pd.DataFrame:
    """Read a table as text; a class may be called `nan`.

    Args:
        path: of the file.
        separator: of its fields.
        columns: that it must have.

    Raises:
        ValueError: not such a table, or a row with more or fewer fields than the first one.
    """
    text = read_notes(path, _MAX_TABLE_BYTES)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        names = next(reader, [])
        rows = []
        for row in reader:
            if len(row) not in (0, len(names)):
                raise ValueError(
                    f"{path}: line {reader.line_num} has {len(row)} fields, the first line "
                    f"{len(names)}. Copy the corpus again, or repair the line."
                )
            rows += [row] if row else []
    except csv.Error as error:
        raise ValueError(
            f"{path} is not a table that can be read, its fields separated by {separator!r}: "
            f"{error}."
        ) from None
    missing = [name for name in columns if names.count(name) != 1]
    if missing:
        raise ValueError(
            f"{path} must have the columns {', '.join(columns)}, each once. "
            f"Missing: {', '.join(missing)}; present: {', '.join(names)[:200]}."
        )
    return pd.DataFrame(rows, columns=names, dtype=str)


def read_notes(path: Path, limit: int = _MAX_NOTES_BYTES) -> str:
    """Text of an annotation or a table, UTF-8, with or without a byte order mark.

    Args:
        path: of the file.
        limit: of its size [bytes].

    Raises:
        ValueError: no such file, not a regular one, too large, or no text in UTF-8.
    """
    try:
        if not path.is_file():  # opening a pipe would wait forever
            raise ValueError(f"{path} does not exist: the folder has another layout.")
        with path.open("rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise ValueError(f"{path} is larger than {limit >> 20} MiB. Is it the right file?")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not a table that can be read: {error}.") from None


def sound_files(folder: Path) -> list[Path]:
    """Files and folders in `folder` whose names end like those of recordings, sorted."""
    return sorted(
        Path(entry.path)
        for entry in os.scandir(folder)
        if entry.name.lower().endswith(SOUND_NAMES) and not entry.name.startswith(".")
    )
