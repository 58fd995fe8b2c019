"""Report page of a run: metrics, timelines of decisions, training."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recipes.hearing_aid.conditions import (
    Conditions,
    confusion_table,
    level_table,
    snr_panels,
    snr_table,
)
from recipes.hearing_aid.decision import (
    MAX_FALSE_PER_MIN,
    decide_programs,
    delay_curves,
    describe_settings,
    mean_delay_s,
)
from recipes.hearing_aid.decision_search import HopPredictions
from recipes.hearing_aid.evaluation import StepEvaluation
from recipes.hearing_aid.metrics import metrics_table
from recipes.hearing_aid.summary import class_delays, summary_table
from zoo.data.page_sound import wav_content
from zoo.data.sequences import SceneSequence
from zoo.edge.decision import DecisionSettings
from zoo.metrics.switching import NO_PROGRAM
from zoo.plots import (
    Timeline,
    delay_against_false_switches,
    found_over_time,
    learning_curves,
    shares_by_condition,
    timeline,
)
from zoo.report import Report, Sound
from zoo.training import History

MAX_FAILURES, FAILURE_S = 8, 5.0  # sounds of mistakes, and of each at most [s]


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
        conditions: programs over signal-to-noise ratio and level; None: not measured.
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
    conditions: Conditions | None = None


def build_report(contents: ReportContents) -> Report:
    """Build the page."""
    report = Report(
        f"Sound classes for a hearing aid: {contents.name}",
        "A sound classifier that runs hop by hop, and a decision with hysteresis that picks the "
        "program of a hearing aid.",
        provenance={"command": contents.command},
        notices=contents.notices,
    )
    report.section("Summary", "The program that runs, beside the scene that is there.")
    report.table(summary_table(contents.metrics))
    for kind, predictions in contents.evaluation.predictions.items():
        programs = [decide_programs(contents.decision, contents.classes, p) for p in predictions]
        hop_s = predictions[0].hop_s
        pairs = list(zip([each.truth for each in predictions], programs, strict=True))
        report.table(confusion_table(pairs, contents.classes, kind))
        _add_delays(report, contents, kind, class_delays(pairs, contents.classes, hop_s))
        _add_delay_curve(report, contents, kind, predictions)
    if contents.conditions is not None:
        _add_conditions(report, contents.conditions)
    report.section("Timelines", "Probabilities and decisions of the step model.")
    for kind in contents.evaluation.predictions:
        _add_timeline(report, contents, kind)
    report.section("Failures", "The longest stretch of each mistake, to listen to.")
    for kind, predictions in contents.evaluation.predictions.items():
        report.sounds(failures(contents.sequences[kind], predictions, contents))
    if contents.history is not None:
        losses = {"loss": contents.history.loss, "val_loss": contents.history.val_loss}
        report.section("Training").figure(
            learning_curves(losses, loss_label="cross-entropy [nat]"),
            name="learning",
            caption=f"Training ended {contents.history.ended}.",
            alt="Training and validation loss over epochs.",
        )
    report.section("All metrics").table(metrics_table(contents.metrics))
    report.text(f"Settings of the decision: {describe_settings(contents.decision)}.")
    return report


def _add_delays(
    report: Report, contents: ReportContents, kind: str, delays_s: Mapping[str, np.ndarray]
) -> None:
    """Add the figure of the scenes found over time, by class."""
    named = {name.replace("_", " "): each for name, each in delays_s.items()}
    scenes = ", ".join(f"{len(each)} of {name}" for name, each in named.items())
    report.figure(
        found_over_time(named),
        name=f"found_{kind.split()[0]}",
        caption=f"How soon the right program runs, {kind}: share of the scenes in which it came "
        f"within this time. Scenes: {scenes}.",
        alt="Share of the scenes found rises over the time since the scene changed.",
    )


def _add_conditions(report: Report, conditions: Conditions) -> None:
    """Add programs over signal-to-noise ratio and level."""
    report.section(
        "Level and signal-to-noise ratio", "Scenes of one condition, the first 2 s left out."
    )
    report.figure(
        shares_by_condition(
            snr_panels(conditions),
            [f"{level:g}" for level in conditions.levels_db_spl],
            [f"{snr:g}" for snr in conditions.snrs_db],
            ("level [dB SPL]", "signal-to-noise ratio [dB]"),
        ),
        name="speech_conditions",
        caption="Share of the time [%] in each program while someone speaks in noise, children or "
        "vehicles.",
        alt="Speech in noise at low ratios, speech at high ones.",
    )
    report.table(snr_table(conditions)).table(level_table(conditions))


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


def failures(
    sequences: Sequence[SceneSequence],
    predictions: Sequence[HopPredictions],
    contents: ReportContents,
) -> list[Sound]:
    """The longest stretch of each pair of scene and wrong program, the longest first."""
    longest: dict[tuple[str, str], tuple[int, int, int]] = {}
    for number, each in enumerate(predictions):
        programs = decide_programs(contents.decision, contents.classes, each)
        states = np.stack([each.truth, programs])
        starts = np.flatnonzero(np.any(states[:, 1:] != states[:, :-1], axis=0)) + 1
        bounds = [0, *starts.tolist(), len(programs)]
        for start, end in itertools.pairwise(bounds):
            truth, program = int(each.truth[start]), int(programs[start])
            if program not in (truth, NO_PROGRAM):
                pair = contents.classes[truth], contents.classes[program]
                if end - start > longest.get(pair, (0, 0, 0))[0]:
                    longest[pair] = end - start, number, start
    order = sorted(longest.items(), key=lambda item: -item[1][0])
    sounds = []
    for (truth, program), (hops, number, start) in order[:MAX_FAILURES]:
        sequence, hop_s = sequences[number], predictions[number].hop_s
        end = min(hops, round(FAILURE_S / hop_s))
        samples = sequence.samples[start * sequence.hop : (start + end) * sequence.hop]
        text = (
            f"{truth} taken for {program} for {hops * hop_s:.1f} s, at "
            f"{start * hop_s:.0f} s of sequence {number + 1}"
        )
        sounds.append(Sound(text.replace("_", " "), wav_content(samples, sequence.sample_rate_hz)))
    return sounds


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
    recording = Sound(f"The sequence of the figure, {seconds:.0f} s, at a common peak level", wav)
    report.sounds([recording])
