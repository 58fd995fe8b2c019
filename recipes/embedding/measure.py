"""What an embedding is worth on sound that it never heard: ESC-50's fold 4."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recipes.embedding.students import CLIP
from zoo.baselines.linear import band_statistics
from zoo.data.bank import read_sound
from zoo.spectrogram import Spectrogram
from zoo.teaching.episodes import Episodes, few_shot_accuracy, stranger_scores

PENALTY = 1e-3  # of the linear head; chosen on ESC-10's folds 1 to 3
HELD_OUT_FOLD = 4


@dataclass(frozen=True)
class Measured:
    """Clips to measure on.

    Attributes:
        clips: (clips, samples) of ESC-50's fold 4.
        labels: (clips,) category.
        groups: (clips,) recording.
        is_member: (clips,) whether the category is one of ESC-10.
        known: (clips, samples) of ESC-10's folds 1 to 3, which members are compared with.
    """

    clips: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    is_member: np.ndarray
    known: np.ndarray

    @classmethod
    def read(cls, fold4: Path, esc10: Path) -> "Measured":
        """Read ESC-50's fold 4 and ESC-10.

        Args:
            fold4: folder of ESC-50 with fold 4.
            esc10: folder of ESC-10.

        Raises:
            OSError: no such corpus.
        """
        held_out = pd.read_csv(fold4 / "meta" / "esc50.csv").query(f"fold == {HELD_OUT_FOLD}")
        known = pd.read_csv(esc10 / "meta" / "esc50.csv").query(f"fold != {HELD_OUT_FOLD}")
        return cls(
            _clips(fold4, held_out["filename"]),
            held_out["category"].to_numpy(str),
            held_out["src_file"].to_numpy(str),
            held_out["esc10"].astype(str).eq("True").to_numpy(),
            _clips(esc10, known["filename"]),
        )


def _clips(folder: Path, names: Any) -> np.ndarray:
    return np.stack([np.resize(read_sound(folder / "audio" / name), CLIP) for name in names])


def measure(measured: Measured, embed: Callable[[np.ndarray], np.ndarray]) -> dict[str, float]:
    """Few-shot accuracy on the classes that are not in ESC-10, and strangers told from members.

    Args:
        measured: clips.
        embed: (clips, samples) -> embeddings (clips, width).
    """
    own, known = embed(measured.clips), embed(measured.known)
    other = ~measured.is_member
    results = {}
    for shots in (5, 1):
        accuracy = few_shot_accuracy(
            own[other],
            measured.labels[other],
            measured.groups[other],
            Episodes(shots=shots),
            penalty=PENALTY,
        )
        name = f"5-way {shots}-shot accuracy"
        results[name] = accuracy.value
    scores = stranger_scores(known, own[measured.is_member], own[other])
    results["strangers against members, AUROC"] = scores.auroc
    results["strangers that pass where 95 % of members do"] = scores.passed
    return results


def band_embedding(spectrogram: Spectrogram) -> Callable[[np.ndarray], np.ndarray]:
    """Baseline: mean and deviation of every band, centred over the clips."""

    def embed(clips: np.ndarray) -> np.ndarray:
        parts = [
            np.asarray(spectrogram(clips[k : k + 16]))[..., 0] for k in range(0, len(clips), 16)
        ]
        statistics = band_statistics(np.concatenate(parts))
        return statistics - statistics.mean(axis=0)

    return embed


def manifest_metrics(
    results: Mapping[str, float], baseline: Mapping[str, float], name: str
) -> dict[str, dict[str, Any]]:
    """Metrics beside those of a baseline."""
    return {
        key: {"value": value, "baseline": baseline.get(key), "baseline_name": name}
        for key, value in results.items()
    }
