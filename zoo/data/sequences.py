"""Sequences of scenes with the class of every hop."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FADE_S = 0.05  # cross-fade, from the change on


@dataclass(frozen=True)
class SceneSequence:
    """Several scenes, one after another.

    Attributes:
        samples: (hops hop,) float32.
        truth: (hops,) class index of the scene in each hop.
        hop: samples of a hop.
        sample_rate_hz: [Hz].
    """

    samples: np.ndarray
    truth: np.ndarray
    hop: int
    sample_rate_hz: int

    @property
    def changes_s(self) -> np.ndarray:
        """Times at which scenes begin, without the first one [s]."""
        hops = 1 + np.flatnonzero(self.truth[1:] != self.truth[:-1])
        return hops * self.hop / self.sample_rate_hz


def scene_sequence(
    pool: Sequence[Sequence[np.ndarray]],
    rng: np.random.Generator,
    *,
    scenes: int,
    duration_s: tuple[float, float],
    hop: int,
    sample_rate_hz: int,
) -> SceneSequence:
    """Scenes drawn from a pool of clips, never the same class twice in a row.

    Args:
        pool: clips (samples,) of each class; classes without any do not occur.
        rng: random stream.
        scenes: number of them.
        duration_s: shortest and longest scene [s]; a change falls between two hops.
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
        max(1, round(rng.uniform(*duration_s) * sample_rate_hz / hop)) * hop for _ in range(scenes)
    ]
    fade = min(round(FADE_S * sample_rate_hz), min(lengths))
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    samples = np.zeros(sum(lengths) + fade, np.float32)
    truth: list[int] = []
    start, last = 0, None
    for k, length in enumerate(lengths):
        last = int(rng.choice([each for each in present if each != last]))
        clip = pool[last][int(rng.integers(len(pool[last])))]
        scene = _loop_to_length(clip, length + fade, fade, rng)
        if k:
            scene[:fade] *= ramp
        scene[-fade:] *= 1 - ramp
        samples[start : start + length + fade] += scene
        truth += [last] * (length // hop)
        start += length
    return SceneSequence(samples[:start], np.array(truth), hop, sample_rate_hz)


def _loop_to_length(
    clip: np.ndarray, samples: int, fade: int, rng: np.random.Generator
) -> np.ndarray:
    """Random excerpt of the clip; a clip that is too short is repeated with cross-fades."""
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    looped = np.array(clip, np.float32)
    while len(looped) < samples + 1:
        repeated = np.array(clip, np.float32)
        overlap = min(fade, len(repeated) // 2)
        rise = ramp[:overlap]
        looped[-overlap:] = looped[-overlap:] * (1 - rise) + repeated[:overlap] * rise
        looped = np.concatenate([looped, repeated[overlap:]])
    first = int(rng.integers(len(looped) - samples))
    return looped[first : first + samples].copy()
