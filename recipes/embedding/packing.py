"""Make sound banks of corpora and of Debian packages that contain sound.

The packages klettres-data, tuxpaint-stamps-default, asterisk-core-sounds-{en,es,fr,it,ru}-wav,
asterisk-moh-opsound-wav, hyperrogue-music, singularity-music, unknown-horizons,
wesnoth-1.16-data, minetest-data, openttd-opensfx, searchandrescue-data, torcs-data,
simutrans-pak64, lincity-ng-data, gl-117-data, wesnoth-1.16-music, asc-music and
fillets-ng-data{,-cs,-nl}, and those of `HEARING_MACHINES`, `HEARING_MORE`, `MORE_VOICES` and
`MORE_MUSIC`, are unpacked, each into a folder of its
name, with the archives inside them:

    for p in PACKAGES; do apt-get download $p && dpkg -x ${p}_*.deb packages/$p; done
    find packages -name '*.zip' -o -name '*.wz' -o -name '*.pk3' |
    while read z; do unzip -qo "$z" '*.wav' '*.ogg' -d "${z%.*}.unzipped"; done
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
import soxr

from recipes.embedding.package_sounds import (
    DIALOGUES,
    EFFECT_S,
    EFFECTS,
    HEARING_MACHINES,
    HEARING_MORE,
    HEARING_MUSIC,
    HEARING_PACKAGES,
    MORE_MUSIC,
    MORE_VOICES,
    MUSIC,
    OPENSFX,
    UTTERANCE_S,
    VOICES,
    Source,
    by_stem,
)
from zoo.data.audio import mono
from zoo.data.bank import RATE_HZ, Bank, part_of, read_sound, write_bank
from zoo.progress import say

# Recordings that are in ESC-50 as well (their numbers at freesound.org): left out of UrbanSound8K.
IN_BOTH = (102871, 114587, 175845, 176638, 180256)
MAX_SLICES = 10  # of a recording of UrbanSound8K
MORE_SLICES = ("engine_idling", "air_conditioner", "drilling", "jackhammer")  # after `MAX_SLICES`
MAX_MORE_SLICES = 20  # of a recording that is trained on
MAX_GROUP_S = 100.0  # of a speaker
MUSIC_S, MUSIC_PARTS = 9.0, 4
MIN_SAMPLES, MIN_PEAK = 800, 1e-3
PROMPTS = "voice8k"  # kind of the prompts of a telephone exchange
NO_SPEECH = re.compile("silence|beep|monkey")  # in the names of prompts without speech
# Noises of ESC-50's fold 4 for the hearing aid; the embedding never hears them.
HEARING_LABELS = (
    *("wind", "rain", "engine", "train", "vacuum_cleaner", "washing_machine", "keyboard_typing"),
    *("helicopter", "chainsaw", "sea_waves", "thunderstorm", "airplane", "crackling_fire"),
    *("pouring_water", "hand_saw", "clapping", "crickets"),
)

Items = Iterator[tuple[np.ndarray, dict[str, object]]]


def write_banks(
    out: Path,
    esc10: Path | None,
    urbansound: Path | None,
    fold4: Path | None,
    packages: Path | None,
) -> None:
    """Write a bank for each kind of sound that is given; those that are there stay.

    Args:
        out: folder of the banks.
        esc10: ESC-10; its fold 4 becomes a bank of its own.
        urbansound: UrbanSound8K, folds 1 and 2.
        fold4: ESC-50 with fold 4, for the hearing aid alone.
        packages: folder that the packages were unpacked into.

    Raises:
        OSError: a folder without the corpus.
    """
    if esc10 is not None:
        _write(out / "esc10", _esc50(esc10, "esc10", lambda row: row.fold != 4))
        _write(out / "esc10_fold4", _esc50(esc10, "esc10", lambda row: row.fold == 4))
    if fold4 is not None:
        wanted = _esc50(fold4, "esc50", lambda row: row.category in HEARING_LABELS)
        _write(out / "hearing", wanted)
    if urbansound is not None:
        _write(out / "urban", _urbansound(urbansound))
        _write(out / "urban_more", _more_slices(urbansound))
    if packages is not None:
        _write(out / "voices", _voices(packages))
        _write(out / "music", _music(packages, MUSIC))
        _write(out / "hearing_packages", _hearing_packages(packages))
        _write(out / "hearing_machines", _hearing_machines(packages))
        _write(out / "hearing_more", _hearing_more(packages))
        _write(out / "effects", _effects(packages))


def _write(folder: Path, items: Items) -> None:
    if folder.exists():
        say(f"{folder}: is there already and stays; remove it to have it made anew")
        return
    clips, rows = [], []
    for clip, row in items:
        if len(clip) >= MIN_SAMPLES and np.abs(clip).max() >= MIN_PEAK:
            clips.append(clip)
            rows.append(row)
    if not clips:
        say(f"{folder.name}: nothing found")
        return
    bank = Bank.of_clips(clips, rows)
    write_bank(folder, bank, quality=0.92)
    say(f"{folder.name}: {len(bank)} clips, {len(bank.samples) / RATE_HZ / 60:.1f} min")


def _row(kind: str, label: str, group: str, licence: str, source: str, fold: int = 0) -> dict:
    return {
        "kind": kind,
        "label": label,
        "fold": fold,
        "group": group,
        "licence": licence,
        "source": source,
    }


def _esc50(folder: Path, kind: str, is_wanted: Callable[[Any], bool]) -> Items:
    licence = "CC-BY-3.0" if kind == "esc10" else "CC-BY-NC-3.0"
    title = "ESC-10" if kind == "esc10" else "ESC-50"
    rows: Iterable[Any] = pd.read_csv(folder / "meta" / "esc50.csv").itertuples()
    for row in rows:
        if is_wanted(row):
            label, group, fold = str(row.category), str(row.src_file), int(str(row.fold))
            clip = read_sound(folder / "audio" / str(row.filename))
            yield clip, _row(kind, label, group, licence, title, fold)


def _urbansound(folder: Path) -> Items:
    table = _urbansound_table(folder)
    yield from _slices(folder, table.groupby(["fsID", "class"], group_keys=False).head(MAX_SLICES))


def _more_slices(folder: Path) -> Items:
    """Slices beyond `MAX_SLICES` of the hard labels, of recordings that are trained on alone."""
    table = _urbansound_table(folder)
    is_trained = table["fsID"].map(lambda group: part_of(str(group)) == "train")
    number = table.groupby(["fsID", "class"]).cumcount()
    is_more = (number >= MAX_SLICES) & (number < MAX_SLICES + MAX_MORE_SLICES)
    is_wanted = is_trained & is_more & table["class"].isin(MORE_SLICES)
    yield from _slices(folder, table.loc[is_wanted])


def _urbansound_table(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "metadata" / "UrbanSound8K.csv")
    return table.loc[~table["fsID"].isin(IN_BOTH)]


def _slices(folder: Path, table: pd.DataFrame) -> Items:
    columns = (table[name] for name in ("slice_file_name", "fold", "fsID", "class"))
    for name, fold, group, label in zip(*columns, strict=True):
        path = folder / "audio" / f"fold{fold}" / name
        path = path if path.exists() else path.with_suffix(".ogg")
        row = _row("urban", label, str(group), "CC-BY-NC-3.0", "UrbanSound8K", int(fold))
        yield read_sound(path), row


def _files(packages: Path, source: Source) -> Items:
    for path in sorted((packages / source.package).glob(source.pattern)):
        if source.kind == "effect" and "_desc" in path.stem:
            continue
        if source.kind == PROMPTS and NO_SPEECH.search(path.stem):
            continue
        label, group = source.label(path)
        row = _row(source.kind, label, group, source.licence, source.package)
        yield read_sound(path, source.seconds), row


def _voices(packages: Path) -> Items:
    filled: dict[str, float] = {}
    prompts = [
        Source(
            f"asterisk-core-sounds-{language}-wav",
            "**/*.wav",
            PROMPTS,
            "CC-BY-SA-3.0",
            lambda path, language=language: (
                language,
                # one speaker in two languages
                f"asterisk-{'Allison' if language in ('en', 'es') else language}",
            ),
        )
        for language in ("en", "es", "fr", "it", "ru")
    ]
    for source in (*VOICES, *prompts):
        for clip, row in _files(packages, source):
            group = str(row["group"])
            seconds = filled.get(group, 0.0) + len(clip) / RATE_HZ
            if seconds < MAX_GROUP_S:
                filled[group] = seconds
                yield clip, row


def _music(
    packages: Path,
    sources: Sequence[tuple[str, str, str]],
    piece: Callable[[Path], str] = lambda path: path.stem,
) -> Items:
    for package, pattern, licence in sources:
        for path in sorted((packages / package).glob(pattern)):
            with soundfile.SoundFile(path) as file:
                duration_s = len(file) / file.samplerate
                parts = MUSIC_PARTS if duration_s > 60 else 1
                for k in range(parts if duration_s > 6 else 0):
                    start_s = min(duration_s * (k + 0.5) / parts, duration_s - MUSIC_S - 1)
                    file.seek(int(max(0.0, start_s) * file.samplerate))
                    x = file.read(round(MUSIC_S * file.samplerate), "float32", always_2d=True)
                    x = soxr.resample(mono(x), file.samplerate, RATE_HZ)
                    yield x, _row("music", "music", piece(path), licence, package)


def _hearing_packages(packages: Path) -> Items:
    for package, name, kind, licence in HEARING_PACKAGES:
        for path in sorted((packages / package).glob(f"**/{name}.wav")):
            label, _ = by_stem(path)
            yield (
                read_sound(path, EFFECT_S),
                _row(kind, label, f"{package}-{label}", licence, package),
            )
    yield from _music(packages, HEARING_MUSIC)
    for package, language in DIALOGUES:
        for voice in ("m", "v"):
            seconds = 0.0
            for path in sorted((packages / package).glob(f"**/*-{voice}-*.ogg")):
                clip = read_sound(path, UTTERANCE_S)
                seconds += len(clip) / RATE_HZ
                if seconds > 2 * MAX_GROUP_S:
                    break
                group = f"fillets-{language}-{voice}"
                yield clip, _row("voice", language, group, "GPL-2.0-only", package)


def _hearing_machines(packages: Path) -> Items:
    """Sounds of `HEARING_MACHINES` and `OPENSFX`."""
    yield from _named_sounds(packages, HEARING_MACHINES)
    kinds = {number: kind for kind, numbers in OPENSFX.items() for number in numbers}
    for number, (clip, row) in enumerate(_opensfx(packages)):
        if number in kinds:
            yield clip, row | {"kind": kinds[number]}


def _hearing_more(packages: Path) -> Items:
    """Sounds of `HEARING_MORE`, voices of `MORE_VOICES` and music of `MORE_MUSIC`."""
    yield from _named_sounds(packages, HEARING_MORE)
    filled: dict[str, float] = {}
    for source in MORE_VOICES:
        for clip, row in _files(packages, source):
            group = str(row["group"])
            filled[group] = filled.get(group, 0.0) + len(clip) / RATE_HZ
            if filled[group] < MAX_GROUP_S:
                yield clip, row
    yield from _music(packages, MORE_MUSIC, lambda path: path.parent.name)


def _named_sounds(packages: Path, table: Iterable[tuple[str, str, str, str]]) -> Items:
    """Sounds by package, kind, licence and names; the same sound in two places counts once."""
    seen: set[bytes] = set()
    for package, kind, licence, names in table:
        paths = {
            path
            for name in names.split()
            for suffix in ("wav", "ogg", "mp3")
            for path in (packages / package).glob(f"**/{name}.{suffix}")
        }
        for path in sorted(paths):
            content = path.read_bytes()
            if content not in seen:
                seen.add(content)
                label, _ = by_stem(path)
                clip = read_sound(path, EFFECT_S)
                yield clip, _row(kind, label, f"{package}-{label}", licence, package)


def _effects(packages: Path) -> Items:
    for source in EFFECTS:
        yield from _files(packages, source)
    yield from _opensfx(packages)


def _opensfx(packages: Path) -> Items:
    for path in (packages / "openttd-opensfx").glob("**/opensfx.cat"):
        content = path.read_bytes()  # a catalogue of WAV files
        for number, header in enumerate(re.finditer(b"(?s)RIFF.{4}WAVE", content)):
            size = 8 + int.from_bytes(content[header.start() + 4 : header.start() + 8], "little")
            file = io.BytesIO(content[header.start() : header.start() + size])
            x, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
            name = f"opensfx-{number}"
            row = _row("effect", name, name, "CC-BY-SA-3.0", "openttd-opensfx")
            yield soxr.resample(mono(x), rate_hz, RATE_HZ), row
