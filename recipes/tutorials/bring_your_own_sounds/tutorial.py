"""Tutorial: from a folder of recordings to a TFLite file that classifies them.

Run it with `python -m recipes.tutorials.bring_your_own_sounds`; it takes one to two minutes, prints
its results and writes its files to runs/tutorials/bring_your_own_sounds/. Read it from top to
bottom: every section is one function, and `run` at the end calls them in this order.

To use recordings of your own, skip section 1 and give your folder to section 2. The same steps from
the command line are `zoo data FOLDER` and `python -m recipes.scenes --data FOLDER`.
"""

import csv
import io
from pathlib import Path

import keras
import numpy as np
import soundfile

import zoo
from recipes.tutorials.common import save_figure
from zoo import crossvalidation, export, presets
from zoo.convnets import last_float_layer_of, split_model
from zoo.crossvalidation import AugmentationSettings, TrainingSettings, pool_predictions
from zoo.data import corpora, synthesis
from zoo.data.clips import Clips
from zoo.data.folds import group_keys, make_folds
from zoo.data.recordings import load_clips
from zoo.data.summary import summarize_corpus
from zoo.explain import explain
from zoo.export.sound import classifier_quantities, classifier_settings
from zoo.files import write_bytes, write_text
from zoo.metrics.bootstrap import bootstrap_interval
from zoo.metrics.multiclass import confusion_matrix
from zoo.plots import multiclass as plots
from zoo.progress import say

NAME = "bring_your_own_sounds"
NETWORK = "residual_tiny"
CLASSES = ("babble", "speech", "speech_in_noise", "wind")
SITES, TAKES = 8, 2  # places, each with a microphone of its own; recordings of each class there
DURATION_S, RATE_HZ = 2.0, 16_000

# 1. The folder
# -------------
# One folder per class, one file per recording. A second file, groups.csv, says which recordings
# belong together, here those of one place and microphone. It matters: a network can recognise a
# microphone instead of a sound, and if clips of one place are in training and test, the accuracy is
# too high. Use what cannot be in both in your data: the place, the speaker, the patient, the day.


def write_recordings(folder: Path, quick: bool) -> None:
    """Class folders of synthetic recordings, and the table of their groups."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["filename", "group"])
    for number in range(4 if quick else SITES):
        site = synthesis.draw_site(number)
        for label in CLASSES:
            for take in range(1 if quick else TAKES):
                clip = synthesis.scene(
                    label,
                    seed=10 * number + take,
                    site=site,
                    duration_s=DURATION_S,
                    sample_rate_hz=RATE_HZ,
                )
                name = f"{label}/{site.name}-{take}.wav"
                content = io.BytesIO()
                soundfile.write(content, clip.samples, RATE_HZ, format="WAV", subtype="PCM_16")
                write_bytes(folder / name, content.getvalue())
                writer.writerow([name, site.name])
    write_text(folder / "groups.csv", table.getvalue())


# 2. Inspection
# -------------
# Before anything is trained: how much sound of each class, at which rates, and are there damaged,
# silent or clipped files? The summary decodes every file and names the ones that cannot be used.


def inspect_recordings(recordings: Path, folder: Path) -> Clips:
    """Print and draw what is in the folder, and load it."""
    summary = summarize_corpus(recordings)
    print(summary.text())
    save_figure(summary.figure(), folder / "1_recordings.png")
    return load_clips(corpora.read(recordings).index, sample_rate_hz=RATE_HZ)


# 3. Training on folds
# --------------------
# The front end, waveform to a log-mel spectrogram with 64 bands, is part of the model and is not
# trained, so it is computed once for all clips. Behind it is a small residual convolutional
# network. Each fold trains a new one and tests it on the places that the fold holds out: stratified
# group k-fold cross-validation.
#
# A baseline stands beside it: a linear classifier on the mean and deviation of each band. With no
# more than these 64 clips and a short training it is as good as the network. A network pays off
# with more recordings, and the interval tells how much of a difference is chance.


def build() -> keras.Model:
    """A new classifier: waveform in, probabilities of the classes out."""
    keras.utils.set_random_seed(0)
    return presets.sound(NETWORK, len(CLASSES), sample_rate_hz=RATE_HZ, duration_s=DURATION_S)


def cross_validate(features: Clips, settings: TrainingSettings, folder: Path, quick: bool) -> float:
    """Accuracy on held-out places with its confidence interval, beside a linear baseline."""
    folds = (
        make_folds(features.index, count=2)[:1] if quick else make_folds(features.index, count=4)
    )
    results = crossvalidation.cross_validate(build, features, folds, settings)
    accuracy = {}
    for name, parts in (
        (NETWORK, [result.test for result in results]),
        ("linear baseline", [result.baseline for result in results]),
    ):
        predictions = pool_predictions(parts)
        is_correct = predictions.probabilities.argmax(axis=1) == predictions.labels
        # Clips of one place are alike: the bootstrap draws whole places, not clips.
        groups = group_keys(features.index)[predictions.rows]
        accuracy[name] = bootstrap_interval(lambda rows, c=is_correct: c[rows].mean(), groups)
        print(f"{name}: accuracy {accuracy[name]}")
    pooled = pool_predictions([result.test for result in results])
    matrix = confusion_matrix(pooled.labels, pooled.probabilities)
    save_figure(plots.confusion_matrix(matrix, CLASSES), folder / "2_confusion.png")
    return accuracy[NETWORK].value


# 4. The model to use
# -------------------
# Cross-validation measures; the model that is used afterwards is trained on all clips, with the
# same settings. Its accuracy is the one measured above: it has no test clips left of its own.


def train_on_all(features: Clips, settings: TrainingSettings) -> keras.Model:
    """One model, trained on every clip."""
    model = build()
    rows = np.arange(len(features))
    crossvalidation.train_network(model, features, rows, None, settings, "all")
    return model


# 5. An explanation
# -----------------
# Which part of the sound does a prediction rest on? Occlusion sensitivity covers one patch of the
# spectrogram after the other with the mean of the training data, and measures how far the log-odds
# of the class fall. The answer is in seconds and hertz. The clip is from a place that is not among
# the recordings.


def explain_clip(model: keras.Model, folder: Path) -> np.ndarray:
    """Print and draw the evidence for the class of a new clip; returns its waveform."""
    site = synthesis.draw_site(SITES + 1)
    clip = synthesis.scene(
        "speech", seed=1, site=site, duration_s=DURATION_S, sample_rate_hz=RATE_HZ
    )
    explanation = explain(model, clip.samples, CLASSES)
    print(f"a new clip of speech is classified as {explanation.sentence()}")
    save_figure(explanation.figure(), folder / "3_evidence.png")
    return clip.samples


# 6. Export
# ---------
# A device takes one TFLite file, waveform in, probabilities out, with built-in operations only. The
# front end stays in float32; the network behind it can be int8, which is a third of the size. Every
# file is checked in a fresh process before the folder appears. A device runs it with two packages,
# numpy and ai-edge-litert: see zoo.edge.


def export_and_run(model: keras.Model, clips: Clips, accuracy: float, waveform: np.ndarray) -> Path:
    """Export the classifier, and classify the new clip by its TFLite files."""
    folder = Path(clips.index["path"].iloc[0]).parents[2] / "model"
    about = export.About(
        name="my-sounds",
        task="sound classification, synthetic recordings",
        description=f"{NETWORK}: from {DURATION_S:g} s of sound to {len(CLASSES)} probabilities.",
        quantities=classifier_quantities(model, CLASSES),
        metrics={"cross-validation": {"accuracy": {"value": accuracy}}},
        limits=["Trained in a tutorial, on synthetic recordings."],
        training={"seed": 0, "clips": len(clips)},
        settings=classifier_settings(model, CLASSES),
        data_licence="Synthetic sound, generated by this package.",
        provenance=f"Made by `python -m recipes.tutorials.{NAME}`.",
    )
    options = export.ExportOptions(
        examples=clips.to_array(duration_s=DURATION_S),
        files=(("serving_default", "float32"), ("serving_default", "int8")),
        front=last_float_layer_of(model),
    )
    golden = {"speech": waveform}
    export.write(folder, about, export.Endpoints(model), golden, options, progress=say)
    for file in ("model.tflite", "model_int8.tflite"):
        loaded = zoo.load(folder, file)
        probabilities = loaded.predict(waveform=waveform[None])["probabilities"][0]
        best = int(probabilities.argmax())
        size_kb = (folder / file).stat().st_size / 1000
        print(f"{file}, {size_kb:.0f} kB: {CLASSES[best]} {probabilities[best]:.2f}")
    return folder


def run(folder: Path, quick: bool = False) -> None:
    """The tutorial.

    Args:
        folder: folder of the files.
        quick: whether to train hardly at all, as a smoke test.
    """
    # a folder of its own: recordings of a whole run would have no group in its table
    recordings = folder / ("recordings_quick" if quick else "recordings")
    write_recordings(recordings, quick)
    clips = inspect_recordings(recordings, folder)
    front, _ = split_model(build())
    features = clips.with_features(front, duration_s=DURATION_S)
    settings = TrainingSettings(
        epochs=1 if quick else 5,
        steps_per_epoch=1 if quick else 10,
        augmentation=AugmentationSettings(same_class=0.5),
    )
    accuracy = cross_validate(features, settings, folder, quick)
    model = train_on_all(features, settings)
    waveform = explain_clip(model, folder)
    if not quick:  # the conversion takes longer than a smoke test may
        print(f"model: {export_and_run(model, clips, accuracy, waveform)}")
