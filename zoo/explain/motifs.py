"""Motif atlas: which kinds of sound the filters of a network answer, beside an untrained twin.

    atlas = motif_atlas(model)
    print(atlas.table().text())  # share of tone, glide, onset ... detectors, layer by layer

Every filter sees a family of probes: onset and offset of noise, steady tones, glides up and down,
harmonic stacks, amplitude modulation, broadband noise, clicks. With r_k the largest response to the
probes of kind k over time, frequency and the members of the kind,

    selectivity of k = (r_k - m_k) / (r_k + m_k),   m_k the mean over the other kinds of theirs.

A filter is called a detector of k only where its selectivity passes the threshold that 95 % of the
filters of untrained networks stay below.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from zoo.convnets.model import front_end_of, standardize_of
from zoo.explain.clip import compiled, open_front
from zoo.report import Column, Table

KINDS = (
    "onset",
    "offset",
    "tone",
    "glide up",
    "glide down",
    "harmonics",
    "modulation",
    "broadband noise",
    "click",
)
TWINS = 3  # untrained networks behind a threshold
QUANTILE = 0.95
EDGE_SHARE = 0.15  # of a map's rows at each end that are not counted
LEVEL = 0.1  # amplitude of the probes
BACKGROUND = 1e-3  # noise below every probe, as no recording is without
PROBES_AT_ONCE = 8  # maps of long clips are large
MODULATION_HZ = (4.0, 8.0, 16.0, 32.0)


@dataclass(frozen=True)
class MotifAtlas:
    """Selectivity of every filter for every kind of probe.

    Attributes:
        selectivity: layer -> (filters, kinds), -1 to 1; 0 where a filter answers nothing.
        untrained: the same of networks with initial weights, (filters of all twins, kinds).
        thresholds: layer -> selectivity that a detector must pass.
    """

    selectivity: dict[str, np.ndarray]
    untrained: dict[str, np.ndarray]
    thresholds: dict[str, float]

    def detectors(self, layer: str) -> dict[str, np.ndarray]:
        """Kind -> numbers of the filters of a layer that detect it, the most selective first."""
        return _detectors(self.selectivity[layer], self.thresholds[layer])

    def kind_of(self, layer: str, number: int) -> str | None:
        """Kind that a filter of a layer detects; None: it passes no threshold."""
        detectors = self.detectors(layer).items()
        return next((kind for kind, members in detectors if number in members), None)

    def table(self) -> Table:
        """Share of detectors of each kind in each layer, trained and untrained [%]."""
        rows = []
        for layer, values in self.selectivity.items():
            for name, each in (("trained", values), ("untrained", self.untrained[layer])):
                detectors = _detectors(each, self.thresholds[layer])
                shares = [100 * len(detectors[kind]) / len(each) for kind in KINDS]
                rows.append([layer, name, len(each), *(f"{share:.0f}" for share in shares)])
        return Table(
            [Column("layer"), Column("weights"), Column("filters"), *map(Column, KINDS)],
            rows,
            "Share of the filters that detect each kind of sound [%]; by construction 5 % of the "
            "untrained ones pass the threshold, for all kinds together.",
        )


def motif_atlas(model: keras.Model, *, seed: int = 0) -> MotifAtlas:
    """Selectivity of all convolutional filters of a sound model.

    Args:
        model: with one layer `Spectrogram` and one `Standardize`, and convolutions behind them.
        seed: of the probes and of the weights of the untrained networks.

    Raises:
        ValueError: not a sound model, or one without convolutions.
    """
    rate_hz = front_end_of(model).sample_rate_hz
    samples = model.inputs[0].shape[1] or round(2 * rate_hz)
    labels, waveforms = zip(*probes(rate_hz, samples, seed), strict=True)
    kinds = np.array([KINDS.index(label) for label in labels])
    features = np.stack([clip for clip, _ in open_front(model, waveforms)])
    maps = _maps(model)
    trained = _selectivity(compiled(maps), features, kinds)
    twin = keras.models.clone_model(maps)
    run = compiled(twin)
    twins: list[dict[str, np.ndarray]] = []
    for number in range(TWINS):
        keras.utils.set_random_seed(seed + number)
        twin.set_weights(keras.models.clone_model(maps).get_weights())  # initial ones
        twins.append(_selectivity(run, features, kinds))
    untrained = {name: np.concatenate([each[name] for each in twins]) for name in trained}
    thresholds = {
        name: float(np.quantile(values.max(axis=1), QUANTILE)) for name, values in untrained.items()
    }
    return MotifAtlas(trained, untrained, thresholds)


def _maps(model: keras.Model) -> keras.Model:
    """Standardized features to the rectified maps of a network, by name."""
    standardize = standardize_of(model)
    layers = model.layers[model.layers.index(standardize) + 1 :]
    # Names pair each convolution with the rectified map behind it.
    maps = [layer for layer in layers if isinstance(layer, keras.layers.ReLU)]
    maps = [layer for layer in maps if len(layer.output.shape) == 4]
    if not maps:
        raise ValueError(
            "A motif atlas needs a network of rectified convolutions. "
            f"Received: {model.name!r}, which has none."
        )
    return keras.Model(standardize.output, {layer.name: layer.output for layer in maps})


def probes(rate_hz: float, samples: int, seed: int = 0) -> Iterator[tuple[str, np.ndarray]]:
    """Probe sounds, (kind of `KINDS`, waveform (samples,)), with a faint background of noise.

    Args:
        rate_hz: sample rate [Hz].
        samples: of each probe.
        seed: of the noise.
    """
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / rate_hz
    middle = samples // 2
    pitches_hz = np.geomspace(200.0, 0.35 * rate_hz, 8)
    for _ in range(4):
        noise = rng.normal(size=samples) * LEVEL
        yield "broadband noise", _over(rng, noise)
        yield "onset", _over(rng, np.where(np.arange(samples) >= middle, noise, 0))
        yield "offset", _over(rng, np.where(np.arange(samples) < middle, noise, 0))
        for rate in MODULATION_HZ:
            yield "modulation", _over(rng, noise * (0.5 - 0.5 * np.cos(2 * np.pi * rate * t)))
        click = np.zeros(samples)
        click[middle : middle + max(1, round(0.002 * rate_hz))] = 5 * LEVEL
        yield "click", _over(rng, np.roll(click, int(rng.integers(-middle // 2, middle // 2))))
    for hz in pitches_hz:
        yield "tone", _over(rng, LEVEL * np.sin(2 * np.pi * hz * t))
    for hz in pitches_hz[:-2]:
        for octaves_s in (1.0, 3.0):
            track = hz * 2 ** np.clip(octaves_s * (t - t[middle]), -1, 1)
            glide = LEVEL * np.sin(2 * np.pi * np.cumsum(track) / rate_hz)
            yield "glide up", _over(rng, glide)
            yield "glide down", _over(rng, glide[::-1])
    for hz in np.geomspace(100.0, 400.0, 6):
        partials = np.arange(hz, 0.45 * rate_hz, hz)
        stack = np.sum(
            [np.sin(2 * np.pi * f * t) / (k + 1) for k, f in enumerate(partials)], axis=0
        )
        yield "harmonics", _over(rng, LEVEL * stack)


def _over(rng: np.random.Generator, sound: np.ndarray) -> np.ndarray:
    return sound + BACKGROUND * rng.normal(size=sound.size)


def _selectivity(
    maps: Callable[[tf.Tensor], dict[str, tf.Tensor]], features: np.ndarray, kinds: np.ndarray
) -> dict[str, np.ndarray]:
    """Layer -> (filters, kinds), from the largest rectified response to each kind."""
    largest: dict[str, list[np.ndarray]] = {}
    for first in range(0, len(features), PROBES_AT_ONCE):
        part = tf.constant(features[first : first + PROBES_AT_ONCE], tf.float32)
        for name, values in maps(part).items():
            rows = values.shape[1]
            edge = round(EDGE_SHARE * rows)  # where padding looks like an onset or an offset
            highest = tf.reduce_max(values[:, edge : rows - edge], axis=(1, 2))
            largest.setdefault(name, []).append(highest.numpy())
    result = {}
    for name, responses in largest.items():
        r = np.concatenate(responses)  # (probes, filters)
        best = np.stack([r[kinds == kind].max(axis=0) for kind in range(len(KINDS))], axis=1)
        others = np.stack(
            [np.delete(best, kind, axis=1).mean(axis=1) for kind in range(len(KINDS))], axis=1
        )
        total = best + others
        result[name] = np.divide(best - others, total, out=np.zeros_like(best), where=total > 0)
    return result


def _detectors(selectivity: np.ndarray, threshold: float) -> dict[str, np.ndarray]:
    best = selectivity.argmax(axis=1)
    height = selectivity.max(axis=1)
    detectors = {}
    for number, kind in enumerate(KINDS):
        members = np.flatnonzero((best == number) & (height > threshold))
        detectors[kind] = members[np.argsort(-height[members])]
    return detectors
