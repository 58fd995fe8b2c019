"""From a folder of class folders to an exported classifier on an embedding."""

import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from zoo import export, models
from zoo.convnets import front_end_of, last_float_layer_of
from zoo.convnets.unknown_class import UNKNOWN
from zoo.data import corpora
from zoo.data.clips import Clips, spread_rows
from zoo.data.corpora.licences import licence_of
from zoo.data.synthesis import SCENES, scene
from zoo.export.sound import classifier_quantities, classifier_settings
from zoo.progress import say
from zoo.teaching.card import limits_of, manifest_metrics, unknown_entry, write_report
from zoo.teaching.fitting import fit_classes, read_clips
from zoo.teaching.model import earlier_of, require_embedding
from zoo.teaching.settings import TeachSettings

GOLDEN_SCENES = ("music", "rain", "speech", "traffic")
_SPDX_UNKNOWN = "LicenseRef-unknown"


def teach(settings: TeachSettings) -> dict[str, Any]:
    """Learn the classes of a folder, write report and model; returns the manifest.

    Raises:
        ValueError: a corpus or a base that cannot be used, in one line.
    """
    started = time.monotonic()
    settings.paths.check(data=settings.data)
    keras.utils.set_random_seed(settings.seed)
    loaded = models.load(settings.base)
    of_base = loaded.manifest
    earlier = earlier_of(loaded.keras, of_base)
    base = loaded.keras if earlier is None else earlier.base
    require_embedding(base, settings.base)
    corpus = corpora.read(settings.data)
    for note in corpus.notes:
        say(note)
    clips = read_clips(corpus.index, base)
    taught = fit_classes(base, clips, settings, earlier)
    say(taught.sentence())
    write_report(settings, taught)
    licences = sorted({of_base.get("licence", ""), licence_of(corpus.title).weights} - {""})
    about = export.About(
        name=settings.paths.name,
        task="classification of sounds learnt from examples",
        description=f"{len(taught.classes) - 1} classes of sound on the embedding of "
        f"{loaded.folder.name}, front end inside; {taught.sentence()}. The last class, "
        f"{UNKNOWN!r}, is for sounds that resemble no example.",
        quantities=classifier_quantities(taught.model, taught.classes),
        metrics=manifest_metrics(taught),
        limits=limits_of(taught, of_base),
        training=taught.facts,
        settings={
            **classifier_settings(taught.model, taught.classes),
            "unknown": unknown_entry(taught),
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
    own = clips[spread_rows(np.arange(len(clips)), 48)].to_array(duration_s=duration_s)
    strangers = [clip for seed in range(1, 4) for clip in _scenes(model, SCENES, seed).values()]
    return np.concatenate([own, np.stack(strangers)]).astype(np.float32)
