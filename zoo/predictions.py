"""Predictions of a saved model for a file: stress of a CSV file, classes of recordings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from zoo import plots
from zoo.certificate.facts import ModelFacts
from zoo.data import measured
from zoo.data.columns import Columns
from zoo.data.inertia import force_as_loading
from zoo.data.quantities import axis_label
from zoo.data.split import Quantity, Split
from zoo.edge import history
from zoo.edge.estimator import is_estimator
from zoo.edge.past import PastStart
from zoo.edge.runtime import quiet
from zoo.folders import find
from zoo.manifest import NAME, read_manifest
from zoo.metrics.regression import Predictor
from zoo.models import load, open_model
from zoo.plots.prediction import stress_prediction
from zoo.progress import say
from zoo.report import Table
from zoo.sound_predictions import (
    FolderPrediction,
    SoundPrediction,
    WindowSettings,
    predict_clips,
    predict_estimates,
    predict_folder,
    predict_hops,
    rounded,
)


@dataclass(frozen=True)
class Specimen:
    """Loading, prediction and, where it is known, response of one specimen; arrays (time,).

    Attributes:
        group: label of the specimen; empty where a file holds a single one.
        time_s: time [s].
        strain: strain [-].
        stress: predicted.
        measured: stress of the file; None if it has none.
    """

    group: str
    time_s: np.ndarray
    strain: np.ndarray
    stress: np.ndarray
    measured: np.ndarray | None


@dataclass(frozen=True)
class StressPrediction:
    """Predicted stress of every specimen of a CSV file.

    Attributes:
        name: of the model.
        unit: of the stress.
        specimens: one or more.
        loading: name and unit of what was given.
        response: name of what is predicted.
    """

    name: str
    unit: str
    specimens: Sequence[Specimen]
    loading: tuple[str, str] = ("strain", "-")
    response: str = "stress"

    def table(self) -> Table:
        """A row a sample: time, strain, prediction, measured stress where it is known."""
        has_groups = any(each.group for each in self.specimens)
        has_stress = any(each.measured is not None for each in self.specimens)
        unit = self.unit.lower() if self.unit.isalpha() else ""
        names = ["prediction", *(["measured"] if has_stress else [])]
        rows = []
        for each in self.specimens:
            columns = [each.time_s, each.strain, each.stress]
            if each.measured is not None:
                columns.append(each.measured)
            group = [each.group] if has_groups else []
            rows += [[*group, *map(rounded, row)] for row in zip(*columns, strict=True)]
        heads = [f"{name}_{unit}" if unit else name for name in names]
        return Table([*(["group"] if has_groups else []), "time_s", self.loading[0], *heads], rows)

    def figure(self) -> Figure:
        """Stress of the first specimen over time and over strain, beside the measured one."""
        first = self.specimens[0]
        label = axis_label(Quantity(self.response, self.unit, ""))
        loading = axis_label(Quantity(*self.loading, ""))
        if first.measured is None:
            return stress_prediction(
                *(first.time_s, first.strain, first.stress),
                title=self.name,
                strain_label=loading,
                stress_label=label,
            )
        return plots.identified_fit(
            *(first.time_s, first.strain, first.measured, first.stress),
            title=self.name,
            model="predicted",
            strain_label=loading,
            stress_label=label,
        )


Prediction = StressPrediction | SoundPrediction | FolderPrediction


def predict_file(
    model: str | Path,
    file: Path,
    columns: Columns | None = None,
    windows: WindowSettings | None = None,
    *,
    trust: bool = False,
    warm_up: int = 0,
) -> Prediction:
    """Predict with any saved model.

    Args:
        model: name or folder of a saved model; for stress also a `.keras` file or a SavedModel
            folder.
        file: CSV file with time and strain for a model of stress; for one of sound a recording, or
            a folder of recordings.
        columns: of the CSV file.
        windows: over a recording, for a classifier of whole clips; None: the defaults.
        trust: open a SavedModel folder, which can run any program.
        warm_up: rows of a CSV file that are the given past, of which nothing is returned.

    Raises:
        ValueError: a file or a model that cannot be read, or that do not fit together.
    """
    folder = find(model)
    manifest = read_manifest(folder) if (folder / NAME).is_file() else {}
    if "front_end" not in manifest:
        if windows is not None and windows != WindowSettings():
            raise ValueError(
                f"{folder.name} is no model of sound: leave out --hop and --threshold."
            )
        return predict_stress(folder, file, columns or Columns(), trust=trust, warm_up=warm_up)
    if warm_up or (columns is not None and columns != Columns()):
        raise ValueError(
            f"{folder.name} is a model of sound: leave out --warm-up and the columns of a CSV file."
        )
    if "step" in manifest["signatures"]:
        if windows is not None and windows != WindowSettings():
            raise ValueError(
                f"{folder.name} is a streaming model: it has hops and a decision of its own. Leave "
                "--hop and --threshold out."
            )

        by_hop = predict_estimates if is_estimator(manifest) else predict_hops

        def predict(recording: Path) -> SoundPrediction:
            return by_hop(folder, recording)

    elif "classes" not in manifest:
        raise ValueError(
            f"{folder.name} is an embedding and has no classes. Put your own on it: zoo teach "
            f"--data FOLDER --base {folder.name}"
        )
    else:
        with quiet():
            opened = load(folder, "tflite")
            # LiteRT logs to standard error in its first call
            samples = opened.shapes["waveform"][1] or 1
            opened.predict(waveform=np.zeros((1, samples), np.float32))
        settings = windows or WindowSettings()
        settings.rule_of(manifest)  # a mistake there comes before the work

        def predict(recording: Path) -> SoundPrediction:
            return predict_clips(opened, recording, settings)

    if file.is_dir():
        prediction = predict_folder(file, predict)
    else:
        prediction = predict(file)
        say(prediction.summary())
    if "step" not in manifest["signatures"]:
        say((windows or WindowSettings()).rule_of(manifest).describe())
    return prediction


def predict_stress(
    model: Path, file: Path, columns: Columns, *, trust: bool = False, warm_up: int = 0
) -> StressPrediction:
    """Stress after every row of a CSV file; each specimen is at rest before its first row.

    A model of displacement and force, or of flux density and field, reads those columns.

    Args:
        model: as for `zoo.open_model`.
        file: with columns of time and strain; one of stress is passed on to compare with.
        columns: their names.
        trust: as for `zoo.open_model`.
        warm_up: rows that are the given past: the model runs through them, they are not returned.

    Raises:
        ValueError: a file or a model that cannot be read, or a unit that cannot be converted.
    """
    predict, facts = open_model(model, trust=trust)
    columns = columns_for([facts], columns)
    specimens = []
    names_stress = columns.stress is not None or columns.area_mm2 is not None
    is_kept = facts.response != "stress" and measured.has_response(file)
    if names_stress or is_kept or measured.has_stress(file):
        data = measured.read_csv(file, columns, min_rows=2)
        start = start_of(model)
        if start is None:
            data = measured.warm_up(data, warm_up, min_rows=1)
        data = in_unit_of(file, data, [facts])
        if start is None:
            stress = predict(data.x)
        else:
            stress, data = from_past(start, predict, data, warm_up)
        warn_outside(facts, data.x if data.weight is None else data.x[data.weight > 0])
        for path, group in enumerate(data.groups):
            counts = np.ones(data.x.shape[1], bool)
            if data.weight is not None:
                counts = data.weight[path] > 0
            x = data.x[path, counts]
            time_s = np.cumsum(data.x[path, :, 2], dtype=np.float64)
            response = stress[path, counts, 0], data.y[path, counts, 0]
            specimens.append(Specimen(str(group), (time_s - time_s[0])[counts], x[:, 0], *response))
        return _prediction(file, facts, specimens)
    if start_of(model) is not None:
        say(
            f"no column of {facts.response or 'stress'}: the model begins in the virgin state, not "
            "from a measured past"
        )
    loadings = history.read_csv(file, str(file), columns, facts.loading)
    measured.say_notes(str(file), loadings[0].notes)
    warn_outside(facts, np.concatenate([loading.x for loading in loadings]))
    for loading in loadings:
        stress = predict(loading.x[None].astype(np.float32))[0, :, 0]
        strain = loading.x[:, 0]
        rows = slice(warm_up, None)
        columns_of_it = (loading.time_s[rows], strain[rows], stress[rows])
        specimens.append(Specimen(loading.group, *columns_of_it, None))
    if not all(len(each.stress) for each in specimens):
        raise ValueError(f"{file}: a warm-up of {warm_up} rows leaves none. Give fewer rows.")
    return _prediction(file, facts, specimens)


def covariates_of(facts: Sequence[ModelFacts]) -> tuple[str, ...]:
    """Covariates that models take, each once.

    Args:
        facts: of the models.
    """
    return tuple(dict.fromkeys(name for each in facts for name in each.covariates))


def columns_for(facts: Sequence[ModelFacts], columns: Columns) -> Columns:
    """Columns with the covariates that models take, where none are named.

    Args:
        facts: of the models.
        columns: as the user names them.

    Raises:
        ValueError: another number of covariates is named than the models take.
    """
    own, given = covariates_of(facts), columns.covariates
    if given and len(given) != len(own):
        names = ", ".join(each.name for each in facts)
        raise ValueError(
            f"--covariate: {names} takes {', '.join(own) or 'no covariate'}, got "
            f"{', '.join(given)}. Name one column for each in that order, or leave it out."
        )
    return columns if given else replace(columns, covariates=own)


def start_of(model: str | Path) -> PastStart | None:
    """How a saved model starts from a measured past; None where it begins at rest.

    Args:
        model: name or folder.
    """
    folder = find(model)
    entries = read_manifest(folder) if (folder / NAME).is_file() else {}
    entry = entries.get("start_from_past")
    return None if entry is None else PastStart.from_entry(entry)


def from_past(
    start: PastStart, predict: Predictor, data: Split, warm_up: int
) -> tuple[np.ndarray, Split]:
    """Response (paths, time, 1) from the past of each record, and the records without that past.

    Args:
        start: of the model.
        predict: the model, from rest.
        data: records with their measured response.
        warm_up: rows of the past; 0: as long as that of the export.

    Raises:
        ValueError: a record that is not longer than its past.
    """
    stress = np.zeros_like(data.y)
    weight = np.ones(data.y.shape[:2], np.float32) if data.weight is None else data.weight.copy()
    for path in range(len(stress)):
        end = int(np.flatnonzero(weight[path] > 0)[-1]) + 1
        x, y = data.x[path : path + 1, :end], data.y[path : path + 1, :end, 0]
        given = warm_up or start.rows(x[0, :, 2])
        stress[path, :end, 0] = start.respond(predict, x, y, given)
        weight[path, :given] = 0
        of = f" of {data.groups[path]}" if str(data.groups[path]) else ""
        say(
            f"the first {given} rows{of} are the measured past, from which the model starts; "
            "predictions follow it"
        )
    return stress, replace(data, weight=weight)


def _prediction(file: Path, facts: ModelFacts, specimens: Sequence[Specimen]) -> StressPrediction:
    for each in specimens:
        lost = np.flatnonzero(~np.isfinite(each.stress))
        if len(lost):
            of = f" of {each.group}" if each.group else ""
            raise ValueError(
                f"{file}: {facts.name} has no finite {facts.response or 'stress'}{of} from "
                f"{each.time_s[lost[0]]:.6g} s on: the loading lies far outside of what it can "
                "follow. Give shorter time steps, or a loading in its range."
            )
    return StressPrediction(
        facts.name, facts.unit, specimens, facts.loading, facts.response or "stress"
    )


def warn_outside(facts: ModelFacts, x: np.ndarray) -> None:
    """Say on standard error what of a loading the model was not trained on.

    Args:
        facts: of the model; without a trained range nothing is said.
        x: strain, rate, time step and covariates, (..., 3 or more).
    """
    clauses = facts.trained.excess(x, facts.loading, facts.covariates) if facts.trained else []
    if clauses:
        say(f"warning: outside the range that {facts.name} was trained on: {'; '.join(clauses)}")


def _loading_of(file: Path, data: Split, facts: ModelFacts) -> Split:
    """A test whose loading is the model's, in its unit."""
    pair = data.inputs[0].name, data.targets[0].name
    if pair == ("displacement", "force") == (facts.response, facts.loading[0]):
        data = force_as_loading(data, f"{facts.name} takes a force")
        measured.say_notes(str(file), data.notes[-1:])
    own, (name, unit) = data.inputs[0], facts.loading
    if own.name != name:
        cure = (
            "Give --gauge-length and --area"
            if name == "strain"
            else "Name the columns by --stretch and --stress COLUMN, in their order"
        )
        raise ValueError(f"{file}: the loading is {own.name}, {facts.name} takes {name}. {cure}.")
    factor = 1.0 if "-" in (own.unit, unit) else measured.convert_response(own.unit, unit)
    if factor is None:
        raise ValueError(f"{file}: {own.name} in {own.unit}, expected {unit}. Convert the column.")
    if factor == 1:
        return data
    x = data.x.copy()
    x[..., :2] *= factor
    measured.say_notes(str(file), [f"{name} converted from {own.unit} to {unit}"])
    return replace(data, x=x, inputs=(replace(own, unit=unit), *data.inputs[1:]))


def in_unit_of(file: Path, data: Split, facts: Sequence[ModelFacts]) -> Split:
    """A test with stress in the unit that models predict, as far as both are known.

    Args:
        file: measured test.
        data: its content.
        facts: of the models.

    Raises:
        ValueError: models of different units, or a unit that cannot be converted.
    """
    for each in facts:
        data = _loading_of(file, data, each)
    unit = data.targets[0].unit
    known = {each.unit for each in facts} - {"-"}
    if unit == "-" or not known or known == {unit}:
        return data
    converted = measured.in_unit(data, known.pop()) if len(known) == 1 else None
    if converted is None:
        others = ", ".join(f"{each.name} in {each.unit}" for each in facts)
        raise ValueError(
            f"{file}: {data.targets[0].name} in {unit}, predicted is {others}. Convert the column."
        )
    measured.say_notes(str(file), converted.notes[-1:])
    return converted
