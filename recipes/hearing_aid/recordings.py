"""Recordings of corpora as clips of the classes, split by group into training and test parts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from recipes.hearing_aid.classes import CLASSES, LABELS, LEVEL_KIND, SNR_DB
from recipes.hearing_aid.synthetic import ClipPool
from zoo.data import corpora, pipeline
from zoo.data.folds import make_folds, official_folds
from zoo.data.synthesis import KINDS, at_snr
from zoo.data.synthesis.scenes import FULL_SCALE_DB_SPL
from zoo.data.synthesis.seeds import stream
from zoo.progress import say

PARTS = ("train", "validation", "test")
MAX_PEAK = 0.99  # of a scaled clip


def empty_pools(classes: Sequence[str]) -> dict[str, ClipPool]:
    """A pool without clips for each part."""
    return {part: [[] for _ in classes] for part in PARTS}


def read_recordings(
    folder: Path,
    pools: dict[str, ClipPool],
    sample_rate_hz: int,
    seed: int,
    classes: Sequence[str] = CLASSES,
    labels: Mapping[str, str] = LABELS,
) -> str:
    """Add the recordings of a corpus to the pools, split by its folds or groups.

    The last fold is the test part, the one before it the validation part. Recordings of `CLASSES`
    are set to a level drawn from the range of their class, others keep theirs.

    Args:
        folder: of the corpus, see `zoo.data.corpora`.
        pools: part -> clips by class, extended in place.
        sample_rate_hz: [Hz].
        seed: of folds by group and of levels.
        classes: in the order of the pools.
        labels: label in the corpus -> class.

    Returns:
        A line about the recordings, their licence included where origin.txt names it.

    Raises:
        ValueError: a corpus that cannot be used.
    """
    index = corpora.read(folder).index
    index = index.loc[index["label"].astype(str).isin(list(labels))].reset_index(drop=True)
    if index.empty:
        raise ValueError(f"{folder} has no recording of a known label: {', '.join(labels)}.")
    clips = pipeline.load(index, sample_rate_hz=sample_rate_hz)
    # three parts need three folds: of fewer official ones, no training part would be left
    is_official = len(official_folds(clips.index)) > 2
    by = clips.index if is_official else clips.index.assign(fold=None)
    *_, validation, test = make_folds(by, count=4, seed=seed)
    parts = np.where(test.test, "test", np.where(validation.test, "validation", "train"))
    for row, part in enumerate(parts):
        name = labels[str(clips.classes[clips.labels[row]])]
        clip = np.array(clips.source[int(clips.rows[row])], np.float32)
        if classes == CLASSES:
            low, high = KINDS[LEVEL_KIND.get(name, name)].level_db_spl
            level_db_spl = stream(seed, "level", row).uniform(low, high)
            clip = _set_level(clip, level_db_spl - FULL_SCALE_DB_SPL)
        pools[part][classes.index(name)].append(clip)
    tests = int(np.sum(parts == "test"))
    line = f"{folder.resolve().name}: {len(parts)} recordings, {tests} of them for the test alone"
    say(line)
    origin = folder / "origin.txt"  # source and licence of the recordings
    return f"{line} ({origin.read_text().strip()})" if origin.is_file() else line


def _set_level(clip: np.ndarray, level_dbfs: float) -> np.ndarray:
    """Scale to this RMS level [dBFS], or to a lower one where peaks would be clipped."""
    gain = 10 ** (level_dbfs / 20) / max(float(np.sqrt(np.mean(np.square(clip)))), 1e-9)
    return (min(gain, MAX_PEAK / max(float(np.abs(clip).max()), 1e-9)) * clip).astype(np.float32)


def add_speech_in_noise(
    pool: ClipPool, synthetic_speech: Sequence[np.ndarray], rng: np.random.Generator
) -> None:
    """Mix speech into each recorded noise: recorded speech where there is some, else synthetic.

    Args:
        pool: of recordings, extended in place.
        synthetic_speech: clips (samples,).
        rng: random stream of the choice of speech and of the signal-to-noise ratio.
    """
    speech = pool[CLASSES.index("speech")] or synthetic_speech
    for noise in pool[CLASSES.index("noise")]:
        talk = speech[int(rng.integers(len(speech)))]
        samples = min(len(talk), len(noise))
        talk, background = talk[:samples], noise[:samples]
        mixed = talk + at_snr(talk, background, rng.uniform(*SNR_DB))
        gain = MAX_PEAK / max(MAX_PEAK, float(np.abs(mixed).max()))
        pool[CLASSES.index("speech_in_noise")].append((gain * mixed).astype(np.float32))
