"""What is in a corpus, in words and in numbers to draw."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zoo.data.audio import Damaged, Header, decode, mono
from zoo.data.corpora import Corpus, read
from zoo.data.folds import folds, groups_of
from zoo.data.inspection import Findings, Listing, listen, look
from zoo.plots.corpus import corpus as draw_corpus

_EXAMPLE_S = 5.0
_EXAMPLES = 12


@dataclass(frozen=True)
class Summary:
    """A corpus after its recordings were looked at.

    index: clips that can be used, `seconds` each lasts beside them. headers: of their files.
    damaged: path, start_s, reason. remarks: path, start_s, remark. checked: sound was decoded too.
    """

    corpus: Corpus
    index: pd.DataFrame
    headers: dict[str, Header]
    damaged: pd.DataFrame
    remarks: pd.DataFrame
    checked: bool

    @classmethod
    def of(
        cls, corpus: Corpus, listing: Listing, findings: Findings, *, checked: bool
    ) -> "Summary":
        """Put together what `corpora.read`, `look` and `listen` found."""
        bad = [row for row, _ in findings.damaged]
        index = corpus.index.assign(seconds=listing.seconds())
        index = index.drop(index.index[bad]).reset_index(drop=True)
        found = findings.damaged_of(corpus.index)
        damaged = [table for table in (corpus.damaged, found) if len(table)]
        return cls(
            corpus=corpus,
            index=index,
            headers={path: listing.headers[path] for path in index["path"].unique()},
            damaged=pd.concat(damaged, ignore_index=True) if damaged else found,
            remarks=findings.remarks_of(corpus.index),
            checked=checked,
        )

    def text(self, listed: int = 20) -> str:
        """The report; at most `listed` damaged clips are named."""
        index = self.index
        lines = [
            f"{self.corpus.title}   {self.corpus.root}",
            f"{len(index):,} clips of {len(self.headers):,} recordings, "
            f"{index['seconds'].sum() / 60:,.1f} minutes, {index['label'].nunique()} classes, "
            f"{len(np.unique(groups_of(index))):,} groups",
            "",
            *self._classes(),
            "",
        ]
        if len(index):
            lines += self._facts()
        lines += self._faults(listed)
        lines += [f"note      {note}" for note in self._notes()]
        return "\n".join(lines)

    def facts(self) -> dict[str, Any]:
        """The report as numbers by name, for JSON; seconds [s], rates [Hz]."""
        by_class = self.index.groupby("label", observed=True)["seconds"]
        rates = Counter(str(header.sample_rate_hz) for header in self.headers.values())
        return {
            "title": self.corpus.title,
            "folder": str(self.corpus.root),
            "clips": len(self.index),
            "recordings": len(self.headers),
            "groups": len(np.unique(groups_of(self.index))),
            "seconds": float(self.index["seconds"].sum()),
            "classes": {
                str(label): {"clips": len(seconds), "seconds": float(seconds.sum())}
                for label, seconds in by_class
            },
            "sample_rates_hz": dict(rates),
            "decoded": self.checked,
            "damaged": self.damaged.to_dict("records"),
            "remarks": self.remarks.to_dict("records"),
            "notes": self._notes(),
        }

    def picture(self) -> tuple:
        """Arguments of `zoo.plots.corpus.corpus`."""
        by_class = self.index.groupby("label", observed=True)["seconds"]
        minutes = {str(name): value / 60 for name, value in by_class.sum().items()}
        clips = {str(name): int(value) for name, value in by_class.size().items()}
        return self.corpus.title, minutes, clips, self.index["seconds"].to_numpy(), self._examples()

    def figure(self) -> Figure:
        """Sound by class, lengths of clips, and the spectrogram of a clip of each class."""
        return draw_corpus(*self.picture())

    def _classes(self) -> list[str]:
        """A table: class, clips, minutes, groups, and clips in each fold."""
        index = self.index.assign(together=groups_of(self.index))
        by_class = index.groupby("label", observed=True)
        columns = {
            "clips": by_class.size(),
            "minutes": (by_class["seconds"].sum() / 60).map("{:,.1f}".format),
            "groups": by_class["together"].nunique(),
        }
        for fold in folds(index, count=2) if index["fold"].notna().any() else ():
            inside = index[fold.test].groupby("label", observed=False).size()
            name = "test" if fold.name == "official" else fold.name
            columns[name] = inside.reindex(columns["clips"].index, fill_value=0)
        table = pd.DataFrame(columns)
        table.index.name = "class"
        return table.reset_index().to_string(index=False, justify="right").splitlines()

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
        if self.index["device"].notna().any():
            lines.append(f"devices   {_counts(self.index['device'].dropna())}")
        return lines

    def _faults(self, listed: int) -> list[str]:
        lines = [] if self.checked else ["note      headers only: no sound was decoded or checked."]
        kinds = Counter(text.split(":")[0] for text in self.remarks["remark"])
        lines += [f"odd       {count:,} clips: {kind}" for kind, count in kinds.most_common()]
        if self.damaged.empty:
            return [*lines, "damaged   none"]
        whole = len(self.index) + len(self.damaged)
        lines.append(f"damaged   {len(self.damaged):,} of {whole:,} clips, left out:")
        for path, start_s, reason in self.damaged.head(listed).itertuples(index=False):
            where = "" if np.isnan(start_s) or start_s == 0 else f" at {start_s:.2f} s"
            lines.append(f"  {os.path.relpath(path, self.corpus.root)}{where}: {reason}")
        if len(self.damaged) > listed:
            lines.append(f"  and {len(self.damaged) - listed:,} more: --damaged FILE lists all")
        return lines

    def _notes(self) -> list[str]:
        notes = list(self.corpus.notes)
        if self.index["label"].nunique() == 1:
            notes.append("There is one class only: nothing can be told apart.")
        if self.index["fold"].notna().any():
            for fold in folds(self.index):
                if fold.leaking:
                    notes.append(
                        f"In its {fold.name} split {len(fold.leaking)} groups stand on both sides "
                        f"({', '.join(fold.leaking[:5])}"
                        f"{', ...' if len(fold.leaking) > 5 else ''}): "
                        "folds(index, leak_free=True) leaves them out."
                    )
        return notes

    def _examples(self) -> dict[str, tuple[np.ndarray, float, float]]:
        """Class -> (power_db (frequency, time), highest Hz, length s) of a long clip of it.

        All reach up to what the lowest rate can hold, so that they can be compared.
        """
        from scipy.signal import ShortTimeFFT
        from scipy.signal.windows import hann

        examples = {}
        top_hz = min((header.sample_rate_hz for header in self.headers.values()), default=0) / 2
        for label, rows in list(self.index.groupby("label", observed=True))[:_EXAMPLES]:
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
            except Damaged:  # nothing was decoded before, if only headers were asked for
                continue
            stft = ShortTimeFFT(hann(window, sym=False), hop=window // 4, fs=rate)
            power = np.abs(stft.stft(mono(sound))[stft.f <= top_hz]) ** 2
            examples[str(label)] = (10 * np.log10(power + 1e-20), top_hz, len(sound) / rate)
        return examples


def summarize_corpus(
    path: Path, layout: str | None = None, *, strict: bool = False, decode: bool = True
) -> Summary:
    """Read the index of a corpus, check its recordings and sum up what is there.

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
    listing = look(corpus.index, strict=strict)
    findings = listen(listing, strict=strict) if decode else listing.findings
    return Summary.of(corpus, listing, findings, checked=decode)


def _counts(values) -> str:
    """'44100 Hz (320), 4000 Hz (3)', the most frequent first."""
    counts = Counter(values).most_common()
    return ", ".join(f"{value} ({count:,})" for value, count in counts)
