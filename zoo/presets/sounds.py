"""Presets of convolutional networks: classifiers of sound and of pictures. TensorFlow only."""

from functools import partial
from typing import Literal

import keras

import zoo.tensorflow_only  # noqa: F401  says so in one line on another backend
from zoo.convnets import NETWORKS, image_model, peak_model, sound_model, tone_model
from zoo.convnets.model import Task
from zoo.names import current_name
from zoo.presets.registry import Kind, entry, register
from zoo.spectrogram import (
    FrontEnd,
    Prominence,
    ReferenceLevel,
    Spectrogram,
    Standardize,
    Trim,
)

_ALEXNET = "Krizhevsky, Sutskever and Hinton 2012"
_RESIDUAL = "He et al. 2016; Howard et al. 2017"
_NETWORKS: dict[str, tuple[Kind, str, str]] = {
    "alexnet": ("picture", "AlexNet, five convolutions and three poolings", _ALEXNET),
    "alexnet_groups": ("picture", "AlexNet with the two groups of the original", _ALEXNET),
    "alexnet_spectrogram": (
        "sound",
        "AlexNet on spectrograms, with batch normalization",
        f"{_ALEXNET}; Ioffe and Szegedy 2015",
    ),
    "alexnet_gap": (
        "sound",
        "narrow AlexNet on spectrograms with global average pooling",
        f"{_ALEXNET}; Lin, Chen and Yan 2014",
    ),
    "residual_tiny": (
        "sound",
        "seven strided convolutions with shortcuts, partly separable",
        _RESIDUAL,
    ),
    "residual_bands": (
        "sound",
        "first five convolutions of residual_tiny, statistics over time in four bands",
        _RESIDUAL,
    ),
    "residual_tiny_causal": (
        "sound",
        "seven strided causal convolutions with shortcuts, partly separable",
        _RESIDUAL,
    ),
    "residual_embedding": (
        "sound",
        "eleven causal convolutions with shortcuts, most separable; the network of sound-embedding",
        _RESIDUAL,
    ),
    "crnn_hop_wide": (
        "sound",
        "crnn_hop with wider convolutions and an LSTM of 48 units",
        "Howard et al. 2017; Cakir et al. 2017",
    ),
    "crnn_hop": (
        "sound",
        "four causal convolutions and an LSTM, a prediction every hop",
        "Howard et al. 2017; Cakir et al. 2017",
    ),
}


def sound(
    name: str,
    classes: int,
    *,
    sample_rate_hz: float = 32_000,
    duration_s: float | None = 5.0,
    front_end: FrontEnd | None = None,
    task: Task = "multiclass",
) -> keras.Model:
    """Classifier of sound: `waveform` (batch, samples) in, `probabilities` (batch, classes) out.

    A recurrent one predicts at every frame, `probabilities` (batch, time, classes). Its front
    end is `reference_level`, for networks of whole clips, which do not depend on the gain of the
    recording; `spectrogram`; `trim`, for networks of whole clips in decibels; and `standardize`,
    whose mean and variance come from training data by `adapt`. Everything behind it is trained.

    Args:
        name: one of `SOUNDS`.
        classes: number of classes; of values, for regression.
        sample_rate_hz: of the waveform [Hz]; not used with `front_end`.
        duration_s: of a clip [s]; None: any, for a network without dense layers.
        front_end: instead of 64 mel bands, windows of 32 ms every 20 ms.
        task: as in `zoo.convnets.image_model`.

    Raises:
        ValueError: an unknown name, or settings that do not fit the network.
    """
    name = current_name(name)
    entry(name, "sound")
    config = NETWORKS[name]
    settings = front_end or FrontEnd(
        sample_rate_hz=sample_rate_hz,
        window_s=0.032,
        hop_s=0.020,
        mels=64,
        padding="causal" if config.causal else "centred",
    )
    front: list[keras.layers.Layer] = [Spectrogram(settings, name="spectrogram")]
    if not (config.causal or config.recurrent):  # streaming networks need the level
        front.insert(0, ReferenceLevel(settings.sample_rate_hz, name="reference_level"))
        if settings.level == "decibel":
            front.append(Trim(name="trim"))
    return sound_model(
        config,
        [*front, Standardize(name="standardize")],
        classes,
        samples=None if duration_s is None else round(duration_s * settings.sample_rate_hz),
        task=task,
        name=name,
    )


def picture(name: str, classes: int, *, shape: tuple[int, int, int] = (227, 227, 3)) -> keras.Model:
    """Classifier of pictures: `image` (batch, rows, columns, channels) in, `probabilities` out.

    Args:
        name: one of `PICTURES`.
        classes: number of classes.
        shape: of a picture, (rows, columns, channels).

    Raises:
        ValueError: an unknown name, or a picture too small for the network.
    """
    entry(name, "picture")
    return image_model(NETWORKS[name], shape, classes, name=name)


for _name, (_kind, _description, _source) in _NETWORKS.items():
    register(_name, _kind, description=_description, source=_source)(
        partial(sound if _kind == "sound" else picture, _name)
    )


@register(
    "wheeze",
    "tones",
    description="height of tones above the smoothed spectrum, which a tenth of a breath exceeds",
    source="this package",
)
def wheeze(*, duration_s: float = 4.0, detector: Literal["peak", "lines"] = "peak") -> keras.Model:
    """Classifier of breaths with and without a wheeze, `waveform` (batch, samples) at 4 kHz.

    Output: `probabilities` (batch, 2) of normal and wheeze. The front end is fixed: 60 to 1060 Hz
    through windows of 64 ms, the height above the spectrum smoothed over 250 Hz, less its mean over
    time.

    Args:
        duration_s: of a breath [s]; cut longer ones, repeat shorter ones.
        detector: "peak": the height of the highest peaks, nothing to train (`peak_model`); "lines":
            a network of a few weights over the maximum of each two frames and two bins
            (`tone_model`).

    Raises:
        ValueError: an unknown detector.
    """
    if detector not in ("peak", "lines"):
        raise ValueError(f"`detector` must be 'peak' or 'lines'. Received: {detector!r}.")
    settings = FrontEnd(
        sample_rate_hz=4000,
        window_s=0.064,
        hop_s=0.040,
        n_fft=512,
        scale="linear",
        fmin_hz=60,
        fmax_hz=1060,
    )
    front = [
        Spectrogram(settings, name="spectrogram"),
        # as the baseline of `recipes.wheeze`, or as the network was trained
        Prominence(16, "nearest" if detector == "peak" else "existing", name="prominence"),
    ]
    samples = round(duration_s * settings.sample_rate_hz)
    if detector == "lines":
        front.append(keras.layers.MaxPooling2D(2, name="peaks"))
    front.append(Standardize(per_band=False, name="standardize"))
    build = peak_model if detector == "peak" else tone_model
    return build(front, samples=samples, name="wheeze")
