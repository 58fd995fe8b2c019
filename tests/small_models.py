"""A sound model small enough to be trained in a test."""

import keras

from zoo.convnets import ConvNet, sound_model
from zoo.spectrogram import FrontEnd, Spectrogram, Standardize, Trim

SMALL = ConvNet(
    filters=(4, 6),
    kernels=((3, 3), (3, 3)),
    strides=((2, 2), (1, 1)),
    paddings=((1, 1), (1, 1)),
    groups=(1, 1),
    pools=((2, 2), (2, 2)),
    separable=(False, False),
    normalisation="batch",
    dense=(),
)


def small_sound_model(name, classes, *, sample_rate_hz, duration_s):
    """Two convolutions behind a front end of 16 mel bands; the signature of `presets.sound`."""
    keras.utils.set_random_seed(0)
    front = FrontEnd(sample_rate_hz=sample_rate_hz, window_s=0.032, hop_s=0.016, mels=16)
    layers = [Spectrogram(front), Trim(), Standardize()]
    samples = round(duration_s * sample_rate_hz)
    return sound_model(SMALL, layers, classes, samples=samples, name=name)
