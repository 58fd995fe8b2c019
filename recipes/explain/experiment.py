"""Train a network on sound events, explain it by every method, compare with the truth."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from recipes.explain.settings import Settings
from zoo import presets, training
from zoo.convnets import standardize_of
from zoo.convnets.model import spectrogram_of, split_model
from zoo.data.shuffling import shuffled_rows
from zoo.data.synthesis.events import DURATION_S, EVENT_KINDS, RATE_HZ, event_clip
from zoo.data.synthesis.truth import Clip
from zoo.explain import Explanation, explain
from zoo.explain.clip import open_clip
from zoo.explain.measures import (
    Localisation,
    deletion_and_insertion,
    localise,
    randomised,
    rank_correlation,
)
from zoo.files import write_text
from zoo.metrics.bootstrap import bootstrap_interval
from zoo.progress import say
from zoo.report import QUICK_NOTICE, Column, Report, Table
from zoo.spectrogram import FrontEnd

FRONT = FrontEnd(sample_rate_hz=RATE_HZ, window_s=0.032, hop_s=0.016, mels=64, fmin_hz=50.0)
CLASSES = tuple(EVENT_KINDS)
BATCH_SIZE, BATCHES = 32, 40
MARGIN_S, MARGIN_OCTAVES = 0.016, 0.08  # half a window and about half a band at each edge
EXAMPLES_SHOWN = 1  # of each kind


@dataclass
class Scores:
    """Measures of one method, one entry a clip.

    Attributes:
        places: against the true event.
        deletion: means of the deletion curves.
        insertion: means of the insertion curves.
        sanity: rank correlations with random weights in every layer.
        seconds: of one explanation [s].
    """

    places: list[Localisation] = field(default_factory=list)
    deletion: list[float] = field(default_factory=list)
    insertion: list[float] = field(default_factory=list)
    sanity: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def run(settings: Settings) -> Path:
    """Run the comparison and write its page and its table; returns the page."""
    keras.utils.set_random_seed(settings.seed)
    settings.paths.check(exports=False)
    model, accuracy = train_network(settings)
    say(f"accuracy on {len(CLASSES) * settings.clips} other clips: {accuracy:.3f}")
    clips = make_clips(settings.clips, seed=1_000_000 + settings.seed)
    scores = {method: Scores() for method in settings.methods}
    began = last_line = time.monotonic()
    for k, clip in enumerate(clips):
        for method in settings.methods:
            add_scores(scores[method], model, clip, method, settings)
        if time.monotonic() - last_line > 20:
            last_line = time.monotonic()
            say(f"{k + 1} of {len(clips)} clips explained, {last_line - began:.0f} s")
    add_sanity(scores, model, clips, settings)
    table = method_table(scores)
    print(table.text())
    page = write_report(model, clips, table, accuracy, settings)
    write_text(settings.paths.root / "methods.md", f"{table.markdown()}\n\n`{settings.command}`\n")
    say(f"report: {page}")
    return page


def make_clips(count: int, seed: int) -> list[Clip]:
    """`count` clips of every kind, the kinds in turn."""
    return [event_clip(kind, seed + k) for k in range(count) for kind in CLASSES]


def train_network(settings: Settings) -> tuple[keras.Model, float]:
    """A small residual network that tells the kinds apart, and its accuracy on other clips."""
    say(f"{len(CLASSES) * settings.training_clips} training clips of {len(CLASSES)} kinds")
    model = presets.sound("residual_tiny", len(CLASSES), duration_s=DURATION_S, front_end=FRONT)
    clips = make_clips(settings.training_clips, seed=settings.seed)
    front, network = split_model(model)
    parts = np.array_split(stack(clips), max(1, len(clips) // 64))
    features = np.concatenate([np.asarray(front(part)) for part in parts])
    labels = labels_of(clips)
    standardize_of(model).adapt(features)

    def batches(step: int) -> tf.data.Dataset:
        x, y = tf.constant(features), tf.constant(labels)

        def batch(k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            rows = shuffled_rows(k, BATCH_SIZE, len(labels), settings.seed)
            return tf.gather(x, rows), tf.gather(y, rows)

        return tf.data.Dataset.counter(step).map(batch)

    training.fit(
        network,
        batches,
        None,
        training.Budget(settings.epochs, 2 if settings.quick else BATCHES, 3e-3),
        training.FitSettings(
            losses={"probabilities": keras.losses.SparseCategoricalCrossentropy()},
            seed=settings.seed,
            keep="last",
        ),
    )
    other = make_clips(max(8, settings.clips // 4), seed=2_000_000 + settings.seed)
    probabilities = np.concatenate(
        [
            np.asarray(model(batch, training=False)["probabilities"])
            for batch in np.array_split(stack(other), max(1, len(other) // 64))
        ]
    )
    return model, float((probabilities.argmax(axis=1) == labels_of(other)).mean())


def stack(clips: list[Clip]) -> np.ndarray:
    """Waveforms (clips, samples)."""
    return np.stack([clip.samples for clip in clips])


def labels_of(clips: list[Clip]) -> np.ndarray:
    """Numbers of the kinds, (clips,)."""
    return np.array([CLASSES.index(clip.label) for clip in clips])


def explain_event(model: keras.Model, clip: Clip, method: str, settings: Settings) -> Explanation:
    """Evidence for the true class of a clip, with the patches of the settings."""
    return explain(
        model,
        clip.samples,
        CLASSES,
        label=clip.label,
        patch_s=settings.patch_s,
        patch_share=settings.patch_share,
        method=method,
    )


def add_scores(
    scores: Scores, model: keras.Model, clip: Clip, method: str, settings: Settings
) -> None:
    """Explain one clip for its true class and append every measure."""
    began = time.perf_counter()
    result = explain_event(model, clip, method, settings)
    scores.seconds.append(time.perf_counter() - began)
    place = localise(result, clip.events[0], margin_s=MARGIN_S, margin_octaves=MARGIN_OCTAVES)
    scores.places.append(place)
    opened = open_clip(model, clip.samples)
    deletion, insertion = deletion_and_insertion(opened, CLASSES.index(clip.label), result.evidence)
    scores.deletion.append(deletion)
    scores.insertion.append(insertion)


def add_sanity(
    scores: dict[str, Scores], model: keras.Model, clips: list[Clip], settings: Settings
) -> None:
    """Rank correlation of each method's evidence with that of the network with random weights."""
    some = clips[: settings.sanity_clips * len(CLASSES)]
    say(f"random weights: {len(some)} clips")
    *_, (_, random) = randomised(model, settings.seed)  # every layer
    for clip in some:
        for method, each in scores.items():
            first, second = (
                explain_event(network, clip, method, settings).evidence
                for network in (model, random)
            )
            each.sanity.append(abs(rank_correlation(first, second)))


def method_table(scores: dict[str, Scores]) -> Table:
    """A row for each method, with 95 % bootstrap intervals over clips."""

    def with_interval(values: list[float]) -> str:
        data = np.asarray(values, np.float64)
        result = bootstrap_interval(lambda rows: float(data[rows].mean()), np.arange(len(data)))
        return f"{result.value:.3f} ({result.low:.3f}–{result.high:.3f})"

    columns = [
        Column("method"),
        Column("pointing"),
        Column("evidence inside"),
        Column("share of area"),
        Column("onset within 50 ms"),
        Column("deletion"),
        Column("insertion"),
        Column("correlation, random weights"),
        Column("median time", "ms"),
    ]
    rows = []
    for method, each in scores.items():
        rows.append(
            [
                method,
                with_interval([float(place.hit) for place in each.places]),
                with_interval([place.inside for place in each.places]),
                f"{np.mean([place.area for place in each.places]):.3f}",
                with_interval([float(abs(p.onset_error_s) <= 0.05) for p in each.places]),
                with_interval(each.deletion),
                with_interval(each.insertion),
                with_interval(each.sanity),
                f"{1000 * np.median(each.seconds):.0f}",
            ]
        )
    return Table(
        columns,
        rows,
        "Pointing: the highest evidence lies inside the event. Deletion: lower is better; "
        "insertion: higher. A method whose evidence correlates with that of random weights shows "
        "the sound, not the network.",
    )


def write_report(
    model: keras.Model, clips: list[Clip], table: Table, accuracy: float, settings: Settings
) -> Path:
    """Page with the table and one clip of each kind by each method."""
    report = Report(
        "Methods of explanation, on sound events whose place is known",
        f"A network of {model.count_params():,} parameters tells {len(CLASSES)} kinds of "
        f"events in noise apart ({accuracy:.1%} of other clips). Each method explains "
        f"{settings.clips} clips of each kind; patches of {settings.patch_s:g} s and "
        f"{settings.patch_share:.3g} of {spectrogram_of(model).front_end.bands} bands.",
        provenance={"command": settings.command, "seed": settings.seed},
        notices=[QUICK_NOTICE] if settings.quick else [],
    )
    report.section("Methods and measures").table(table)
    report.section("Examples")
    for clip in clips[: EXAMPLES_SHOWN * len(CLASSES)]:
        event = clip.events[0]
        for method in settings.methods:
            result = explain_event(model, clip, method, settings)
            report.figure(
                result.figure(),
                name=f"{clip.label}_{method}".replace(" ", "_"),
                caption=f"{clip.label}, {method}: {result.sentence()}. True: {event.onset_s:.2f} "
                f"to {event.offset_s:.2f} s, {event.low_hz:,.0f} to {event.high_hz:,.0f} Hz.",
                alt="Spectrogram of a clip, and its evidence for and against the class.",
            )
    return report.write(settings.paths.report)[-1]
