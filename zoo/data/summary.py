"""Summary of a corpus: report, facts and figure of its checked recordings."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from zoo.data.audio import DamagedRecording, Header, decode, mono
from zoo.data.copies import CopySet, find_copies
from zoo.data.corpora import Corpus, read
from zoo.data.corpora.index import display_name
from zoo.data.folds import group_keys, make_folds, official_folds
from zoo.data.inspection import Findings, Listing, check_sound, read_headers
from zoo.plots.corpus import corpus as draw_corpus

# class -> spectrogram [dB] (frequency, time), highest frequency [Hz], length [s]
Examples = dict[str, tuple[np.ndarray, float, float]]
_EXAMPLE_S = 5.0
_MAX_EXAMPLES = 12
_MAX_NAMED = 5  # clips named of one remark, and copies of one recording


@dataclass(frozen=True)
class Summary:
    """A corpus after its recordings were checked.

    Attributes:
        corpus: as its folder describes it.
        index: clips that can be used, with their length in the column `seconds`.
        headers: path -> header, of their files.
        damaged: path, start_s, reason.
        remarks: path, start_s, remark.
        checked: whether the sound was decoded, too.
        copies: clips with the same samples; none where the sound was not decoded.
    """

    corpus: Corpus
    index: pd.DataFrame
    headers: dict[str, Header]
    damaged: pd.DataFrame
    remarks: pd.DataFrame
    checked: bool
    copies: tuple[CopySet, ...] = ()

    @classmethod
    def of(
        cls, corpus: Corpus, listing: Listing, findings: Findings, *, checked: bool
    ) -> "Summary":
        """Summary of the results of `corpora.read`, `read_headers` and `check_sound`.

        Args:
            corpus: as its folder describes it.
            listing: its index with headers.
            findings: of headers, or of headers and sound.
            checked: whether the sound was decoded.
        """
        damaged_rows = [row for row, _ in findings.damaged]
        index = corpus.index.assign(seconds=listing.seconds())
        index = index.drop(index.index[damaged_rows]).reset_index(drop=True)
        of_clips = findings.damaged_of(corpus.index)
        damaged = [table for table in (corpus.damaged, of_clips) if len(table)]
        return cls(
            corpus=corpus,
            index=index,
            headers={path: listing.headers[path] for path in dict.fromkeys(index["path"])},
            damaged=pd.concat(damaged, ignore_index=True) if damaged else of_clips,
            remarks=findings.remarks_of(corpus.index),
            checked=checked,
            copies=tuple(find_copies(corpus.index, findings.contents)),
        )

    def text(self, listed: int = 20) -> str:
        """Report as text; at most `listed` damaged clips are listed."""
        index = self.index
        lines = [
            f"{self.corpus.title}   {self.corpus.root}",
            f"{len(index):,} {_plural(len(index), 'clip')} of {len(self.headers):,} "
            f"{_plural(len(self.headers), 'recording')}, "
            f"{index['seconds'].sum() / 60:,.1f} minutes, {index['label'].nunique()} classes, "
            f"{len(np.unique(group_keys(index))):,} groups",
            "",
        ]
        if len(index):
            lines += [*self._classes(), "", *self._facts()]
        lines += self._faults(listed)
        lines += [f"note      {note}" for note in self._notes()]
        return "\n".join(lines)

    def facts(self) -> dict[str, Any]:
        """Report as values by name, for JSON; seconds [s], rates [Hz]."""
        by_class: Any = self.index.groupby("label", observed=True)["seconds"]
        rates = Counter(str(header.sample_rate_hz) for header in self.headers.values())
        return {
            "title": self.corpus.title,
            "folder": str(self.corpus.root),
            "clips": len(self.index),
            "recordings": len(self.headers),
            "groups": len(np.unique(group_keys(self.index))),
            "seconds": float(self.index["seconds"].to_numpy().sum()),
            "classes": {
                str(label): {"clips": len(seconds), "seconds": float(seconds.sum())}
                for label, seconds in by_class
            },
            "sample_rates_hz": dict(rates),
            "decoded": self.checked,
            "damaged": self.damaged_table().to_dict("records"),
            "remarks": self.remarks_table().to_dict("records"),
            "copies": [
                {"files": self._names(each.paths), "classes": each.labels, "folds": each.folds}
                for each in self.copies
            ],
            "notes": self._notes(),
        }

    def damaged_table(self) -> pd.DataFrame:
        """Damaged clips: path, start_s, reason; text in UTF-8."""
        return _named(self.damaged)

    def remarks_table(self) -> pd.DataFrame:
        """Remarks: path, start_s, remark; text in UTF-8."""
        return _named(self.remarks)

    def picture(self) -> tuple[str, dict[str, float], dict[str, int], np.ndarray, Examples]:
        """Arguments of `zoo.plots.corpus.corpus`."""
        by_class: Any = self.index.groupby("label", observed=True)["seconds"]
        minutes = {str(name): value / 60 for name, value in by_class.sum().items()}
        clips = {str(name): int(value) for name, value in by_class.size().items()}
        return self.corpus.title, minutes, clips, self.index["seconds"].to_numpy(), self._examples()

    def figure(self) -> Figure:
        """Figure of minutes by class, lengths of clips, and a spectrogram of each class."""
        return draw_corpus(*self.picture())

    def _classes(self) -> list[str]:
        """Table of clips, minutes and groups of each class, and its clips in each fold."""
        index: Any = self.index.assign(group_key=group_keys(self.index))
        by_class: Any = index.groupby("label", observed=True)
        columns = {
            "clips": by_class.size(),
            "minutes": (by_class["seconds"].sum() / 60).map("{:,.1f}".format),
            "groups": by_class["group_key"].nunique(),
        }
        for fold in make_folds(index) if len(official_folds(index)) > 1 else ():
            inside = index[fold.test].groupby("label", observed=False).size()
            name = "test" if fold.name == "official" else fold.name
            columns[name] = inside.reindex(columns["clips"].index, fill_value=0)
        table: Any = pd.DataFrame(columns)
        table.index.name = "class"
        return table.reset_index().to_string(index=False, justify="right").splitlines()

    def _has(self, column: str) -> bool:
        """Whether a column of the index has any value."""
        return bool(self.index[column].notna().to_numpy().any())

    def _facts(self) -> list[str]:
        headers = self.headers.values()
        seconds = self.index["seconds"]
        lines = [
            f"lengths   {seconds.min():.2f} to {seconds.max():.2f} s, "
            f"median {seconds.median():.2f} s",
            f"rates     {_counts(f'{header.sample_rate_hz} Hz' for header in headers)}",
            f"formats   {_counts(f'{header.container} {header.encoding}' for header in headers)}",
            f"channels  {_counts(str(header.channels) for header in headers)}",
        ]
        if self._has("device"):
            lines.append(f"devices   {_counts(self.index['device'].dropna())}")
        return lines

    def _faults(self, listed: int) -> list[str]:
        lines = [] if self.checked else ["note      headers only: no sound was decoded or checked."]
        lines += self._remark_lines()
        if self.damaged.empty:
            return [*lines, "damaged   none"]
        total = len(self.index) + len(self.damaged)
        lines.append(f"damaged   {len(self.damaged):,} of {total:,} clips, left out:")
        for path, start_s, reason in self.damaged.head(listed).itertuples(index=False):
            where = "" if np.isnan(start_s) or start_s == 0 else f" at {start_s:.2f} s"
            lines.append(f"  {self._name(path)}{where}: {reason}")
        if len(self.damaged) > listed:
            lines.append(f"  and {len(self.damaged) - listed:,} more: --damaged FILE lists all")
        return lines

    def _remark_lines(self) -> list[str]:
        """Each kind of remark with its first clips."""
        kinds: dict[str, list[str]] = {}
        for path, _, remark in self.remarks.itertuples(index=False):
            kind, _, detail = remark.partition(": ")
            kinds.setdefault(kind, []).append(f"  {self._name(path)}: {detail or kind}")
        lines = []
        for kind, clips in sorted(kinds.items(), key=lambda item: -len(item[1])):
            lines.append(f"remark    {len(clips):,} {_plural(len(clips), 'clip')}: {kind}")
            lines += clips[:_MAX_NAMED]
            if len(clips) > _MAX_NAMED:
                lines.append(f"  and {len(clips) - _MAX_NAMED:,} more: --remarks FILE lists all")
        return lines

    def _name(self, path: str) -> str:
        """Path below the folder of the corpus, on one line."""
        return display_name(os.path.relpath(path, self.corpus.root)).replace("\n", "\\n")

    def _names(self, paths: Iterable[str]) -> list[str]:
        return [self._name(path) for path in paths]

    def _copy_notes(self) -> list[str]:
        """A line on each kind of copies: under several classes, in several folds, the rest."""
        kinds: dict[str, list[CopySet]] = {}
        for each in self.copies:
            if len(each.labels) > 1:
                kind = "under two classes or more, so that labels contradict each other"
            elif len(each.folds) > 1:
                kind = "in two folds or more, a leak from training to test"
            else:
                kind = "under one class"
            kinds.setdefault(kind, []).append(each)
        notes = []
        for kind, sets in kinds.items():
            first = self._names(sets[0].paths)
            shown = ", ".join(first[:_MAX_NAMED]) + (
                " and others" if len(first) > _MAX_NAMED else ""
            )
            count = f"{len(sets)} recordings stand" if len(sets) > 1 else "1 recording stands"
            notes.append(
                f"{count} there more than once {kind}: {shown}. Delete the copies; folds by group "
                "keep copies together."
            )
        return notes

    def _class_notes(self) -> list[str]:
        """A line on classes with one clip, with one group, or with damaged clips alone."""
        groups = pd.Series(group_keys(self.index)).groupby(self.index["label"].astype(str))
        of_class: Any = groups.agg(["size", "nunique"])
        single = [str(name) for name, row in of_class.iterrows() if row["size"] == 1]
        alone = [
            str(name) for name, row in of_class.iterrows() if row["size"] > row["nunique"] == 1
        ]
        labels = set(self.corpus.index["label"].astype(str))
        lost = sorted(labels - set(of_class.index))
        notes = []
        if single:
            notes.append(
                f"Only one clip of {_plural(len(single), 'class', 'classes')} {', '.join(single)}: "
                "it cannot be trained on and tested on. Record more, or leave the class out."
            )
        if alone:
            notes.append(
                f"All clips of {_plural(len(alone), 'class', 'classes')} {', '.join(alone)} are of "
                "one group, which cannot be trained on and tested on."
            )
        if lost and len(self.index):
            notes.append(f"All clips are damaged of {', '.join(lost)}.")
        return notes

    def _notes(self) -> list[str]:
        notes = [*self.corpus.notes, *self._copy_notes(), *self._class_notes()]
        if self.index["label"].nunique() == 1:
            notes.append("There is only one class: no classifier can be trained.")
        names = official_folds(self.index)
        if len(names) == 1:
            notes.append(
                f"It has one official fold only, {names[0]}: recipes cross-validate over folds by "
                "group."
            )
        if len(names) > 1:
            for fold in make_folds(self.index):
                if fold.leaking:
                    notes.append(
                        f"In its {fold.name} split {len(fold.leaking)} groups are in both parts "
                        f"({', '.join(fold.leaking[:5])}"
                        f"{', ...' if len(fold.leaking) > 5 else ''}): "
                        "make_folds(index, leak_free=True) leaves them out."
                    )
        return notes

    def _examples(self) -> Examples:
        """Spectrogram of a long clip of each class, up to half the lowest sample rate."""
        examples: Examples = {}
        top_hz = min((header.sample_rate_hz for header in self.headers.values()), default=0) / 2
        by_class: Any = self.index.groupby("label", observed=True)
        for label, rows in list(by_class)[:_MAX_EXAMPLES]:
            clip = rows.loc[rows["seconds"].clip(upper=_EXAMPLE_S).idxmax()]
            header = self.headers[clip["path"]]
            rate = header.sample_rate_hz
            start = 0 if np.isnan(clip["start_s"]) else round(clip["start_s"] * rate)
            frames = round(min(clip["seconds"], _EXAMPLE_S) * rate)
            stop = min(start + frames, header.frames)
            window = max(16, round(0.032 * rate))
            if stop - start < window:
                continue
            try:
                (sound,) = decode(Path(clip["path"]), header, [(start, stop)])
            except DamagedRecording:  # possible where only headers were read
                continue
            stft = ShortTimeFFT(hann(window, sym=False), hop=window // 4, fs=rate)
            power = np.abs(stft.stft(mono(sound))[stft.f <= top_hz]) ** 2
            examples[str(label)] = (10 * np.log10(power + 1e-20), top_hz, len(sound) / rate)
        return examples


def summarize_corpus(
    path: Path, layout: str | None = None, *, strict: bool = False, decode: bool = True
) -> Summary:
    """Read the index of a corpus, check its recordings and summarize them.

    Args:
        path: folder that a corpus was unpacked into.
        layout: one of `zoo.data.corpora.LAYOUTS`; None: recognised by its files.
        strict: stop at the first damaged recording.
        decode: check the sound too; False: headers only.

    Raises:
        ValueError: no corpus there; with `strict`, a damaged recording.
    """
    corpus = read(path, layout)
    if strict and len(corpus.damaged):
        first = corpus.damaged.iloc[0]
        raise ValueError(f"{first['path']}: {first['reason']}.")
    listing = read_headers(corpus.index, strict=strict)
    findings = check_sound(listing, strict=strict) if decode else listing.findings
    return Summary.of(corpus, listing, findings, checked=decode)


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose column `path` can be written in UTF-8."""
    return table.assign(path=table["path"].map(display_name))


def _plural(count: int, one: str, several: str = "") -> str:
    return one if count == 1 else several or f"{one}s"


def _counts(values: Iterable[str]) -> str:
    """'44100 Hz (320), 4000 Hz (3)', the most frequent first."""
    counts = Counter(values).most_common()
    return ", ".join(f"{value} ({count:,})" for value, count in counts)
