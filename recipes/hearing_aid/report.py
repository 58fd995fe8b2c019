"""Report page of a run: metrics, timelines of decisions, training."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recipes.hearing_aid.decision import (
    MAX_FALSE_PER_MIN,
    decide_programs,
    delay_curves,
    describe_settings,
    mean_delay_s,
)
from recipes.hearing_aid.decision_search import HopPredictions
from recipes.hearing_aid.evaluation import StepEvaluation
from recipes.hearing_aid.metrics import class_table, metrics_table
from zoo.data.audio import wav_content
from zoo.data.sequences import SceneSequence
from zoo.edge.decision import DecisionSettings
from zoo.plots import Timeline, delay_against_false_switches, learning_curves, timeline
from zoo.report import Report, Sound
from zoo.training import History


@dataclass(frozen=True)
class ReportContents:
    """What a report shows.

    Attributes:
        name: of the model.
        evaluation: of its step files.
        metrics: of its manifest.
        decision: settings of the decision.
        classes: their names.
        sequences: that were measured on, by kind.
        fitted: predictions of the model on the sequences that the decision was fitted to.
        spectrogram: waveform (samples,) -> spectrogram (frames, bands) [dB].
        history: of training; None: the model was trained before.
        command: command line that repeats the run.
        frequencies_hz: of the bands of the spectrogram [Hz], (bands,).
        notices: warnings of the run.
    """

    name: str
    evaluation: StepEvaluation
    metrics: Mapping[str, Any]
    decision: DecisionSettings
    classes: Sequence[str]
    sequences: Mapping[str, Sequence[SceneSequence]]
    fitted: Sequence[HopPredictions]
    spectrogram: Callable[[np.ndarray], np.ndarray]
    history: History | None
    command: str
    frequencies_hz: np.ndarray
    notices: Sequence[str] = ()


def build_report(contents: ReportContents) -> Report:
    """Build the page."""
    report = Report(
        f"Sound classes for a hearing aid: {contents.name}",
        "A sound classifier that runs hop by hop, and a decision with hysteresis that picks the "
        "program of a hearing aid.",
        provenance={"command": contents.command},
        notices=contents.notices,
    )
    report.section("Metrics").table(metrics_table(contents.metrics))
    report.table(class_table(contents.evaluation, contents.decision, contents.classes))
    report.text(f"Settings of the decision: {describe_settings(contents.decision)}.")
    for kind, predictions in contents.evaluation.predictions.items():
        _add_delay_curve(report, contents, kind, predictions)
    report.section("Timelines", "Probabilities and decisions of the step model.")
    for kind in contents.evaluation.predictions:
        _add_timeline(report, contents, kind)
    if contents.history is not None:
        losses = {"loss": contents.history.loss, "val_loss": contents.history.val_loss}
        report.section("Training").figure(
            learning_curves(losses, loss_label="cross-entropy [nat]"),
            name="learning",
            caption=f"Training ended {contents.history.ended}.",
            alt="Training and validation loss over epochs.",
        )
    return report


def _add_delay_curve(
    report: Report, contents: ReportContents, kind: str, predictions: Sequence[HopPredictions]
) -> None:
    """Add the figure of delay against false switches on the sequences of a kind."""
    curves = delay_curves(contents.classes, contents.fitted, predictions)
    chosen = mean_delay_s(contents.decision, contents.classes, predictions)
    report.figure(
        delay_against_false_switches(curves, chosen, max_false_per_min=MAX_FALSE_PER_MIN),
        name=f"delay_{kind.split()[0]}",
        caption=f"Mean delay against false switches on the {kind}; a scene that was missed counts "
        "with its duration. Each point is the setting with the shortest delay at one limit of "
        "false switches, fitted on other sequences.",
        alt="Mean delay falls as more false switches are allowed.",
    )


def _add_timeline(report: Report, contents: ReportContents, kind: str) -> None:
    """Add the figure of the first sequence of a kind."""
    sequence, predictions = contents.sequences[kind][0], contents.evaluation.predictions[kind][0]
    samples = sequence.samples[: len(predictions.truth) * sequence.hop]
    report.figure(
        timeline(
            Timeline(
                samples=samples,
                sample_rate_hz=sequence.sample_rate_hz,
                level_db=contents.spectrogram(samples),
                probabilities=predictions.probabilities,
                truth=predictions.truth,
                programs=decide_programs(contents.decision, contents.classes, predictions),
                classes=contents.classes,
                frequencies_hz=contents.frequencies_hz,
            )
        ),
        name=f"timeline_{kind.split()[0]}",
        caption=f"The first of the {kind}.",
        alt="Waveform, spectrogram, probabilities of the classes, and the program over time.",
    )
    seconds = len(samples) / sequence.sample_rate_hz
    wav = wav_content(samples, sequence.sample_rate_hz)
    heard = Sound(f"The sequence of the figure, {seconds:.0f} s, at a common peak level", wav)
    report.sounds([heard])
