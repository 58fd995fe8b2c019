"""Train the network on excerpts of soundscapes, whose spectrograms are computed once."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from recipes.sound_events.settings import Settings
from zoo import presets, training
from zoo.checkpoints import hash_arrays
from zoo.convnets import spectrogram_of, split_model, standardize_of
from zoo.data.synthesis.seeds import stream
from zoo.data.synthesis.soundscapes import LABELS, RATE_HZ, soundscape
from zoo.data.synthesis.truth import Event
from zoo.progress import say, track
from zoo.spectrogram import FrontEnd
from zoo.training import History

NETWORK = "crnn_hop_wide"
# more and narrower bands than those of the hearing aid: tones and glides differ by little
FRONT_END = FrontEnd(
    sample_rate_hz=RATE_HZ,
    window_s=0.048,
    hop_s=0.016,
    n_fft=1024,
    padding="causal",
    mels=64,
    fmin_hz=60,
    fmax_hz=8000,
)
HOP = FRONT_END.hop
BATCH, STEPS = 24, 40
FRAMES = 250  # of an excerpt, 4 s
GAIN_DB, RESPONSE_DB = 6.0, 2.0  # deviations of level and frequency response


@dataclass(frozen=True)
class Frames:
    """Spectrograms of soundscapes with the truth of every frame.

    Attributes:
        level_db: (soundscapes, frames, bands).
        active: (soundscapes, frames, labels), 1 while an event lasts.
        events: truth of each soundscape.
    """

    level_db: np.ndarray
    active: np.ndarray
    events: list[tuple[Event, ...]]


def build() -> keras.Model:
    """Waveform (batch, samples) to `probabilities` (batch, hops, labels), front end inside."""
    return presets.sound(
        NETWORK,
        len(LABELS),
        duration_s=None,
        front_end=FRONT_END,
        task="multilabel",
    )


def make_frames(model: keras.Model, seeds: range, what: str) -> Frames:
    """Soundscapes through the front end of a model.

    Args:
        model: of `build`.
        seeds: of the soundscapes.
        what: first words of the progress.
    """
    layer = spectrogram_of(model)
    run = tf.function(layer, input_signature=[tf.TensorSpec((1, None))])
    levels, active, events = [], [], []
    for seed in track(seeds, len(seeds), what):
        clip = soundscape(seed)
        level_db = run(clip.samples[None]).numpy()[0, ..., 0]
        levels.append(level_db.astype(np.float32))
        active.append(active_frames(clip.events, len(level_db)))
        events.append(clip.events)
    return Frames(np.stack(levels), np.stack(active), events)


def active_frames(events: tuple[Event, ...], frames: int) -> np.ndarray:
    """Share of each hop in which an event of each label lasts, at least half: 1; (frames, labels).

    Args:
        events: truth.
        frames: number of hops.
    """
    hop_s = HOP / RATE_HZ
    active = np.zeros((frames, len(LABELS)), np.float32)
    for event in events:
        first, last = round(event.onset_s / hop_s), round(event.offset_s / hop_s)
        active[first : max(last, first + 1), LABELS.index(event.label)] = 1
    return active


def train(model: keras.Model, frames: Frames, validation: Frames, settings: Settings) -> History:
    """Train `model` behind its front end, whose `Standardize` is adapted to the frames.

    Raises:
        ValueError: a checkpoint of another run or a damaged one, or training diverged.
        TrainingInterrupted: by Ctrl-C.
    """
    standardize_of(model).adapt([frames.level_db[:200, ..., None]])
    _, network = split_model(model)
    say(f"training: {model.count_params():,} parameters")
    x, y = validation.level_db[..., None], validation.active
    checkpoint: Path | None = None
    if settings.checkpoint is not None:
        checkpoint = settings.checkpoint / f"sound-events-seed{settings.seed}.npz"
    history = training.fit(
        network,
        lambda step: batches(frames, settings.seed, step),
        tf.data.Dataset.from_tensor_slices((x, {"probabilities": y})).batch(BATCH),
        training.Budget(
            epochs=settings.epochs or (1 if settings.quick else 30),
            steps_per_epoch=2 if settings.quick else STEPS,
            learning_rate=settings.learning_rate,
            weight_decay=0.01,
        ),
        training.FitSettings(
            losses={"probabilities": keras.losses.BinaryCrossentropy()},
            seed=settings.seed,
            checkpoint=checkpoint,
            data=hash_arrays(frames.level_db[:50], frames.active),
        ),
        stream=sys.stderr,
    )
    history.require_whole("the network", settings.learning_rate)
    return history


def batches(frames: Frames, seed: int, step: int) -> tf.data.Dataset:
    """Endless batches from a step on; each depends on seed and step alone."""

    def generate() -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        for position in count(step):
            yield draw_batch(frames, stream(seed, "batch", position))

    bands = frames.level_db.shape[-1]
    signature = (
        tf.TensorSpec((BATCH, FRAMES, bands, 1)),
        {"probabilities": tf.TensorSpec((BATCH, FRAMES, len(LABELS)))},
    )
    return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(2)


def draw_batch(
    frames: Frames, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Excerpts (batch, FRAMES, bands, 1) at drawn levels and responses, and their truth."""
    number, total, bands = frames.level_db.shape
    rows = rng.integers(number, size=BATCH)
    starts = rng.integers(max(1, total - FRAMES + 1), size=BATCH)
    index = starts[:, None] + np.arange(FRAMES)
    x, y = frames.level_db[rows[:, None], index], frames.active[rows[:, None], index]
    knots = np.linspace(0, bands - 1, 5)
    for row in range(BATCH):
        response = np.interp(np.arange(bands), knots, RESPONSE_DB * rng.standard_normal(5))
        x[row] += GAIN_DB * rng.standard_normal() + response
    return x[..., None].astype(np.float32), {"probabilities": y}
