"""Predictions of a saved model for a file: stress of a CSV file, classes of a recording."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import zoo.edge
from zoo import plots
from zoo.certificate.facts import ModelFacts
from zoo.data import audio, measured
from zoo.data.columns import Columns
from zoo.data.cutting import cut
from zoo.data.split import Split
from zoo.edge import capture, history
from zoo.edge.classifier import HopResult, StreamClassifier
from zoo.edge.condition import Condition
from zoo.edge.labels import ClipLabel, LabelRule, clip_condition
from zoo.edge.runtime import quiet
from zoo.folders import find
from zoo.manifest import NAME, read_manifest
from zoo.models import LoadedModel, load, open_model
from zoo.plots.prediction import class_probabilities, stress_prediction
from zoo.progress import say
from zoo.report import Table


@dataclass(frozen=True)
class Specimen:
    """Loading, prediction and, where it is known, response of one specimen; arrays (time,).

    Attributes:
        group: label of the specimen; empty where a file holds a single one.
        time_s: time [s].
        stretch: stretch [-].
        stress: predicted.
        measured: stress of the file; None if it has none.
    """

    group: str
    time_s: np.ndarray
    stretch: np.ndarray
    stress: np.ndarray
    measured: np.ndarray | None


@dataclass(frozen=True)
class StressPrediction:
    """Predicted stress of every specimen of a CSV file.

    Attributes:
        name: of the model.
        unit: of the stress.
        specimens: one or more.
    """

    name: str
    unit: str
    specimens: Sequence[Specimen]

    def table(self) -> Table:
        """A row a sample: time, stretch, prediction, measured stress where it is known."""
        has_groups = any(each.group for each in self.specimens)
        has_stress = any(each.measured is not None for each in self.specimens)
        unit = self.unit.lower() if self.unit.isalpha() else ""
        names = ["prediction", *(["measured"] if has_stress else [])]
        rows = []
        for each in self.specimens:
            columns = [each.time_s, each.stretch, each.stress]
            if each.measured is not None:
                columns.append(each.measured)
            group = [each.group] if has_groups else []
            rows += [[*group, *map(_rounded, row)] for row in zip(*columns, strict=True)]
        heads = [f"{name}_{unit}" if unit else name for name in names]
        return Table([*(["group"] if has_groups else []), "time_s", "stretch", *heads], rows)

    def figure(self) -> Figure:
        """Stress of the first specimen over time and over stretch, beside the measured one."""
        first = self.specimens[0]
        label = f"stress σ [{self.unit}]"
        if first.measured is None:
            return stress_prediction(
                first.time_s, first.stretch, first.stress, title=self.name, stress_label=label
            )
        return plots.identified_fit(
            *(first.time_s, first.stretch, first.measured, first.stress),
            title=self.name,
            model="predicted",
            stress_label=label,
        )


@dataclass(frozen=True)
class ClipPrediction:
    """Probabilities of the classes in consecutive clips of a recording.

    Attributes:
        name: of the recording.
        classes: names.
        starts_s: start of each clip [s], (clips,).
        ends_s: end of each clip [s], (clips,).
        probabilities: (clips, classes), NaN for a clip that cannot be classified.
        labels: of each clip, by the rule in the manifest of the model.
    """

    name: str
    classes: Sequence[str]
    starts_s: np.ndarray
    ends_s: np.ndarray
    probabilities: np.ndarray
    labels: Sequence[ClipLabel]

    def table(self) -> Table:
        """A row a clip: start, end, condition, label, and the probability of each class.

        The label is empty where the model abstains or the clip cannot be classified, the
        probabilities in the latter case.
        """
        rows = []
        for k, label in enumerate(self.labels):
            is_sound = label.condition is Condition.SOUND
            values = [_rounded(p) if is_sound else None for p in self.probabilities[k]]
            times = _rounded(self.starts_s[k]), _rounded(self.ends_s[k])
            rows.append([*times, str(label.condition), label.name, *values])
        return Table(["start_s", "end_s", "condition", "prediction", *self.classes], rows)

    def figure(self) -> Figure:
        """Heat map of the probabilities over time."""
        return class_probabilities(
            self.starts_s, self.ends_s, self.probabilities, self.classes, title=self.name
        )


@dataclass(frozen=True)
class HopPrediction:
    """Results of a streaming classifier, hop by hop.

    Attributes:
        name: of the recording.
        classes: names.
        hop_s: length of a hop [s].
        hops: one result each.
    """

    name: str
    classes: Sequence[str]
    hop_s: float
    hops: Sequence[HopResult]

    def table(self) -> Table:
        """A row a hop: its end, condition, level, program, and the probability of each class."""
        rows = []
        for hop in self.hops:
            values = [None] * len(self.classes)
            if hop.probabilities is not None:
                values = [_rounded(value) for value in hop.probabilities]
            level = _rounded(hop.level_dbfs)
            rows.append(
                [_rounded(hop.time_s), str(hop.condition), level, hop.program.name, *values]
            )
        columns = ["time_s", "condition", "level_dbfs", "program"]
        return Table([*columns, *self.classes], rows)

    def figure(self) -> Figure:
        """Heat map of the probabilities over time; blank where a hop was not classified."""
        blank = np.full(len(self.classes), np.nan)
        ends_s = np.array([hop.time_s for hop in self.hops])
        return class_probabilities(
            ends_s - self.hop_s,
            ends_s,
            np.stack([blank if h.probabilities is None else h.probabilities for h in self.hops]),
            self.classes,
            title=self.name,
        )


Prediction = StressPrediction | ClipPrediction | HopPrediction


def predict_file(
    model: str | Path,
    file: Path,
    columns: Columns | None = None,
    hop_s: float | None = None,
    *,
    trust: bool = False,
) -> Prediction:
    """Predict with any saved model.

    Args:
        model: name or folder of a saved model; for stress also a `.keras` file or a SavedModel
            folder.
        file: CSV file with time and stretch for a model of stress, a recording for one of sound.
        columns: of the CSV file.
        hop_s: distance of the clips of a recording [s]; None: they do not overlap.
        trust: open a SavedModel folder, which can run any program.

    Raises:
        ValueError: a file or a model that cannot be read, or that do not fit together.
    """
    folder = find(model)
    manifest = read_manifest(folder) if (folder / NAME).is_file() else {}
    if "front_end" not in manifest:
        return predict_stress(folder, file, columns or Columns(), trust=trust)
    if "step" in manifest["signatures"]:
        return predict_hops(folder, file)
    with quiet():
        return predict_clips(load(folder, "tflite"), file, hop_s)


def predict_stress(
    model: Path, file: Path, columns: Columns, *, trust: bool = False
) -> StressPrediction:
    """Stress after every row of a CSV file; each specimen is at rest before its first row.

    Args:
        model: as for `zoo.open_model`.
        file: with columns of time and stretch; one of stress is passed on to compare with.
        columns: their names.
        trust: as for `zoo.open_model`.

    Raises:
        ValueError: a file or a model that cannot be read, or a unit that cannot be converted.
    """
    predict, facts = open_model(model, trust=trust)
    specimens = []
    names_stress = columns.stress is not None or columns.area_mm2 is not None
    if names_stress or measured.has_stress(file):
        data = measured.read_csv(file, columns, min_rows=2)
        data = in_unit_of(file, data, [facts])
        stress = predict(data.x)
        warn_outside(facts, data.x if data.weight is None else data.x[data.weight > 0])
        for path, group in enumerate(data.groups):
            counts = np.ones(data.x.shape[1], bool)
            if data.weight is not None:
                counts = data.weight[path] > 0
            x = data.x[path, counts]
            time_s = np.cumsum(x[:, 2], dtype=np.float64)
            response = stress[path, counts, 0], data.y[path, counts, 0]
            specimens.append(Specimen(str(group), time_s - time_s[0], x[:, 0], *response))
        return StressPrediction(facts.name, facts.unit, specimens)
    loadings = history.read_csv(file, str(file), columns)
    measured.say_notes(str(file), loadings[0].notes)
    warn_outside(facts, np.concatenate([loading.x for loading in loadings]))
    for loading in loadings:
        stress = predict(loading.x[None].astype(np.float32))[0, :, 0]
        strain = loading.x[:, 0]
        specimens.append(Specimen(loading.group, loading.time_s, strain, stress, None))
    return StressPrediction(facts.name, facts.unit, specimens)


def warn_outside(facts: ModelFacts, x: np.ndarray) -> None:
    """Say on standard error what of a loading the model was not trained on.

    Args:
        facts: of the model; without a trained range nothing is said.
        x: strain, rate and time step, (..., 3).
    """
    clauses = facts.trained.excess(x) if facts.trained else []
    if clauses:
        say(f"warning: outside the range that {facts.name} was trained on: {'; '.join(clauses)}")


def in_unit_of(file: Path, data: Split, facts: Sequence[ModelFacts]) -> Split:
    """A test with stress in the unit that models predict, as far as both are known.

    Args:
        file: measured test.
        data: its content.
        facts: of the models.

    Raises:
        ValueError: models of different units, or a unit that cannot be converted.
    """
    unit = data.targets[0].unit
    known = {each.unit for each in facts} - {"-"}
    if unit == "-" or not known or known == {unit}:
        return data
    converted = measured.in_unit(data, known.pop()) if len(known) == 1 else None
    if converted is None:
        others = ", ".join(f"{each.name} in {each.unit}" for each in facts)
        raise ValueError(f"{file}: stress in {unit}, predicted is {others}. Convert the column.")
    measured.say_notes(str(file), converted.notes[-1:])
    return converted


def predict_clips(model: LoadedModel, file: Path, hop_s: float | None = None) -> ClipPrediction:
    """Probabilities of the classes, and labels, in clips that cover a recording.

    The last clip ends with the recording. A recording shorter than a clip is repeated, as in
    training.

    Args:
        model: classifier of whole clips.
        file: recording.
        hop_s: from the start of one clip to the next [s]; None: the length of a clip.

    Raises:
        ValueError: a recording that cannot be used.
    """
    manifest = model.manifest
    rate_hz = int(manifest["front_end"]["sample_rate_hz"])
    try:
        waveform, _ = audio.read(file, sample_rate_hz=rate_hz)
    except audio.DamagedRecording as error:
        raise ValueError(f"{file}: {error}") from None
    length = model.shapes["waveform"][1] or len(waveform)
    hop = length if hop_s is None else max(1, round(hop_s * rate_hz))
    last = max(0, len(waveform) - length)
    starts = np.array([*range(0, last, hop), last])
    clips = np.stack([cut(waveform[start:], length, at=0.0) for start in starts])
    rule = LabelRule.from_manifest(manifest)
    say(rule.describe())
    probabilities = np.full((len(clips), len(rule.classes)), np.nan)
    is_sound = np.array([clip_condition(clip) is Condition.SOUND for clip in clips])
    if is_sound.any():
        probabilities[is_sound] = model.predict(waveform=clips[is_sound])["probabilities"]
    labels = [rule.classify(clip, p) for clip, p in zip(clips, probabilities, strict=True)]
    ends_s = np.minimum(starts + length, len(waveform)) / rate_hz
    return ClipPrediction(file.name, rule.classes, starts / rate_hz, ends_s, probabilities, labels)


def predict_hops(model: Path, file: Path) -> HopPrediction:
    """Results of a streaming classifier for every hop of a recording.

    Args:
        model: folder of a step model of sound.
        file: recording of any sample rate.

    Raises:
        ValueError: a recording or a model that cannot be used.
    """
    with quiet():
        step_model = zoo.edge.open(model)
        step_model.warm_up()
    source = capture.from_file(file)
    classifier = StreamClassifier(step_model, source.sample_rate_hz)
    hops = [hop for block in source.blocks for hop in classifier.process(block)]
    hops += classifier.finish()
    if not hops:
        raise ValueError(f"{file}: shorter than a hop of {1000 * classifier.hop_s:g} ms.")
    return HopPrediction(file.name, classifier.classes, classifier.hop_s, hops)


def _rounded(value: Any) -> float:
    """With the six digits that a float32 has."""
    return float(f"{value:.6g}")
