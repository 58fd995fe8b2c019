"""Scenes one after the other, with the truth about when each begins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FADE_S = 0.05  # from one scene to the next, from the change on


@dataclass(frozen=True)
class SceneSequence:
    """Sound of several scenes in a row.

    Attributes:
        samples: (hops hop,) float32.
        truth: number of the class that sounds in each hop, (hops,).
        hop: samples of a hop.
        sample_rate_hz: [Hz].
    """

    samples: np.ndarray
    truth: np.ndarray
    hop: int
    sample_rate_hz: int

    @property
    def changes_s(self) -> np.ndarray:
        """When scenes begin, the first one aside [s]."""
        hops = 1 + np.flatnonzero(self.truth[1:] != self.truth[:-1])
        return hops * self.hop / self.sample_rate_hz


def scene_sequence(
    pool: Sequence[Sequence[np.ndarray]],
    rng: np.random.Generator,
    *,
    scenes: int,
    lasts_s: tuple[float, float],
    hop: int,
    sample_rate_hz: int,
) -> SceneSequence:
    """Scenes drawn from a pool of clips, never the same class twice in a row.

    Args:
        pool: clips (samples,) of each class; classes without any do not occur.
        rng: where it is drawn from.
        scenes: how many.
        lasts_s: shortest and longest scene [s]; a change falls between two hops.
        hop: samples of a hop.
        sample_rate_hz: of the clips [Hz].

    Raises:
        ValueError: fewer than two classes have clips.
    """
    present = [k for k, clips in enumerate(pool) if len(clips)]
    if len(present) < 2:
        raise ValueError(
            f"A sequence needs clips of two classes or more. Received: {len(present)}."
        )
    lengths = [
        max(1, round(rng.uniform(*lasts_s) * sample_rate_hz / hop)) * hop for _ in range(scenes)
    ]
    fade = min(round(FADE_S * sample_rate_hz), min(lengths))
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    samples = np.zeros(sum(lengths) + fade, np.float32)
    truth, start, last = [], 0, None
    for k, length in enumerate(lengths):
        last = int(rng.choice([each for each in present if each != last]))
        clip = pool[last][int(rng.integers(len(pool[last])))]
        scene = _as_long_as(clip, length + fade, fade, rng)
        if k:
            scene[:fade] *= ramp
        scene[-fade:] *= 1 - ramp
        samples[start : start + length + fade] += scene
        truth += [last] * (length // hop)
        start += length
    return SceneSequence(samples[:start], np.array(truth), hop, sample_rate_hz)


def _as_long_as(clip: np.ndarray, samples: int, fade: int, rng: np.random.Generator) -> np.ndarray:
    """A stretch of the clip from anywhere; one that is too short goes on with itself, faded."""
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    looped = np.array(clip, np.float32)
    while len(looped) < samples + 1:
        again = np.array(clip, np.float32)
        overlap = min(fade, len(again) // 2)
        rise = ramp[:overlap]
        looped[-overlap:] = looped[-overlap:] * (1 - rise) + again[:overlap] * rise
        looped = np.concatenate([looped, again[overlap:]])
    first = int(rng.integers(len(looped) - samples))
    return looped[first : first + samples].copy()
