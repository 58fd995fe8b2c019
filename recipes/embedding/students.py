"""Students: sound models with an embedding, in training and behind the layers of whole clips."""

import keras

from zoo.convnets import NETWORKS, sound_model, spectrogram_of, standardize_of
from zoo.convnets.model import Task
from zoo.data.bank import RATE_HZ
from zoo.distillation import Mixer
from zoo.spectrogram import FrontEnd, ReferenceLevel, Spectrogram, Standardize, Trim

EMBEDDING_NETWORK = "residual_embedding"
CLIP = 80_000  # samples of a clip, 5 s


def front_end(network: str) -> FrontEnd:
    """Front end at 16 kHz: frames every 10 ms for the embedding, every 20 ms for scenes."""
    fine = network == EMBEDDING_NETWORK
    return FrontEnd(
        sample_rate_hz=RATE_HZ,
        window_s=0.025 if fine else 0.032,
        hop_s=0.010 if fine else 0.020,
        n_fft=512,
        padding="causal" if NETWORKS[network].causal else "centred",
        mels=64,
        fmin_hz=50,
        fmax_hz=8000,
    )


def build(
    network: str,
    outputs: int,
    samples: int | None,
    *,
    task: Task = "embedding",
    whole_clips: bool = False,
    name: str = "student",
) -> keras.Model:
    """A model of `waveform` with one output.

    Args:
        network: of `zoo.convnets.NETWORKS`.
        outputs: width of the embedding, or classes.
        samples: of the waveform; None: any.
        task: of the output.
        whole_clips: with a reference level and without silence at the ends; else as it streams.
        name: of the model.
    """
    settings = front_end(network)
    front: list[keras.layers.Layer] = [Spectrogram(settings, name="spectrogram")]
    if whole_clips:
        front = [ReferenceLevel(RATE_HZ, name="reference_level"), *front, Trim(name="trim")]
    return sound_model(
        NETWORKS[network],
        [*front, Standardize(name="standardize")],
        outputs,
        samples=samples,
        task=task,
        name=name,
    )


def adapt(model: keras.Model, mixer: Mixer, batch: int, steps: int) -> None:
    """Standardize by the spectrograms of mixtures at the reference level."""
    spectrogram = spectrogram_of(model)
    standardize_of(model).adapt(
        [keras.ops.convert_to_numpy(spectrogram(mixer.draw(batch)[0])) for _ in range(steps)]
    )


def copy_weights(source: keras.Model, target: keras.Model) -> list[str]:
    """Copy weights by the names of layers; returns the names of layers without a source."""
    missing = []
    for layer in target.layers:
        if not layer.weights:
            continue
        try:
            weights = source.get_layer(layer.name).get_weights()
        except ValueError:
            missing.append(layer.name)
            continue
        layer.set_weights(weights)
    return missing
