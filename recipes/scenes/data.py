"""Clips of acoustic scenes: synthetic ones, or those of a corpus of recordings."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recipes.scenes.settings import Settings
from zoo.data import corpora
from zoo.data.clips import Clips
from zoo.data.corpora.licences import Licence, licence_of
from zoo.data.folds import group_keys
from zoo.data.recordings import load_clips, notes_of, sample_rates, title_of
from zoo.data.synthesis.collection import scene_clips
from zoo.data.windowing import clip_lengths_s, split_into_windows
from zoo.progress import say

MAX_RATE_HZ = 32_000  # more bandwidth than 16 kHz does not help to classify scenes
SYNTHETIC_RATE_HZ = 16_000
MIN_SITES = 4
MAX_MEDIAN_S, WINDOW_S = 10.0, 5.0  # longer recordings are cut into windows
TUNED_ON = "ESC-10"  # by whose folds network, front end and training were chosen


@dataclass(frozen=True)
class SceneData:
    """Labelled clips, and what the card says of them.

    Attributes:
        clips: waveforms.
        title: of the corpus.
        duration_s: length of a clip for the network [s].
        licence: of weights that are trained on them, and of the clips.
        limits: of a model that is trained on them.
        notes: remarks on the corpus.
    """

    clips: Clips
    title: str
    duration_s: float
    licence: Licence
    limits: tuple[str, ...]
    notes: tuple[str, ...] = ()


def load_data(settings: Settings) -> SceneData:
    """Synthetic scenes, or the corpus in `settings.data`.

    Raises:
        ValueError: a corpus that cannot be used, in one line.
    """
    if settings.data is None:
        return make_synthetic(settings)
    return read_recordings(settings.data, settings)


def make_synthetic(settings: Settings) -> SceneData:
    """Generate scenes at several sites.

    Raises:
        ValueError: too few sites to be divided into folds.
    """
    sites, duration_s = (6, 1.0) if settings.quick else (settings.sites, settings.duration_s or 3.0)
    if sites < MIN_SITES:
        raise ValueError(
            f"--sites must be {MIN_SITES} or more, to be divided into folds. Received: {sites}."
        )
    say(f"generating scenes at {sites} sites")
    return SceneData(
        clips=scene_clips(
            sites=sites,
            seed=settings.seed,
            duration_s=duration_s,
            sample_rate_hz=settings.rate_hz or SYNTHETIC_RATE_HZ,
        ),
        title="synthetic scenes",
        duration_s=settings.duration_s or duration_s,
        licence=Licence(),
        limits=(
            "Trained on synthetic scenes alone; accuracy on recordings is not known.",
            "Groups are sites, each with one microphone: no site is on both sides of a fold.",
        ),
    )


def read_recordings(folder: Path, settings: Settings) -> SceneData:
    """Read and decode a corpus.

    Args:
        folder: of the corpus.
        settings: layout, sample rate, duration and cache.

    Raises:
        ValueError: no corpus, one class only, or several sample rates and no `rate_hz`.
    """
    corpus = corpora.read(folder, settings.layout)
    for note in corpus.notes:
        say(note)
    labels = sorted({str(label) for label in corpus.index["label"]})
    if len(labels) < 2:
        raise ValueError(
            f"{folder} has one class only, {', '.join(labels)}: a classifier needs two or more."
        )
    rates = sample_rates(corpus.index)
    if len(rates) > 1 and settings.rate_hz is None:
        raise ValueError(
            f"{folder} mixes sample rates, {', '.join(map(str, rates))} Hz: say with --rate which "
            "one everything is to be resampled to."
        )
    rate_hz = settings.rate_hz or min([MAX_RATE_HZ, *rates])
    lengths_s = clip_lengths_s(corpus.index)
    duration_s = settings.duration_s or window_length_s(lengths_s)
    index = split_into_windows(corpus.index, lengths_s, duration_s)
    clips = load_clips(index, sample_rate_hz=rate_hz, cache=settings.cache or "memory")
    limits = [f"Trained on {title_of(corpus)} alone: other microphones and places may differ."]
    if corpus.title.startswith(TUNED_ON):
        limits.append(
            "The defaults of network, front end and training were chosen with metrics over these "
            "folds in view, which makes the metrics slightly optimistic."
        )
    if len(index) > len(corpus.index):
        windows = (
            f"Longer recordings were cut into windows of {duration_s:g} s, {len(index)} of "
            f"{len(corpus.index)} clips; all windows of a recording are on one side of a fold, and "
            "metrics count windows."
        )
        say(windows)
        limits.append(windows)
    if settings.duration_s is None and len(index) == len(corpus.index):
        duration_s = float(np.median(clips.source.lengths[clips.rows]) / rate_hz)
    return SceneData(
        clips=clips,
        title=title_of(corpus),
        duration_s=duration_s,
        licence=licence_of(corpus.title),
        limits=tuple(limits),
        notes=notes_of(corpus, clips),
    )


def window_length_s(lengths_s: np.ndarray) -> float:
    """Length of the model's input: the median of the clips, or 5 s where that is above 10 s.

    Args:
        lengths_s: of each clip [s], 0 where it is damaged.

    Raises:
        ValueError: all clips are damaged.
    """
    lengths_s = lengths_s[lengths_s > 0]
    if not len(lengths_s):
        raise ValueError("None of the recordings can be read. List them: zoo data FOLDER")
    median_s = float(np.median(lengths_s))
    return median_s if median_s <= MAX_MEDIAN_S else WINDOW_S


def fold_count(clips: Clips, settings: Settings) -> int:
    """Number of folds where the corpus has none of its own: 3 of the synthetic scenes, else 5."""
    count = 5 if settings.data else 2 if settings.quick else 3
    return min(count, len(np.unique(group_keys(clips.index))))
