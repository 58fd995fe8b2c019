"""Synthetic clips of the classes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recipes.hearing_aid.classes import CLASSES, NOISES, SNR_DB, SPEECH_NOISES
from zoo.data.synthesis import draw_site, scene
from zoo.data.synthesis.seeds import log_uniform, stream
from zoo.progress import say

ClipPool = list[list[np.ndarray]]  # clips (samples,) of each class, in the order of the classes


@dataclass(frozen=True)
class ClipSettings:
    """Settings of synthetic clips.

    Attributes:
        clips: training clips of each class; a quarter as many for validation and test.
        duration_s: length of a clip [s].
        sample_rate_hz: [Hz].
        seed: of everything that is drawn.
    """

    clips: int
    duration_s: float
    sample_rate_hz: int
    seed: int


def synthesise_clips(
    settings: ClipSettings, count: int, part: str, classes: Sequence[str] = CLASSES
) -> ClipPool:
    """Synthetic clips of each class, each at a site of its own.

    Args:
        settings: of the clips; `clips` is not used.
        count: clips of each class.
        part: name of the random stream; parts have no site in common.
        classes: those to make clips of; the pools of the others are empty.
    """
    rng = stream(settings.seed, "hearing aid", part)
    pool = []
    for name in CLASSES:
        clips = count if name in classes else 0
        if clips:
            say(f"making {clips} clips of {name.replace('_', ' ')} ({part})")
        seeds = rng.integers(1 << 30, size=clips)
        pool.append([_synthesise_clip(name, int(seed), settings) for seed in seeds])
    return pool


def _synthesise_clip(name: str, seed: int, settings: ClipSettings) -> np.ndarray:
    """One clip (samples,) of a class."""
    rng = stream(seed, name)
    kind, parameters = {"quiet": "quiet_room"}.get(name, name), {}
    if name == "speech_in_noise":
        parameters = {"snr_db": rng.uniform(*SNR_DB), "noise": str(rng.choice(SPEECH_NOISES))}
    elif name == "noise":
        kind = str(rng.choice(NOISES))
    elif name == "wind_or_vehicle":
        kind, parameters = _WIND_OR_VEHICLE[int(rng.integers(len(_WIND_OR_VEHICLE)))](rng)
    clip = scene(
        kind,
        seed=seed,
        site=draw_site(seed),
        duration_s=settings.duration_s,
        sample_rate_hz=settings.sample_rate_hz,
        **parameters,
    )
    return clip.samples


def _draw_wind(rng: np.random.Generator) -> tuple[str, dict[str, Any]]:
    return "wind", {}


def _draw_traffic(rng: np.random.Generator) -> tuple[str, dict[str, Any]]:
    """Traffic whose road is never silent between two vehicles."""
    return "traffic", {"far_db": rng.uniform(-12, -3)}


def _draw_engine(rng: np.random.Generator) -> tuple[str, dict[str, Any]]:
    """An engine or rotor close by, with its own noise."""
    return "machinery", {
        "mesh_hz": log_uniform(rng, 15, 90),
        "shaft_hz": rng.uniform(2, 12),
        "lines": 8,
        "noise_db": rng.uniform(-6, 8),
    }


_WIND_OR_VEHICLE: tuple[Callable[[np.random.Generator], tuple[str, dict[str, Any]]], ...] = (
    _draw_wind,
    _draw_traffic,
    _draw_engine,
)
