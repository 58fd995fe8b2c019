"""Models by name: how to build each, what it is, where it comes from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from zoo.baselines.networks import causal_convolution, transformer
from zoo.cells import (
    GRUCell,
    LMSCCell,
    LSTMCell,
    MaxwellCell,
    PronyCell,
    RelaxationCell,
    SimpleRNNCell,
    VisibleCell,
)
from zoo.convnets import NETWORKS, image_model, sound_model, tone_model
from zoo.convnets.model import Task
from zoo.names import current_name
from zoo.recurrent import Increments, Scaling, recurrent_model
from zoo.spectrogram import FrontEnd, Prominence, Spectrogram, Standardize, Trim


@dataclass(frozen=True)
class Preset:
    """A model that is built from its training data, because its scaling is a layer.

    Attributes:
        build: (x, y, weight or None) -> model of `x` (batch, time, 3) with `prediction`
            (batch, time, 1) and all states.
        description: one sentence for a card.
        source: who published it.
        learning_rate: at its peak, in training.
        compiled: whether XLA makes training faster, see `zoo.training.fit`.
    """

    build: Callable[[np.ndarray, np.ndarray, np.ndarray | None], keras.Model]
    description: str
    source: str
    learning_rate: float = 5e-3
    compiled: bool = False


_RECURRENT = {
    "rnn": (SimpleRNNCell, "simple recurrent network", "Elman 1990"),
    "gru": (GRUCell, "gated recurrent unit network", "Cho et al. 2014"),
    "lstm": (
        LSTMCell,
        "long short-term memory network",
        "Hochreiter and Schmidhuber 1997; Gers et al. 2000",
    ),
}
RECURRENT = tuple(_RECURRENT)


def recurrent(cell: str, layers: int = 2, units: int = 32) -> Preset:
    """Sequence-to-sequence stress model of recurrent cells.

    Args:
        cell: one of `RECURRENT`.
        layers: cells on top of each other.
        units: width of every state.
    """
    if cell not in _RECURRENT:
        raise ValueError(f"`cell` must be one of {', '.join(RECURRENT)}. Received: {cell!r}.")
    if layers < 1 or units < 1:
        raise ValueError(
            f"`layers` and `units` must be 1 or more. Received: layers={layers}, units={units}."
        )
    kind, long_name, source = _RECURRENT[cell]

    def build(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> keras.Model:
        front = Increments()
        return recurrent_model(
            [kind(units) for _ in range(layers)],
            front=front,
            scaling=Scaling.of(np.asarray(front(x)), y, weight),
            name=cell,
        )

    return Preset(
        build=build,
        description=f"{layers}-layer {long_name} with {units} units a layer",
        source=source,
    )


_MATERIAL = {
    "maxwell": (
        "Maxwell solid with power-law viscosity, by Strang splitting",
        "Maxwell 1867; Norton 1929; Strang 1968",
    ),
    "relaxation": (
        "Maxwell solid with a learnt rate of relaxation, by Strang splitting",
        "Maxwell 1867; Strang 1968",
    ),
    "lmsc": ("linearised minimal state cell, with rate", "after Bonatti and Mohr 2021, 2022"),
    "prony": (
        "generalised linear Maxwell solid (Prony series)",
        "Maxwell 1867; Taylor, Pister and Goudreau 1970",
    ),
}
MATERIAL = tuple(_MATERIAL)
# A handful of weights takes larger steps; the slopes of a learnt curve lean on each other, and at
# 0.02 their far end has hardly moved after 6000 steps (tried: 0.02, 0.1, 0.3, 0.5, 1).
_RATES = {"maxwell": 2e-2, "relaxation": 1.0, "lmsc": 5e-3, "prony": 2e-2}


def material(cell: str, **settings: Any) -> Preset:
    """Sequence-to-sequence stress model of one cell that obeys mechanics, in physical units.

    Its scales and first guesses are measured on the training data.

    Args:
        cell: one of `MATERIAL`.
        **settings: of the cell, in place of what the data suggest.
    """
    if cell not in _MATERIAL:
        raise ValueError(f"`cell` must be one of {', '.join(MATERIAL)}. Received: {cell!r}.")
    description, source = _MATERIAL[cell]

    def build(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> keras.Model:
        return recurrent_model(
            [_material_cell(cell, x, y, weight, settings)], targets=None, name=cell
        )

    return Preset(build, description, source, learning_rate=_RATES[cell], compiled=True)


def peer(name: str) -> Preset:
    """General sequence network without a state, for comparison.

    Args:
        name: one of `PEERS`.
    """
    if name not in _PEERS:
        raise ValueError(f"`name` must be one of {', '.join(PEERS)}. Received: {name!r}.")
    make, description, source, rate = _PEERS[name]

    def build(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> keras.Model:
        return make(Scaling.of(np.asarray(Increments()(x)), y, weight))

    return Preset(build, description, source, learning_rate=rate)


_PEERS = {
    "convolution": (
        lambda scaling: causal_convolution(scaling, dilations=(1, 2, 4, 8, 16, 32)),
        "causal convolutions with growing dilation, 127 steps of past",
        "van den Oord et al. 2016; Bai, Kolter and Koltun 2018",
        3e-3,
    ),
    "transformer": (
        transformer,
        "causal self-attention, 2 blocks of 4 heads",
        "Vaswani et al. 2017",
        1e-3,
    ),
}
PEERS = tuple(_PEERS)


def named(name: str) -> Preset:
    """Any preset of a stress model by name: recurrent with one layer of 32 units, material or peer.

    Args:
        name: one of `NAMES`.
    """
    if name in RECURRENT:
        return recurrent(name, layers=1)
    if name in MATERIAL:
        return material(name)
    if name in PEERS:
        return peer(name)
    raise ValueError(f"`name` must be one of {', '.join(NAMES)}. Received: {name!r}.")


NAMES = (*RECURRENT, *PEERS, *MATERIAL)


SOUNDS = tuple(
    name
    for name, config in NETWORKS.items()
    if "spectrogram" in name or config.recurrent or not config.dense
)
PICTURES = tuple(name for name in NETWORKS if name not in SOUNDS)


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

    A recurrent one answers at every frame, `probabilities` (batch, time, classes). Its front
    end is `spectrogram`; `trim`, for networks of whole clips in decibels; and `standardize`, whose
    mean and variance come from training data by `adapt`. Everything behind it is trained.

    Args:
        name: one of `SOUNDS`.
        classes: how many; or numbers, for regression.
        sample_rate_hz: of the waveform [Hz]; no meaning beside `front_end`.
        duration_s: of a clip [s]; None: any, for a network without dense layers.
        front_end: instead of 64 mel bands, windows of 32 ms every 20 ms.
        task: as in `zoo.convnets.image_model`.
    """
    name = current_name(name)
    if name not in SOUNDS:
        raise ValueError(f"`name` must be one of {', '.join(SOUNDS)}. Received: {name!r}.")
    config = NETWORKS[name]
    settings = front_end or FrontEnd(
        sample_rate_hz=sample_rate_hz,
        window_s=0.032,
        hop_s=0.020,
        mels=64,
        padding="causal" if config.causal else "centred",
    )
    front = [Spectrogram(settings, name="spectrogram")]
    if settings.level == "decibel" and not (config.causal or config.recurrent):
        front.append(Trim(name="trim"))
    return sound_model(
        config,
        [*front, Standardize(name="standardize")],
        classes,
        samples=None if duration_s is None else round(duration_s * settings.sample_rate_hz),
        task=task,
        name=name,
    )


def wheeze(*, duration_s: float = 4.0) -> keras.Model:
    """Is there a wheeze in a breath? `waveform` (batch, samples) at 4 kHz in, `probabilities` out.

    `probabilities` (batch, 2) are of normal and wheeze. The layers up to `peaks` are fixed: 60 to
    1060 Hz through windows of 64 ms, the height above the spectrum smoothed over 250 Hz, less its
    mean over time, and the highest of each two frames and two bins.

    Args:
        duration_s: of a breath [s]; longer ones are to be cut, shorter ones repeated.
    """
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
        Prominence(16, name="prominence"),
        keras.layers.MaxPooling2D(2, name="peaks"),
        Standardize(per_band=False, name="standardize"),
    ]
    samples = round(duration_s * settings.sample_rate_hz)
    return tone_model(front, samples=samples, name="wheeze")


def picture(name: str, classes: int, *, shape: tuple[int, int, int] = (227, 227, 3)) -> keras.Model:
    """Classifier of pictures: `image` (batch, rows, columns, channels) in, `probabilities` out.

    Args:
        name: one of `PICTURES`.
        classes: how many.
        shape: of a picture.
    """
    if name not in PICTURES:
        raise ValueError(f"`name` must be one of {', '.join(PICTURES)}. Received: {name!r}.")
    return image_model(NETWORKS[name], shape, classes, name=name)


def _material_cell(
    cell: str, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None, settings: dict[str, Any]
) -> VisibleCell:
    """A cell with typical sizes of the data as its scales, and a first guess of its constants."""
    counts = np.ones(x.shape[:2], bool) if weight is None else np.asarray(weight) > 0
    stretch, rate, dt = np.asarray(x, np.float64)[counts].T
    stress = _size(np.asarray(y, np.float64)[counts])
    # An elastic solid of this stiffness, and the time in which the loading turns round.
    modulus, time = stress / _size(stretch - stretch.mean()), _size(stretch) / _size(rate)
    if cell == "maxwell":
        guess = {
            "modulus": modulus,
            "exponent": 2.0,
            "kappa": time * stress,
            "stress_scale": stress,
        }
        return MaxwellCell(**{**guess, **settings})
    if cell == "relaxation":
        guess = {"modulus": modulus, "time": time, "stress_scale": stress}
        return RelaxationCell(**{**guess, **settings})
    if cell == "lmsc":
        guess = {
            "stretch_scale": _size(rate * dt),
            "time_scale": _size(dt),
            "stress_scale": stress,
        }
        return LMSCCell(**{**guess, **settings})
    spread = (0.1, 1.0, 10.0)
    guess = {"moduli": [modulus / 3] * 3, "times": [time * factor for factor in spread]}
    return PronyCell(**{**guess, **settings})


def _size(values: np.ndarray) -> float:
    """Root mean square, or one where there is nothing but zeros."""
    return float(np.sqrt(np.mean(np.square(values)))) or 1.0
