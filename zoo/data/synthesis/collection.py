"""Corpora of synthetic clips with ground truth, for training, in groups to split by.

A module of its own because batches need TensorFlow, and synthesis does not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from zoo.data.cache import ClipStore
from zoo.data.clips import Clips
from zoo.data.synthesis.breath import breath
from zoo.data.synthesis.patients import CONDITIONS, draw_patient
from zoo.data.synthesis.scenes import SCENES, draw_site, scene
from zoo.data.synthesis.truth import Clip


@dataclass(frozen=True)
class SyntheticClips(Clips):
    """Clips with ground truth; split, batch and train on them as on recordings.

    Attributes:
        make: number in the corpus -> the clip, always the same.
    """

    make: Callable[[int], Clip]

    def truth(self, number: int) -> Clip:
        """Clip of this number, with its events and parts, synthesised again."""
        return self.make(int(self.index["number"].iloc[number]))


class RenderedSource:
    """Waveforms that are synthesised each time they are read; see `zoo.data.clips.Source`."""

    trailing = ()

    def __init__(self, make: Callable[[int], Clip], clips: int, samples: int) -> None:
        self.make = make
        self.lengths = np.full(clips, samples, dtype=np.int64)

    def __getitem__(self, row: int) -> np.ndarray:
        """(samples,) float32."""
        return self.make(int(row)).samples


def scene_clips(
    *,
    sites: int,
    seed: int,
    clips_per_scene: int = 1,
    scenes: Sequence[str] = SCENES,
    duration_s: float = 5.0,
    sample_rate_hz: int = 16_000,
    keep: bool = True,
) -> SyntheticClips:
    """Clips of every scene at every site.

    Args:
        sites: number of them; they are the groups to split by.
        seed: of everything that is drawn.
        clips_per_scene: at each site.
        scenes: labels.
        duration_s: of a clip [s].
        sample_rate_hz: [Hz].
        keep: synthesise all waveforms now and keep them in memory; else each time they are read.

    Raises:
        ValueError: no clips, or as in `scene`.
    """
    rows = [
        (site, name, take)
        for site in range(sites)
        for name in scenes
        for take in range(clips_per_scene)
    ]
    places = [draw_site(_seed(seed, site)) for site in range(sites)]

    # functions of this module, so that clips can be sent to another process
    make = partial(_make_scene, rows, places, seed, duration_s, sample_rate_hz)
    table = [(places[site].name, name, take) for site, name, take in rows]
    return _clips(make, table, duration_s, sample_rate_hz, keep)


def breath_clips(
    *,
    patients: int,
    seed: int,
    clips_per_patient: int = 4,
    conditions: Sequence[str] = CONDITIONS,
    stethoscopes: int | None = None,
    duration_s: float = 15.0,
    sample_rate_hz: int = 4_000,
    keep: bool = True,
) -> SyntheticClips:
    """Several recordings of each of many patients, whose conditions take turns.

    Args:
        patients: number of them; they are the groups to split by.
        seed: of everything that is drawn.
        clips_per_patient: recordings of each.
        conditions: labels.
        stethoscopes: number of them, shared by the patients in turn, so that each records every
            condition; None: one for each patient.
        duration_s: of a clip [s].
        sample_rate_hz: [Hz].
        keep: as in `scene_clips`.

    Raises:
        ValueError: no clips, or as in `breath`.
    """
    people = [
        draw_patient(_seed(seed, number), condition)
        for number, condition in enumerate(_in_turn(conditions, patients))
    ]
    devices = [person.name for person in people]
    if stethoscopes is not None:
        shared = [k // len(conditions) % min(stethoscopes, len(people)) for k in range(len(people))]
        people = [
            replace(person, stethoscope=people[which].stethoscope)
            for person, which in zip(people, shared, strict=True)
        ]
        devices = [f"stethoscope-{which + 1}" for which in shared]
    rows = [(k, take) for k in range(len(people)) for take in range(clips_per_patient)]

    make = partial(_make_breath, rows, people, seed, duration_s, sample_rate_hz)
    table = [(people[k].name, people[k].condition, take) for k, take in rows]
    clips = _clips(make, table, duration_s, sample_rate_hz, keep)
    clips.index["device"] = pd.Categorical([devices[k] for k, _ in rows])
    return clips


def _make_scene(
    rows: Sequence[tuple[int, str, int]],
    places: Sequence[Any],
    seed: int,
    duration_s: float,
    sample_rate_hz: int,
    number: int,
) -> Clip:
    site, name, take = rows[number]
    return scene(
        name,
        seed=_seed(seed, take),
        site=places[site],
        duration_s=duration_s,
        sample_rate_hz=sample_rate_hz,
    )


def _make_breath(
    rows: Sequence[tuple[int, int]],
    people: Sequence[Any],
    seed: int,
    duration_s: float,
    sample_rate_hz: int,
    number: int,
) -> Clip:
    k, take = rows[number]
    return breath(
        people[k], seed=_seed(seed, take), duration_s=duration_s, sample_rate_hz=sample_rate_hz
    )


def _in_turn(conditions: Sequence[str], count: int) -> list[str]:
    return [conditions[k % len(conditions)] for k in range(count)] if conditions else []


def _seed(seed: int, number: int) -> int:
    """Seed of a site or patient; corpora of different seeds have none in common."""
    if seed < 0 or number >= 1_000_000:
        raise ValueError(
            f"`seed` must be 0 or more, and a corpus has at most a million groups. "
            f"Received: seed={seed}, group {number}."
        )
    return 1_000_000 * seed + number


def _clips(
    make: Callable[[int], Clip],
    table: list[tuple[str, str, int]],
    duration_s: float,
    sample_rate_hz: int,
    keep: bool,
) -> SyntheticClips:
    if not table:
        raise ValueError("There are no clips: every count and choice must be at least one.")
    group, label, take = zip(*table, strict=True)
    names = [f"{g}/{x}-{t}" for g, x, t in table]
    nothing = [None] * len(table)
    index = pd.DataFrame(
        {
            "path": names,
            "start_s": np.nan,
            "end_s": np.nan,
            "label": pd.Categorical(label),
            "fold": pd.Categorical(nothing),
            "group": pd.Categorical(group),
            "device": pd.Categorical(group),
            "source": pd.Categorical(names),
            "take": take,
            "number": np.arange(len(table)),
        }
    )
    samples = make(0).samples.size
    source = RenderedSource(make, len(table), samples)
    if keep:
        kept = np.empty((len(table), samples), np.float32)
        for row in range(len(table)):
            kept[row] = source[row]
        source = ClipStore(kept.ravel(), source.lengths)
    return SyntheticClips(
        index=index,
        source=source,
        rows=np.arange(len(table)),
        classes=tuple(sorted(set(label))),
        sample_rate_hz=sample_rate_hz,
        damaged=pd.DataFrame(columns=["path", "start_s", "reason"]),
        remarks=pd.DataFrame(columns=["path", "start_s", "remark"]),
        make=make,
    )
