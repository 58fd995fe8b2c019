"""From a folder of class folders to an exported classifier on a frozen embedding."""

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import augment, export, models
from zoo.convnets import front_end_of, last_float_layer_of
from zoo.data import corpora
from zoo.data.clips import Clips
from zoo.data.corpora.licences import licence_of
from zoo.data.folds import group_keys
from zoo.data.recordings import load_clips
from zoo.data.synthesis import SCENES, scene
from zoo.export.sound import classifier_quantities, classifier_settings
from zoo.progress import say
from zoo.report import Column, Report, Table
from zoo.runs import RunPaths
from zoo.teaching.heads import (
    UNKNOWN,
    Head,
    HeadChoice,
    choose_head,
    extend_head,
    fit_head,
    try_extension,
    unknown_threshold,
)
from zoo.teaching.model import Earlier, build_classifier, earlier_of, embed

BASE = "sound-embedding"
NOISY_COPIES = 2  # of every clip, beside itself
MIN_CALIBRATION_CLIPS = 10  # known clips to choose the threshold of the unknown by
GOLDEN_SCENES = ("music", "rain", "speech", "traffic")
_SPDX_UNKNOWN = "LicenseRef-unknown"


@dataclass(frozen=True)
class TeachSettings:
    """Settings of a classifier of one's own sounds.

    Attributes:
        data: folder of class folders, or of another corpus that `zoo data` reads.
        base: name or folder of a model with an embedding, or of a classifier that was taught
            before: its classes and their scores stay, those of the folder are added.
        name: of the model; None: that of the folder.
        out: folder of report and model; None: runs/NAME.
        seed: of the noisy copies.
        command: command line that repeats it.
    """

    data: Path
    base: str = BASE
    name: str | None = None
    out: Path | None = None
    seed: int = 0
    command: str = "zoo teach"

    @property
    def paths(self) -> RunPaths:
        """Where report and model go."""
        name = self.name or f"sounds-{self.data.resolve().name.lower()}"
        return RunPaths(name, self.out)


@dataclass(frozen=True)
class Taught:
    """A classifier of one's own sounds.

    Attributes:
        model: `waveform` to `probabilities`, "unknown" last.
        classes: names, "unknown" last.
        choice: of the head.
        head: fitted to all clips.
        examples: class of each example in the head.
        facts: entry `training` of the manifest.
    """

    model: keras.Model
    classes: tuple[str, ...]
    choice: HeadChoice
    head: Head
    examples: tuple[str, ...]
    facts: dict[str, Any]


def teach(settings: TeachSettings) -> dict[str, Any]:
    """Learn the classes of a folder, write report and model; returns the manifest.

    Raises:
        ValueError: a corpus or a base that cannot be used, in one line.
    """
    started = time.monotonic()
    settings.paths.check()
    keras.utils.set_random_seed(settings.seed)
    loaded = models.load(settings.base)
    of_base = loaded.manifest
    earlier = earlier_of(loaded.keras, of_base)
    base = loaded.keras if earlier is None else earlier.base
    corpus = corpora.read(settings.data)
    for note in corpus.notes:
        say(note)
    rate_hz = round(front_end_of(base).sample_rate_hz)
    clips = load_clips(corpus.index, sample_rate_hz=rate_hz)
    taught = fit_classes(base, clips, settings, earlier)
    say(taught.choice.sentence())
    _write_report(settings, taught)
    licences = sorted({of_base.get("licence", ""), licence_of(corpus.title).weights} - {""})
    about = export.About(
        name=settings.paths.name,
        task="classification of sounds learnt from examples",
        description=f"{len(taught.classes) - 1} classes of sound on the frozen embedding of "
        f"{loaded.folder.name}, front end inside; {taught.choice.sentence()}. The last class, "
        f"{UNKNOWN!r}, is for sounds that resemble no example.",
        quantities=classifier_quantities(taught.model, taught.classes),
        metrics=manifest_metrics(taught),
        limits=_limits(taught, of_base),
        training=taught.facts,
        settings={
            **classifier_settings(taught.model, taught.classes),
            "unknown": {
                "class": UNKNOWN,
                "score": "familiarity: cosine between the embedding and that of the nearest "
                "example",
                "threshold": taught.head.threshold,
                "calibration": "95 % of the clips pass, each compared with clips of other "
                "recordings",
                "share_of_known_that_pass": 0.95,
                "examples": list(taught.examples),
            },
        },
        licence=licences[0] if len(licences) == 1 else _SPDX_UNKNOWN,
        data_licence=f"{licence_of(corpus.title).data} Base: {of_base.get('data_licence', '')}",
        provenance=f"Made by `{settings.command}`.",
    )
    manifest = export.write(
        settings.paths.model,
        about,
        export.Endpoints(taught.model),
        _scenes(taught.model, GOLDEN_SCENES, 0),
        export.ExportOptions(
            examples=_examples(clips, taught.model), front=last_float_layer_of(taught.model)
        ),
        progress=say,
    )
    say(f"model: {settings.paths.model}, {time.monotonic() - started:.0f} s in all")
    return manifest


def fit_classes(
    base: keras.Model, clips: Clips, settings: TeachSettings, earlier: Earlier | None = None
) -> Taught:
    """Fit a head to the classes of some clips.

    Args:
        base: model with an embedding.
        clips: waveforms at its rate.
        settings: name and seed.
        earlier: classes that stay, in front of the new ones.

    Raises:
        ValueError: fewer than two classes, one named "unknown" or known already, or a base without
            an embedding.
    """
    classes, labels = clips.classes, clips.labels
    if len(classes) < (2 if earlier is None else 1) or UNKNOWN in classes:
        raise ValueError(
            f"Expected two classes or more, none of them {UNKNOWN!r}. "
            f"Received: {', '.join(classes) or 'none'}."
        )
    known_twice = sorted(set(classes) & set(() if earlier is None else earlier.classes))
    if known_twice:
        raise ValueError(
            f"{settings.base} knows {', '.join(known_twice)} already. Give a folder of new classes "
            "only, or teach all of them anew on sound-embedding."
        )
    duration_s = base.input.shape[1] / front_end_of(base).sample_rate_hz
    own = embed(base, clips.to_array(duration_s=duration_s))
    groups = group_keys(clips.index)
    if earlier is None:
        choice = choose_head(own, labels, groups)
    else:
        choice = try_extension(earlier.head, earlier.example_labels, own, labels, groups)
    copies = [own] + [
        embed(base, _noisy(clips, duration_s, settings.seed + k)) for k in range(NOISY_COPIES)
    ]
    embeddings, repeated = np.concatenate(copies), np.tile(labels, len(copies))
    examples = tuple(classes[k] for k in labels)
    if earlier is None:
        head = fit_head(embeddings, repeated, choice.kind, choice.penalty, len(classes))
        known = choice.familiarity[np.isfinite(choice.familiarity)]
        threshold = unknown_threshold(known) if len(known) >= MIN_CALIBRATION_CLIPS else -1.0
        kept = len(own)
    else:
        head = extend_head(earlier.head, earlier.example_labels, embeddings, repeated)
        threshold, kept = earlier.head.threshold, len(earlier.example_labels) + len(own)
        examples = (*(earlier.classes[k] for k in earlier.example_labels), *examples)
        classes = (*earlier.classes, *classes)
    head = dataclasses.replace(head, examples=head.examples[:, :kept], threshold=threshold)
    facts = {
        "clips": len(clips),
        "recordings": len(np.unique(groups)),
        "noisy_copies": NOISY_COPIES,
        "seed": settings.seed,
        "head": choice.kind,
        "penalty": choice.penalty,
        "base": str(settings.base),
    }
    model = build_classifier(base, head, settings.paths.name.replace("-", "_"))
    return Taught(model, (*classes, UNKNOWN), choice, head, examples, facts)


def _noisy(clips: Clips, duration_s: float, seed: int) -> np.ndarray:
    """Every clip once in a room, in noise or at another gain, (clips, samples)."""
    altered = augment.chain(
        augment.Room(clips.sample_rate_hz or 16_000, share=0.5),
        augment.AddNoise((10.0, 30.0), (0.0, 2.0), share=0.7),
        augment.Gain((-20.0, 20.0)),
    )
    batches = clips.all_batches(16, duration_s=duration_s)
    return np.concatenate(
        [
            altered(x, y, np.array([seed, k], np.int32))[0].numpy()
            for k, (x, y) in enumerate(batches)
        ]
    )


def manifest_metrics(taught: Taught) -> dict[str, Any]:
    """Accuracy of every head on clips of recordings left out; the chosen one first."""
    accuracy = taught.choice.accuracy
    name = "prototype" if taught.choice.kind == "prototype" else f"linear {taught.choice.penalty:g}"
    chance = {"baseline": 1 / (len(taught.classes) - 1), "baseline_name": "chance"}
    chosen = {"accuracy": {"value": accuracy[name], **chance}}
    if taught.choice.kept is not None:
        kept = {"earlier examples that keep their class": {"value": taught.choice.kept}}
        return {"recordings of the new classes left out": {**chosen, **kept}}
    others = {f"accuracy, head {key}": {"value": value} for key, value in accuracy.items()}
    return {"recordings left out, the head chosen on them": {**chosen, **others}}


def _limits(taught: Taught, of_base: dict[str, Any]) -> Sequence[str]:
    calibrated = (
        "There are too few recordings to calibrate the threshold of the unknown: every sound gets "
        "a class."
    )
    known = "The threshold of the unknown was calibrated on known sounds alone."
    return [
        "Accuracy is that of cross-validation by recording over few clips, by which the head was "
        "chosen: it is optimistic.",
        known if taught.head.threshold > -1 else calibrated,
        *(f"Base: {limit}" for limit in of_base.get("limits", ())),
    ]


def _scenes(model: keras.Model, names: Sequence[str], seed: int) -> dict[str, np.ndarray]:
    """Synthetic scenes at the length of the model, (samples,) each."""
    samples = model.input.shape[1]
    duration_s = max(1.0, samples / front_end_of(model).sample_rate_hz)
    return {
        name: np.resize(scene(name, seed=seed, duration_s=duration_s).samples, samples)
        for name in names
    }


def _examples(clips: Clips, model: keras.Model) -> np.ndarray:
    """Clips to calibrate integers on: its own, and strangers, or none would be unfamiliar."""
    duration_s = model.input.shape[1] / front_end_of(model).sample_rate_hz
    own = clips[np.arange(min(48, len(clips)))].to_array(duration_s=duration_s)
    strangers = [clip for seed in range(1, 4) for clip in _scenes(model, SCENES, seed).values()]
    return np.concatenate([own, np.stack(strangers)]).astype(np.float32)


def _write_report(settings: TeachSettings, taught: Taught) -> None:
    """The page: accuracy of the heads, counts, the threshold of the unknown."""
    names = [*taught.choice.accuracy]
    heads = Table(
        ("head", Column("accuracy", number=".1%")),
        [(name, taught.choice.accuracy[name]) for name in names],
        "On clips of recordings that the head was not fitted to.",
    )
    report = Report(
        settings.paths.name, taught.choice.sentence(), provenance={"command": settings.command}
    )
    report.section("Heads").table(heads)
    threshold = taught.head.threshold
    report.section(
        "Unknown sounds",
        f"A sound whose embedding has a cosine of less than {threshold:.3f} to the nearest example "
        f"is {UNKNOWN!r}: 95 % of the clips pass, compared with clips of other recordings."
        if threshold > -1
        else "There are too few recordings to calibrate a threshold.",
    )
    say(f"report: {report.write(settings.paths.report)[-1]}")
