"""Data augmentation of sound: waveforms and spectrograms, as layers or as maps over batches.

    model = keras.Sequential([Spectrogram(front_end), SpecAugment(seed=1), network])

    augment = chain(Gain(), TimeShift(), Mixup(classes=10))
    batches = clips.dataset(32, seed=0, augment=augment)

Layers act in training only. As maps, every random number follows from the seed passed in, so that a
batch depends on its step alone and training can be resumed. `Mixup`, `BetweenClass` and `SameClass`
mix clips and are maps only.
"""

import zoo.tensorflow_only  # noqa: F401  says so in one line on another backend
from zoo.augment.base import Augmentation, chain
from zoo.augment.mixing import BetweenClass, Mixup, SameClass
from zoo.augment.spectrogram import Equaliser, FreqMixStyle, SpecAugment
from zoo.augment.waveform import AddNoise, Gain, Room, TimeShift

__all__ = [
    "AddNoise",
    "Augmentation",
    "BetweenClass",
    "Equaliser",
    "FreqMixStyle",
    "Gain",
    "Mixup",
    "Room",
    "SameClass",
    "SpecAugment",
    "TimeShift",
    "chain",
]
