"""Measure where speech becomes speech in noise, and each class at each level."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from scipy.optimize import curve_fit

from recipes.hearing_aid.classes import BOUNDARY_SNR_DB, CLASSES
from recipes.hearing_aid.decision import HopPredictions, decide_programs
from recipes.hearing_aid.scene_mixing import SceneMixer
from zoo.data.bank import RATE_HZ
from zoo.edge.condition import level_dbfs
from zoo.edge.decision import DecisionSettings
from zoo.metrics.switching import NO_PROGRAM, SETTLE_S
from zoo.report import Column, Table

SNRS_DB = (-6.0, -3.0, 0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0, 21.0, 24.0, 30.0)
LEVELS_DB_SPL = (45.0, 55.0, 65.0, 75.0)
MAX_BOUNDARY_ERROR_DB = 2.0
SPEECH, NOISY = CLASSES.index("speech"), CLASSES.index("speech_in_noise")


class Conditions(NamedTuple):
    """Programs in scenes of one signal-to-noise ratio, or of one level.

    Attributes:
        snrs_db: ratio of active speech to its background [dB], (ratios,).
        by_snr: (ratios, levels, classes) share of the time in each program.
        boundary_db: ratio at which speech and speech in noise are chosen alike [dB].
        width_db: of the logistic curve through the shares of speech among both [dB].
        levels_db_spl: of the scenes [dB SPL], (levels,).
        by_level: (levels, classes, classes) share of the time of each class in each program; NaN
            for quiet, which is a matter of level.
    """

    snrs_db: np.ndarray
    by_snr: np.ndarray
    boundary_db: float
    width_db: float
    levels_db_spl: np.ndarray
    by_level: np.ndarray


def measure_conditions(
    mixer: SceneMixer,
    predict: Callable[[np.ndarray], np.ndarray],
    decision: DecisionSettings,
    scenes: int = 8,
) -> Conditions:
    """Programs over signal-to-noise ratio and level, the first 2 s of each scene left out.

    Args:
        mixer: of scenes of recordings that were not trained on, without changes.
        predict: waveform (samples,) -> probabilities (hops, classes).
        decision: settings.
        scenes: of each class and level; half as many of each ratio and level.
    """
    settings = mixer.settings

    def shares(number: int, count: int, **changed: tuple[float, float]) -> np.ndarray:
        mixer.settings = dataclasses.replace(settings, **changed)
        drawn = keras.ops.convert_to_numpy(mixer.draw_class(number, count))
        programs = [_programs(x, predict, decision, settings.hop) for x in drawn]
        return np.array([np.mean(np.concatenate(programs) == k) for k in range(len(CLASSES))])

    few = max(1, scenes // 2)
    by_snr = np.array(
        [
            [
                shares(NOISY, few, noisy_snr_db=(snr, snr), level_db_spl=(level, level))
                for level in LEVELS_DB_SPL
            ]
            for snr in SNRS_DB
        ]
    )
    by_level = np.full((len(LEVELS_DB_SPL), len(CLASSES), len(CLASSES)), np.nan)
    for row, level in enumerate(LEVELS_DB_SPL):
        for number in range(1, len(CLASSES)):
            by_level[row, number] = shares(number, scenes, level_db_spl=(level, level))
    mixer.settings = settings
    mean = by_snr.mean(axis=1)
    boundary_db, width_db = fit_boundary(np.array(SNRS_DB), mean[:, SPEECH], mean[:, NOISY])
    return Conditions(
        np.array(SNRS_DB), by_snr, boundary_db, width_db, np.array(LEVELS_DB_SPL), by_level
    )


def _programs(
    x: np.ndarray,
    predict: Callable[[np.ndarray], np.ndarray],
    decision: DecisionSettings,
    hop: int,
) -> np.ndarray:
    """Programs (hops,) of a scene (samples,) from 2 s on."""
    hop_s = hop / RATE_HZ
    levels = np.array([level_dbfs(each) for each in x.reshape(-1, hop)])
    predictions = HopPredictions(np.zeros(len(levels), int), predict(x), levels, hop_s)
    return decide_programs(decision, CLASSES, predictions)[round(SETTLE_S / hop_s) :]


def fit_boundary(snrs_db: np.ndarray, speech: np.ndarray, noisy: np.ndarray) -> tuple[float, float]:
    """Point of equal choice and width [dB] of a psychometric curve.

    speech / (speech + noisy) = 1 / (1 + exp(-(snr - boundary) / width)), by least squares, each
    ratio weighted by the share of the time with either program.

    Args:
        snrs_db: (ratios,).
        speech: share of the time with the program speech, (ratios,).
        noisy: with the program speech in noise, (ratios,).

    Returns:
        Boundary and width; NaN where neither program was ever chosen.
    """
    either = speech + noisy
    used = either > 0
    if used.sum() < 2:
        return float("nan"), float("nan")

    def curve(snr: np.ndarray, boundary: float, width: float) -> np.ndarray:
        return 1 / (1 + np.exp(-np.clip((snr - boundary) / width, -50, 50)))

    share = speech[used] / either[used]
    constants, _ = curve_fit(
        curve,
        snrs_db[used],
        share,
        p0=(BOUNDARY_SNR_DB, 3.0),
        sigma=1 / np.sqrt(either[used]),
        bounds=([-60.0, 0.1], [60.0, 60.0]),
    )
    return float(constants[0]), float(constants[1])


def boundary_metrics(conditions: Conditions) -> dict[str, Any]:
    """Entries of a manifest: the measured boundary beside the stated one."""
    return {
        "boundary of speech and speech in noise [dB SNR]": {
            "value": conditions.boundary_db,
            "baseline": BOUNDARY_SNR_DB,
            "baseline_name": f"stated, within {MAX_BOUNDARY_ERROR_DB:g} dB",
        }
    }


def snr_table(conditions: Conditions) -> Table:
    """Share of the time in each program over the signal-to-noise ratio of speech."""
    rows = [
        (f"{snr:g}", *shares)
        for snr, shares in zip(
            conditions.snrs_db, conditions.by_snr.mean(axis=1).tolist(), strict=True
        )
    ]
    names = [Column(name.replace("_", " "), number=".0%") for name in CLASSES]
    return Table(
        ("SNR [dB]", *names),
        rows,
        "Programs while someone speaks in noise, children or vehicles, over all levels. "
        "Speech and speech in noise "
        f"are chosen alike at {conditions.boundary_db:.1f} dB; stated are {BOUNDARY_SNR_DB:g} dB.",
    )


def snr_panels(conditions: Conditions) -> dict[str, np.ndarray]:
    """Title -> share of the time in a program, (levels, ratios), for three programs."""
    shares = np.moveaxis(conditions.by_snr, 0, 1)
    speech, noisy = shares[..., SPEECH], shares[..., NOISY]
    return {
        "program: speech": speech,
        "program: speech in noise": noisy,
        "another program, or none": 1 - speech - noisy,
    }


def level_table(conditions: Conditions) -> Table:
    """Share of the time of each class in its program over the level."""
    rows = [
        (name.replace("_", " "), *conditions.by_level[:, number, number].tolist())
        for number, name in enumerate(CLASSES)
        if np.isfinite(conditions.by_level[:, number]).all()
    ]
    names = [Column(f"{level:g} dB SPL", number=".0%") for level in conditions.levels_db_spl]
    return Table(("class", *names), rows, "Share of the time in the right program, by level.")


def confusion_table(
    pairs: Sequence[tuple[np.ndarray, np.ndarray]], classes: Sequence[str], kind: str
) -> Table:
    """Programs of each class, delays included.

    Args:
        pairs: (truth, programs) of each sequence, (hops,) each.
        classes: names.
        kind: of sequences.
    """
    truth, programs = (np.concatenate(each) for each in zip(*pairs, strict=True))
    rows = []
    for number, name in enumerate(classes):
        of_class = programs[truth == number]
        if of_class.size:
            shares = [float(np.mean(of_class == k)) for k in (*range(len(classes)), NO_PROGRAM)]
            rows.append((name.replace("_", " "), *shares))
    names = [name.replace("_", " ") for name in (*classes, "none")]
    columns = [Column(name, number=".0%") for name in names]
    return Table(
        ("scene", *columns), rows, f"Share of the time of each scene in each program, {kind}."
    )
