"""Every measure of every method, clip by clip, in blocks that are kept on the disk.

A block holds `BLOCK` clips. An interrupted run goes on behind the last whole block, and a finished
one is not computed again.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from recipes.explain.networks import EXPLAINED, Task
from recipes.explain.settings import Settings
from zoo.checkpoints import Arrays, CheckpointFile, hash_arrays
from zoo.data.synthesis.truth import Clip
from zoo.explain import Explanation
from zoo.explain.clip import ExplainedClip, open_clip
from zoo.explain.measures import (
    deletion_and_insertion,
    localise,
    onset_error_s,
    randomised,
    rank_correlation,
    true_region,
)
from zoo.explain.methods import explain_clip
from zoo.progress import say

BLOCK = 10
MARGIN_S, MARGIN_OCTAVES = 0.016, 0.08  # half a window and about half a band at each edge
SAY_S = 20.0  # between two lines of progress

Measures = dict[str, dict[str, np.ndarray]]  # method -> measure -> (clips,) or (clips, layers)


@dataclass(frozen=True)
class Subject:
    """A trained network, and the settings of its explanations.

    Attributes:
        model: of the task.
        task: what it tells apart.
        settings: of the run.
    """

    model: keras.Model
    task: Task
    settings: Settings

    def explain(
        self, opened: ExplainedClip, label: str
    ) -> Iterator[tuple[str, Explanation, float]]:
        """Each method, its evidence for a class, and its time [s].

        Args:
            opened: clip of the task.
            label: its class.
        """
        for method in self.settings.methods:
            began = time.perf_counter()
            result = explain_clip(
                opened,
                self.task.classes,
                label=label,
                patch_s=self.settings.patch_s,
                patch_share=self.settings.patch_share,
                method=method,
            )
            yield method, result, time.perf_counter() - began

    def explained_clips(self, count: int) -> list[Clip]:
        """`count` clips of each kind that is explained, none of them trained on."""
        return self.task.clips(count, EXPLAINED + self.settings.seed, self.task.explained)


def measure(subject: Subject) -> Measures:
    """Every measure of every method on all clips, against the truth."""
    clips = subject.explained_clips(subject.settings.clips)
    return _in_blocks(subject, "clips", clips, lambda _, part: _measure_block(subject, part))


def measure_random(subject: Subject) -> tuple[Measures, list[str]]:
    """Rank correlations with the evidence of random weights, (clips, layers), and the layers.

    Weights are permuted from the output layer down, one layer more in each column, and anew for
    each clip.
    """
    clips = subject.explained_clips(subject.settings.random_clips)
    layers = [name for name, _ in randomised(subject.model)]
    copy = keras.models.clone_model(subject.model)

    def block(number: int, part: Sequence[Clip]) -> Arrays:
        return _random_block(subject, copy, part, subject.settings.seed + number * BLOCK)

    return _in_blocks(subject, "random", clips, block), layers


def halves(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the clips that choose the default (even blocks), and of those reported (odd).

    Where there is one block only, its clips are divided in turn.
    """
    is_odd = np.arange(count) // (BLOCK if count > BLOCK else 1) % 2 == 1
    return np.flatnonzero(~is_odd), np.flatnonzero(is_odd)


def _in_blocks(
    subject: Subject,
    name: str,
    clips: Sequence[Clip],
    compute: Callable[[int, Sequence[Clip]], Arrays],
) -> Measures:
    """Compute what is not on the disk yet, block by block, and join the blocks."""
    settings, task = subject.settings, subject.task
    run = {
        "data": hash_arrays(*subject.model.get_weights()),
        "methods": list(settings.methods),
        "patch_s": settings.patch_s,
        "patch_share": settings.patch_share,
    }
    blocks, last_line = [], time.monotonic()
    for number, first in enumerate(range(0, len(clips), BLOCK)):
        part = clips[first : first + BLOCK]
        file = CheckpointFile(settings.checkpoint(f"{task.name}-{name}-{number:04d}"), run)
        arrays = file.read()
        if arrays is None or len(next(iter(arrays.values()))) != len(part):
            arrays = compute(number, part)
            file.write(arrays)
        blocks.append(arrays)
        if time.monotonic() - last_line > SAY_S:
            last_line = time.monotonic()
            say(f"{task.name}, {name}: {first + len(part)} of {len(clips)} clips")
    return _by_method(blocks)


def _by_method(blocks: Sequence[Mapping[str, np.ndarray]]) -> Measures:
    measures: Measures = {}
    for name in blocks[0]:
        method, measure_name = name.split("/")
        values = np.concatenate([block[name] for block in blocks])
        measures.setdefault(method, {})[measure_name] = values
    return measures


def _measure_block(subject: Subject, clips: Sequence[Clip]) -> Arrays:
    rows: dict[str, list[float]] = {}
    previous: dict[str, np.ndarray] = {}
    for clip in clips:
        (event,) = clip.events
        opened = open_clip(subject.model, clip.samples)
        number = subject.task.classes.index(clip.label)
        for method, result, seconds in subject.explain(opened, clip.label):
            truth = true_region(result, event, margin_s=MARGIN_S, margin_octaves=MARGIN_OCTAVES)
            place = localise(result, truth)
            deletion, insertion = deletion_and_insertion(opened, number, result.evidence)
            other = previous.get(method)
            values = {
                "hit": place.hit,
                "inside": place.inside,
                "area": place.area,
                "strongest_error_s": result.strongest[0] - event.onset_s,
                "onset_error_s": onset_error_s(result, event.onset_s),
                "deletion": deletion,
                "insertion": insertion,
                # of two clips: what rank correlation means nothing
                "other_clip": np.nan
                if other is None
                else abs(rank_correlation(result.evidence, other)),
                "probability": result.probability,
                "seconds": seconds,
            }
            previous[method] = result.evidence
            for name, value in values.items():
                rows.setdefault(f"{method}/{name}", []).append(float(value))
    return {name: np.array(values) for name, values in rows.items()}


def _random_block(subject: Subject, copy: keras.Model, clips: Sequence[Clip], seed: int) -> Arrays:
    def evidence(model: keras.Model, clip: Clip) -> dict[str, np.ndarray]:
        results = subject.explain(open_clip(model, clip.samples), clip.label)
        return {method: result.evidence for method, result, _ in results}

    rows: dict[str, list[list[float]]] = {method: [] for method in subject.settings.methods}
    for number, clip in enumerate(clips):
        trained = evidence(subject.model, clip)
        columns: dict[str, list[float]] = {method: [] for method in rows}
        for _, model in randomised(subject.model, seed + number, copy=copy):
            for method, points in evidence(model, clip).items():
                columns[method].append(abs(rank_correlation(trained[method], points)))
        for method, column in columns.items():
            rows[method].append(column)
    return {f"{method}/correlation": np.array(each) for method, each in rows.items()}
