"""Settings of training: duration, learning rate, regularization, augmentation."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class AugmentationSettings:
    """Augmentation of training batches of spectrograms.

    It is applied in the order of `time_shift`, `same_class`, `equaliser_db`, `freq_mixstyle`,
    `masks` and `mixup`.

    Attributes:
        time_shift: whether `zoo.augment.TimeShift` starts clips anywhere.
        same_class: share of clips that `zoo.augment.SameClass` mixes with another of their class, 0
            to 1; 0: none.
        equaliser_db: largest change of level and spectral slope by `zoo.augment.Equaliser` [dB]; 0:
            none.
        masks: whether `zoo.augment.SpecAugment` masks stretches of time and frequency.
        mixup: alpha of `zoo.augment.Mixup`; 0: none.
        freq_mixstyle: share of clips that `zoo.augment.FreqMixStyle` gives the band statistics of
            another, as of another microphone, 0 to 1; 0: none.
    """

    time_shift: bool = True
    same_class: float = 0.0
    equaliser_db: float = 6.0
    masks: bool = True
    mixup: float = 0.0
    freq_mixstyle: float = 0.0


@dataclass(frozen=True)
class TrainingSettings:
    """Training of the network of each fold.

    Attributes:
        epochs: number of epochs.
        steps_per_epoch: batches of 32 clips in an epoch.
        learning_rate: at its peak.
        weight_decay: see `zoo.training.Budget`.
        label_smoothing: share of a label that is spread over all classes (Szegedy et al. 2016).
        augmentation: of the training batches.
        seed: of weights, order and augmentation.
        checkpoints: folder that an interrupted run is resumed from, a file a fold; None: none.
        logs: folder for TensorBoard; None: none.
    """

    epochs: int
    steps_per_epoch: int
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    augmentation: AugmentationSettings = AugmentationSettings()
    seed: int = 0
    checkpoints: Path | None = None
    logs: Path | None = None
