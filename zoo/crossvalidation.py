"""Train a classifier of sound on folds of clips, and collect what it says of the clips held out.

The front end is fixed, so it runs once over all clips; what is trained is the part behind it. The
whole model, waveform to probabilities, learns with it.
"""

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.progress import say

if TYPE_CHECKING:
    import keras

    from zoo.data.clips import Augment, Clips
    from zoo.data.folds import Fold
    from zoo.export.precision import Precise
    from zoo.spectrogram import Standardize
    from zoo.training import History

BATCH_SIZE = 32
VALIDATION_FOLDS = 12  # a twelfth of the training groups is held back where something is to be
WATCHED = 500  # clips of the test part whose loss is drawn beside that of training


@dataclass(frozen=True)
class Plan:
    """How every fold is trained.

    Attributes:
        epochs: of `steps` batches of 32 clips.
        steps: batches an epoch.
        learning_rate: at its peak.
        weight_decay: see `zoo.training.Budget`.
        label_smoothing: share of a label that is spread over all classes (Szegedy et al. 2016).
        mixup: alpha of `zoo.augment.Mixup`; 0: none.
        company: share of the clips beside which another of their class sounds, if the batch holds
            one; 0: none.
        shifts: whether `zoo.augment.TimeShift` starts clips anywhere.
        masks: whether `zoo.augment.SpecAugment` hides stretches of time and frequency.
        equaliser: largest change of level and colour by `zoo.augment.Equaliser` [dB]; 0: none.
        seed: of weights, order and augmentation.
        checkpoints: folder that an interrupted run is continued from, a file a fold.
        logs: folder for TensorBoard.
    """

    epochs: int
    steps: int
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    mixup: float = 0.0
    company: float = 0.0
    shifts: bool = True
    masks: bool = True
    equaliser: float = 6.0
    seed: int = 0
    checkpoints: Path | None = None
    logs: Path | None = None


@dataclass(frozen=True)
class Told:
    """What a trained model said of clips.

    labels: (clips,) true classes. probabilities: (clips, classes). rows: (clips,) of the index.
    """

    labels: np.ndarray
    probabilities: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class FoldResult:
    """One fold: what the network and the baseline said of its test part, and how training went.

    validation: what temperature and threshold of this fold are chosen by, no clip of its test part;
    None: not known. files: what `audit` of `cross_validate` found.
    """

    name: str
    test: Told
    baseline: Told
    validation: Told | None
    history: "History"
    files: "dict[str, Precise]" = field(default_factory=dict)


def cross_validate(
    build: "Callable[[], keras.Model]",
    features: "Clips",
    folds: "list[Fold]",
    plan: Plan,
    audit: "Callable[[keras.Model, np.ndarray, np.ndarray], dict[str, Precise]] | None" = None,
) -> list[FoldResult]:
    """Train anew on each fold, test on what it held out.

    The `validation` of a fold is what the other folds' networks said of their own test parts: no
    clip is lost to it. A single fold holds back a twelfth of its groups instead.

    Args:
        build: makes the whole model.
        features: what its front makes of every clip, by `Clips.through`; `at_speeds`, perhaps.
        folds: which clips to train and to test on.
        plan: how.
        audit: of each trained model, with the clips it learnt from and those it is tested on, what
            its files answer.
    """
    if len(folds) == 1:
        return [on_fold(build, features, folds[0], plan, audit, hold_back=True)]
    results = [on_fold(build, features, fold, plan, audit) for fold in folds]
    return [
        replace(result, validation=pooled([other.test for other in results if other is not result]))
        for result in results
    ]


def on_fold(
    build: "Callable[[], keras.Model]",
    features: "Clips",
    fold: "Fold",
    plan: Plan,
    audit: "Callable[[keras.Model, np.ndarray, np.ndarray], dict[str, Precise]] | None" = None,
    *,
    hold_back: bool = False,
) -> FoldResult:
    """Train on one fold and ask about its test part; with `hold_back` it brings a validation."""
    train, test = np.flatnonzero(fold.train), np.flatnonzero(fold.test)
    if not len(test):
        raise ValueError(f"{fold.name} holds no clip to test on. Give another corpus or --folds.")
    validation = None
    if hold_back:
        train, validation = parted(features, train, plan.seed)
    say(f"{fold.name}: {len(train)} clips to learn from, {len(test)} to test on")
    model = build()
    watched = test[:: -(-len(test) // WATCHED)]
    network, history = train_network(model, features, train, watched, plan, fold.name)
    return FoldResult(
        fold.name,
        test=ask(network, features, test),
        baseline=spectral_baseline(features, np.flatnonzero(fold.train), test),
        validation=ask(network, features, validation) if hold_back else None,
        history=history,
        files=audit(model, train, test) if audit else {},
    )


def parted(features: "Clips", rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to learn from and rows to choose by, no group on both sides.

    Raises:
        ValueError: a single group, which cannot be parted.
    """
    from zoo.data.folds import grouped, groups_of

    index = features.index.iloc[rows]
    groups = len(np.unique(groups_of(index)))
    if groups < 2:
        raise ValueError(
            "A training part needs two groups (recordings, places, speakers) or more, one of them "
            f"to choose the threshold by. Received: {groups}."
        )
    held = grouped(index, count=min(VALIDATION_FOLDS, groups), seed=seed) == 0
    return rows[~held], rows[held]


def train_network(
    model: "keras.Model",
    features: "Clips",
    train: np.ndarray,
    watched: np.ndarray | None,
    plan: Plan,
    name: str,
) -> "tuple[keras.Model, History]":
    """Train `model` behind its front; return that part, which shares its weights.

    The loss of the rows `watched` is drawn beside that of training, and chooses nothing.
    """
    import keras
    import tensorflow as tf

    from zoo import training
    from zoo.convnets import split_model, standardize_of
    from zoo.data.speed import every_speed

    classes = len(features.classes)
    standardize = standardize_of(model)
    standardize.adapt(features[train].all_batches(BATCH_SIZE))
    front, network = split_model(model)

    def named(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        return x, {"probabilities": tf.one_hot(y, classes) if y.dtype.is_integer else y}

    changes = _changes(plan, network.input.shape, classes, _typical(standardize))
    heard = features[every_speed(features.index, train)]
    size = min(BATCH_SIZE, len(heard))

    def batches(step: int) -> tf.data.Dataset:
        made = heard.dataset(size, seed=plan.seed, start_step=step, augment=changes)
        return made.map(named)

    stem = f"{name.replace(' ', '-')}-{_told_apart(plan, heard, fixed(front))}"
    history = training.fit(
        network,
        batches,
        None if watched is None else features[watched].all_batches(BATCH_SIZE).map(named),
        training.Budget(
            epochs=plan.epochs,
            steps_per_epoch=plan.steps,
            learning_rate=plan.learning_rate,
            weight_decay=plan.weight_decay,
        ),
        losses={
            "probabilities": keras.losses.CategoricalCrossentropy(
                label_smoothing=plan.label_smoothing
            )
        },
        seed=plan.seed,
        keep="last",  # clips to choose weights by would be too few, and missing in training
        checkpoint=plan.checkpoints and plan.checkpoints / f"{stem}.npz",
        callbacks=_tensorboard(plan.logs and plan.logs / stem),
        stream=sys.stderr,
    )
    return network, history


def fixed(front: "keras.Model") -> str:
    """A few letters that stand for all settings of a front end."""
    return _letters([layer.get_config() for layer in front.layers])


def _told_apart(plan: Plan, heard: "Clips", front: str) -> str:
    """Of what is learnt from and how, so that no checkpoint of another experiment is taken up."""
    settings = asdict(replace(plan, checkpoints=None, logs=None))
    return _letters((settings, heard.rows.tolist(), front))


def _letters(settings: Any) -> str:
    import hashlib

    return hashlib.sha256(repr(settings).encode()).hexdigest()[:8]


def _typical(standardize: "Standardize") -> Any:
    """Per-band mean of the training data, the fill value of SpecAugment masks."""
    return standardize.mean.numpy()[:, 0] if standardize.per_band else "mean"


def _changes(plan: Plan, shape: tuple, classes: int, typical: Any = "mean") -> "Augment | None":
    """What `plan` does to batches of spectrograms (batch, time, bands, 1) in decibels."""
    from zoo import augment

    frames, bands = shape[1:3]
    steps = []
    if plan.shifts:
        steps.append(augment.TimeShift())
    if plan.company:
        steps.append(augment.SameClass(plan.company))
    if plan.equaliser:
        steps.append(augment.Equaliser(plan.equaliser, plan.equaliser))
    if plan.masks:
        steps.append(
            augment.SpecAugment(
                time_width=max(1, frames // 8), band_width=max(1, bands // 8), fill=typical
            )
        )
    if plan.mixup:
        steps.append(augment.Mixup(classes, plan.mixup))
    return augment.chain(*steps) if steps else None


def _tensorboard(folder: Path | None) -> list:
    import importlib.util

    import keras

    if folder is None:
        return []
    if importlib.util.find_spec("tensorboard") is None:
        raise ValueError(
            "--tensorboard needs the package tensorboard. Install it, or leave it out."
        )
    return [keras.callbacks.TensorBoard(str(folder), write_graph=False)]


def ask(network: "keras.Model", features: "Clips", rows: np.ndarray) -> Told:
    """Probabilities of some clips."""
    parts = [
        network(x, training=False)["probabilities"].numpy()
        for x, _ in features[rows].all_batches(BATCH_SIZE)
    ]
    return Told(features.labels[rows], np.concatenate(parts).astype(np.float64), rows)


def spectral_baseline(
    features: "Clips", train: np.ndarray, test: np.ndarray, ridge: float = 0.1
) -> Told:
    """Linear regression of the class on each band's mean and deviation over time.

    Standardised, with `ridge` times the number of clips on the diagonal; the largest answer wins.
    """
    classes = len(features.classes)

    def statistics(rows: np.ndarray) -> np.ndarray:
        x = np.stack([features.source[row] for row in features.rows[rows]])[..., 0]
        return np.concatenate([x.mean(axis=1), x.std(axis=1)], axis=1).astype(np.float64)

    x = statistics(train)
    middle, size = x.mean(axis=0), x.std(axis=0) + 1e-9
    x = (x - middle) / size
    targets = np.eye(classes)[features.labels[train]]
    share = targets.mean(axis=0)
    penalty = ridge * len(x) * np.eye(x.shape[1])
    weights = np.linalg.solve(x.T @ x + penalty, x.T @ (targets - share))
    answers = (statistics(test) - middle) / size @ weights + share
    # it answers with a class, not with how sure it is
    told = np.eye(classes)[answers.argmax(axis=1)]
    return Told(features.labels[test], told, test)


def pooled(parts: list[Told]) -> Told:
    """What was said of all test parts, as one."""
    return Told(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("labels", "probabilities", "rows")
        )
    )
