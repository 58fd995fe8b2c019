"""Fit a classifier to the classes of some clips: head, embedding, threshold of the unknown."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pandas as pd

from zoo.convnets import front_end_of
from zoo.convnets.unknown_class import UNKNOWN
from zoo.data.clips import Clips, spread_rows
from zoo.data.folds import group_keys
from zoo.data.recordings import load_clips
from zoo.data.windowing import clip_lengths_s, split_into_windows
from zoo.names import graph_name
from zoo.progress import say
from zoo.teaching.head_choice import HeadChoice, choose_head, try_extension
from zoo.teaching.heads import Head, class_shares, extend_head, fit_head
from zoo.teaching.model import (
    EMBEDDING_LAYER,
    ClipRunner,
    Earlier,
    build_classifier,
)
from zoo.teaching.settings import TeachSettings
from zoo.teaching.tuning import (
    MAX_CLIPS,
    MIN_RECORDINGS,
    Tuner,
    TuningTrial,
    apply_tail,
    copy_model,
    split_base,
    try_tuning,
    why_not,
)
from zoo.teaching.unknown import (
    StrangerTrial,
    familiarity_of,
    try_strangers,
    unknown_threshold,
)

NOISY_COPIES = 2  # of every clip, beside itself
RATE_HZ = 16_000
MAX_WINDOWS = 12  # of a recording that is longer than the input of the base


@dataclass(frozen=True)
class Taught:
    """A classifier of one's own sounds.

    Attributes:
        model: `waveform` to `probabilities`, "unknown" last.
        classes: names, "unknown" last.
        choice: of the head.
        head: fitted to all clips.
        examples: class of each example in the head.
        facts: entry `training` of the manifest.
        counts: name, clips and recordings of each class that was learnt now.
        tuning: what was tried of fine-tuning, in words.
        trial: its cross-validation; None: it was not tried.
        strangers: how well they are told; None: classes were added to others.
    """

    model: keras.Model
    classes: tuple[str, ...]
    choice: HeadChoice
    head: Head
    examples: tuple[str, ...]
    facts: dict[str, Any]
    counts: tuple[tuple[str, int, int], ...]
    tuning: str
    trial: TuningTrial | None = None
    strangers: StrangerTrial | None = None

    def sentence(self) -> str:
        """Choice of head and embedding, in words."""
        return f"{self.choice.sentence()}; {self.tuning}"


def read_clips(index: pd.DataFrame, base: keras.Model) -> Clips:
    """Waveforms at the rate of a base; of long recordings some windows of its length.

    Args:
        index: of a corpus.
        base: model of whole clips.

    Raises:
        ValueError: no recording that can be read.
    """
    rate_hz = round(front_end_of(base).sample_rate_hz)
    windows = split_into_windows(
        index, clip_lengths_s(index), base.input.shape[1] / rate_hz, MAX_WINDOWS
    )
    if len(windows) > len(index):
        say(
            f"long recordings: at most {MAX_WINDOWS} windows of each are taken, {len(windows)} "
            f"clips of {len(index)} recordings."
        )
    clips = load_clips(windows, sample_rate_hz=rate_hz)
    missing = sorted(set(index["label"].astype(str)) - set(clips.classes))
    if missing:
        say(f"no recording can be used of {', '.join(missing)}: left out.")
    return clips


def fit_classes(
    base: keras.Model, clips: Clips, settings: TeachSettings, earlier: Earlier | None = None
) -> Taught:
    """Fit a head to the classes of some clips, on the base or on a fine-tuned copy of it.

    Args:
        base: model with an embedding.
        clips: waveforms at its rate.
        settings: name and seed.
        earlier: classes that stay, in front of the new ones.

    Raises:
        ValueError: fewer than two classes, one named "unknown" or known already, or a base without
            an embedding.
    """
    _check_classes(clips.classes, settings, earlier)
    labels, groups = clips.labels, group_keys(clips.index)
    embedder = _embedder(base, clips)
    own = embedder.run(clips)
    trial, tuning = None, "the embedding is kept as it is"
    if earlier is not None:
        choice = try_extension(earlier.head, earlier.example_labels, own, labels, groups)
    else:
        choice = choose_head(own, labels, groups)
        tuning = why_not(labels, groups) or tuning
        if not settings.frozen and not why_not(labels, groups):
            base, trial = _tune_base(base, clips, choice, settings.seed)
            tuning = trial.sentence()
            if trial.is_better:
                embedder = _embedder(base, clips)
                own = embedder.run(clips)
                choice = dataclasses.replace(
                    choice, familiarity=familiarity_of(own, labels, groups)
                )
    copies = [embedder.run(clips, settings.seed + k) for k in range(NOISY_COPIES)]
    head, examples = _fit_to_all(own, copies, labels, choice, earlier)
    strangers = None
    if earlier is None:
        strangers = try_strangers(own, labels, choice.familiarity, head.threshold)
    names = clips.classes if earlier is None else (*earlier.classes, *clips.classes)
    facts = {
        "clips": len(clips),
        "recordings": len(np.unique(groups)),
        "noisy_copies": NOISY_COPIES,
        "seed": settings.seed,
        "head": choice.kind,
        "penalty": choice.penalty,
        "base": str(settings.base),
        "fine_tuned_layers": trial.layers if trial is not None and trial.is_better else 0,
    }
    model = build_classifier(base, head, graph_name(settings.paths.name))
    of_examples = tuple(names[k] for k in examples)
    return Taught(
        model,
        (*names, UNKNOWN),
        choice,
        head,
        of_examples,
        facts,
        _count_clips(clips, groups),
        tuning=tuning,
        trial=trial,
        strangers=strangers,
    )


def _count_clips(clips: Clips, groups: np.ndarray) -> tuple[tuple[str, int, int], ...]:
    """Name, clips and recordings of each class."""
    of_classes = [groups[clips.labels == k] for k in range(len(clips.classes))]
    counts = [(len(each), len(np.unique(each))) for each in of_classes]
    return tuple((name, *count) for name, count in zip(clips.classes, counts, strict=True))


def _check_classes(
    classes: Sequence[str], settings: TeachSettings, earlier: Earlier | None
) -> None:
    if len(classes) < (2 if earlier is None else 1) or UNKNOWN in classes:
        raise ValueError(
            f"Expected two classes or more, none of them {UNKNOWN!r}. "
            f"Received: {', '.join(classes) or 'none'}."
        )
    known_twice = sorted(set(classes) & set(() if earlier is None else earlier.classes))
    if known_twice:
        raise ValueError(
            f"{settings.base} knows {', '.join(known_twice)} already. Give a folder of new classes "
            "only, or teach all of them anew on sound-embedding."
        )


def _fit_to_all(
    own: np.ndarray,
    copies: Sequence[np.ndarray],
    labels: np.ndarray,
    choice: HeadChoice,
    earlier: Earlier | None,
) -> tuple[Head, np.ndarray]:
    """Head fitted to all clips and their copies, and the class of each example that it keeps."""
    embeddings, repeated = np.concatenate([own, *copies]), np.tile(labels, 1 + len(copies))
    if earlier is None:
        shares = class_shares(repeated)
        head = fit_head(embeddings, repeated, choice.kind, choice.penalty, None, shares)
        shots = float(np.median(np.bincount(labels)))
        threshold, of_examples = unknown_threshold(choice.familiarity, shots), labels
    else:
        head = extend_head(earlier.head, earlier.example_labels, embeddings, repeated)
        threshold = earlier.head.threshold
        of_examples = np.concatenate([earlier.example_labels, len(earlier.classes) + labels])
    kept = head.examples[:, : len(of_examples)]  # without the copies
    return dataclasses.replace(head, examples=kept, threshold=threshold), of_examples


def _tune_base(
    base: keras.Model, clips: Clips, choice: HeadChoice, seed: int
) -> tuple[keras.Model, TuningTrial]:
    """The base, or where that is better a copy whose last layers are trained on the clips."""
    clips = clips[rows_to_tune_on(clips.labels)]
    labels, groups = clips.labels, group_keys(clips.index)
    front, tail = split_base(base, EMBEDDING_LAYER)
    runner = ClipRunner(front, clips.sample_rate_hz or RATE_HZ)
    features, copies = (runner.run(clips, each).astype(np.float16) for each in (None, seed))
    tuner = Tuner(tail, len(clips.classes))
    trial = try_tuning(tuner, features, copies, labels, groups, choice, seed)
    if not trial.is_better:
        return base, trial
    tuned = copy_model(base)
    embeddings, both = apply_tail(tail, features), np.concatenate([features, copies])
    head = fit_head(embeddings, labels, choice.kind, choice.penalty)
    trained = tuner.train(both, np.tile(labels, 2), head, seed)
    split_base(tuned, EMBEDDING_LAYER)[1].set_weights(trained.get_weights())
    return tuned, trial


def rows_to_tune_on(labels: np.ndarray) -> np.ndarray:
    """About `MAX_CLIPS` of all clips, evenly spaced in each class, no class left out; (n,).

    Args:
        labels: (clips,) class index.
    """
    rows = []
    for k in np.unique(labels):
        own = np.flatnonzero(labels == k)
        count = max(MIN_RECORDINGS, MAX_CLIPS * len(own) // len(labels))
        rows.append(spread_rows(own, count))
    return np.sort(np.concatenate(rows))


def _embedder(base: keras.Model, clips: Clips) -> ClipRunner:
    """Runs a base over clips at their rate, to embeddings (clips, width)."""
    model = keras.Model(base.input, base.output[EMBEDDING_LAYER])
    return ClipRunner(model, clips.sample_rate_hz or RATE_HZ)
