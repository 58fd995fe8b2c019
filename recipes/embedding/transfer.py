"""Linear heads on a corpus with folds: the embedding beside its teacher and band statistics."""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np

from recipes.embedding.measure import PENALTY
from zoo import models
from zoo.baselines.linear import band_statistics, ridge_classifier
from zoo.convnets import front_end_of, spectrogram_of
from zoo.data import corpora
from zoo.data.clips import Clips
from zoo.data.folds import Fold, group_keys, make_folds
from zoo.data.recordings import load_clips, title_of
from zoo.files import write_text
from zoo.metrics.bootstrap import Interval, bootstrap_interval
from zoo.progress import say
from zoo.teachers import load_yamnet
from zoo.teaching.heads import fit_head
from zoo.teaching.model import embed

Classify = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def linear_head(x: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Class index of each embedding asked for, by a head fitted to others."""
    return fit_head(x, labels, "linear", PENALTY).scores(asked).argmax(axis=1)


def ridge(x: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Class index of statistics asked for, by a ridge regression fitted to others."""
    return ridge_classifier(x, labels, int(labels.max()) + 1)(asked).argmax(axis=1)


def statistics_of(clips: np.ndarray, model: keras.Model) -> np.ndarray:
    """Mean and deviation of each band of the model's spectrogram, (clips, 2 bands)."""
    spectrogram = spectrogram_of(model)
    parts = [np.asarray(spectrogram(clips[k : k + 16]))[..., 0] for k in range(0, len(clips), 16)]
    return band_statistics(np.concatenate(parts))


def evaluate(
    x: np.ndarray, clips: Clips, folds: Sequence[Fold], classify: Classify
) -> tuple[list[float], Interval]:
    """Accuracy of each fold, and over all with its interval over recordings.

    Args:
        x: (clips, width) embeddings or statistics.
        clips: labels and recordings.
        folds: which clips to learn from and to ask for.
        classify: (learnt, labels, asked) -> class index of those asked for.
    """
    rows = np.concatenate([np.flatnonzero(fold.test) for fold in folds])
    correct = []
    for fold in folds:
        predicted = classify(x[fold.train], clips.labels[fold.train], x[fold.test])
        correct.append(predicted == clips.labels[fold.test])
    hits = np.concatenate(correct)
    interval = bootstrap_interval(
        lambda draw: float(hits[draw].mean()), group_keys(clips.index)[rows]
    )
    return [float(each.mean()) for each in correct], interval


def run(data: Path, teacher: Path | None, out: Path, base: str, command: str) -> None:
    """Measure and write a table.

    Args:
        data: corpus, by whose own folds it is measured.
        teacher: TFLite file; None: left out.
        out: Markdown file of the table.
        base: name or folder of the embedding.
        command: that repeats it.

    Raises:
        ValueError: no corpus, or a base without an embedding.
        OSError: no teacher there.
    """
    loaded = models.load(base).keras
    front_end = front_end_of(loaded)
    samples = loaded.input.shape[1]
    corpus = corpora.read(data)
    clips = load_clips(corpus.index, sample_rate_hz=round(front_end.sample_rate_hz))
    folds = make_folds(clips.index, count=5)
    waveforms = clips.to_array(duration_s=samples / front_end.sample_rate_hz)
    systems: dict[str, tuple[np.ndarray, Classify]] = {
        "mean and deviation of 64 bands, ridge regression": (
            statistics_of(waveforms, loaded),
            ridge,
        )
    }
    if teacher is not None:
        say("teacher")
        network = load_yamnet(teacher, samples)
        systems["teacher, linear head"] = (embed(network, waveforms, batch=8), linear_head)
    say(base)
    systems[f"{Path(base).name}, linear head"] = (embed(loaded, waveforms), linear_head)
    names = [fold.name for fold in folds]
    lines = [
        f"Accuracy on {title_of(corpus)}, {len(clips)} clips, each fold tested by what was learnt "
        "on the others; in brackets the 95 % interval over whole recordings.",
        "",
        f"| | {' | '.join(names)} | all |",
        f"|---|{'---:|' * (len(names) + 1)}",
    ]
    for name, (x, classify) in systems.items():
        by_fold, overall = evaluate(x, clips, folds, classify)
        cells = [f"{value:.3f}" for value in by_fold]
        bounds = f"{overall.value:.3f} ({overall.low:.3f} to {overall.high:.3f})"
        lines.append(f"| {name} | {' | '.join(cells)} | {bounds} |")
    lines += [
        "",
        f"The penalty of the linear heads, {PENALTY:g}, was chosen on ESC-10's folds 1 to 3. The "
        "shipped embedding was distilled on sound of UrbanSound8K's folds 1 and 2 without their "
        "labels, so it is no embedding of sound that it never heard; the teacher may have heard it "
        "as well.",
        "",
        f"Made by `{command}`.",
        "",
    ]
    write_text(out, "\n".join(lines))
    print("\n".join(lines))
