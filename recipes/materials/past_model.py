"""A law in closed form that starts from the measured past of a record, scored over folds, exported.

What the card says was predicted by laws that had not seen the record: each fold's own weights, a
start from the record's past, and what follows it. The exported weights are fitted to all records.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from recipes.materials.board import LINEAR_RIDGE, law_model
from recipes.materials.board_scores import with_covariates_of
from recipes.materials.measured_model import LICENCES, trimmed
from recipes.materials.measured_sets import Fold, MeasuredSet, counted, read_set
from recipes.materials.settings import MeasuredSettings
from zoo import plots, presets
from zoo.data.quantities import axis_label
from zoo.data.split import Split
from zoo.edge.past import PastStart
from zoo.identification.linear import LinearLaw, set_linear_weights
from zoo.metrics import regression
from zoo.progress import say
from zoo.recurrent import predictor
from zoo.report import Report
from zoo.stress.experiment import Experiment
from zoo.stress.exporting import export_stress_model
from zoo.stress.scoring import Errors, fit_laws, score_table
from zoo.stress.trained import TrainedModel

HELD_OUT = "held out, after the past"
PAST_SHARE = 3  # of a record without a fixed past, its first third is given


@dataclass(frozen=True)
class FoldErrors:
    """What laws reach on records that they had not seen.

    Attributes:
        records: RMSE/RMS of each record after its past, by its name.
        scores: model -> errors, pooled over all records.
        typical: the record of median error: loading, measured and predicted response.
    """

    records: dict[str, float]
    scores: dict[str, Errors]
    typical: plots.Loop


def run(settings: MeasuredSettings) -> None:
    """Score over folds, fit to all records, write page and model.

    Args:
        settings: of a law that is linear in its weights.

    Raises:
        ValueError: a target that cannot be written, or data that are not there.
    """
    settings.paths.check()
    data_set = with_covariates_of(
        read_set(settings.data_set, settings.data, settings.warm_up), settings.law
    )
    data_set = replace(data_set, data=trimmed(data_set.data))
    errors = score_folds(data_set, settings.law)
    model, start = fit_start(data_set, settings.law, range(len(data_set.data.x)))
    data = after_past(data_set, start)
    experiment = Experiment(
        train=data,
        validation=data,
        tests={"records": data},
        cycle=data.select([0]),
        shown=("records",),
        refinement=None,
        material={},
        limits=[data_set.what, data_set.split, _figures(errors), _start_sentence(data, start)],
        data_licence=LICENCES[data_set.name],
    )
    name = settings.law.split("+")[0]
    description = presets.named(name).description
    trained = TrainedModel(model, description, experiment, errors.scores, settings.command)
    say(f"report: {_report(settings, trained, errors).write(settings.paths.report)[-1]}")
    export_stress_model(
        settings.paths.model,
        settings.name,
        trained,
        training={"records": len(data.x), "folds": len(data_set.folds), "ridge": LINEAR_RIDGE},
        entries={"start_from_past": start.entry()},
    )
    say(f"model: {settings.paths.model}")


def score_folds(data_set: MeasuredSet, law: str) -> FoldErrors:
    """Errors after the past on records that a fit has not seen, beside simple laws.

    Args:
        data_set: records and folds.
        law: name of a preset that is linear in its weights, or that with covariates.
    """
    held: dict[str, np.ndarray] = {}
    data = data_set.data
    start: PastStart | None = None
    for fold in data_set.folds:
        model, start = fit_start(data_set, law, fold.learn)
        baselines = {
            name: each.predict for name, each in fit_laws(_learnt(data_set, fold, start)).items()
        }
        predict = predictor(model)
        for name, each in {law: predict, **baselines}.items():
            own = start if each is predict else replace(start, preloads=())
            response = held.setdefault(name, np.zeros(data.y.shape[:2]))
            response[list(fold.score)] = respond(own, each, data.select(fold.score))
        say(f"{fold.name}: done")
    assert start is not None
    after = after_past(data_set, start)
    weight = np.ones(after.y.shape[:2], np.float32) if after.weight is None else after.weight
    scores = {
        name: regression.errors_by_split(
            lambda x, response=response: response[..., None], {HELD_OUT: (data.x, data.y, weight)}
        )
        for name, response in held.items()
    }
    records, keeps = {}, [np.asarray(each) > 0 for each in weight]
    for path, keep in enumerate(keeps):
        truth = data.y[path, keep, 0].astype(np.float64)
        gap = held[law][path, keep] - truth
        records[str(data.groups[path])] = float(np.sqrt(np.mean(gap**2) / np.mean(truth**2)))
    middle = int(np.argsort(list(records.values()))[len(records) // 2])
    keep = keeps[middle]
    curves = data.x[middle, keep, 0], data.y[middle, keep, 0], held[law][middle, keep]
    return FoldErrors(records, scores, plots.Loop(*curves))


def fit_start(data_set: MeasuredSet, law: str, learn: Any) -> tuple[keras.Model, PastStart]:
    """Fit a law to some records, with the start of each from its past.

    Args:
        data_set: all records.
        law: name of a preset that is linear in its weights, or that with covariates.
        learn: indices of the records that are learnt.

    Returns:
        The model with its weights; how it starts.
    """
    data, learn = data_set.data, list(learn)
    model = law_model(data_set, law, data.select(learn))
    linear = LinearLaw(model, data.x, data.y[..., 0], data_set.given)
    counts = np.zeros(data.x.shape[:2], bool)
    for path in learn:
        counts[path] = counted(data, path)
    step = float(np.median(data.x[:, 1:, 2]))
    if data_set.factor:
        fit = linear.fit_shape(counts, LINEAR_RIDGE)
        rows = [int(counted(data, path).sum()) for path in range(len(data.x))]
        seconds = step * (min(rows) // PAST_SHARE)
        start = PastStart(seconds, has_factor=True, is_counted_from_first=True)
    else:
        fit = linear.fit(counts, LINEAR_RIDGE)
        start = linear.start(fit, step * data_set.given)
    set_linear_weights(model, fit.weights)
    return model, start


def respond(
    start: PastStart, predict: Callable[[np.ndarray], np.ndarray], data: Split
) -> np.ndarray:
    """Response to records from their past, (paths, time).

    Args:
        start: how the model starts.
        predict: the model, from rest.
        data: records.
    """
    return np.concatenate(
        [
            start.respond(predict, x[None], y[None, :, 0], start.rows(x[:, 2]))
            for x, y in zip(data.x, data.y, strict=True)
        ]
    )


def after_past(data_set: MeasuredSet, start: PastStart) -> Split:
    """The records with weight behind their past alone.

    Args:
        data_set: records.
        start: how long a past is.
    """
    data = data_set.data
    weight = np.ones(data.x.shape[:2], np.float32) if data.weight is None else data.weight.copy()
    for path in range(len(weight)):
        weight[path, : start.rows(data.x[path, :, 2])] = 0
    return replace(data, weight=weight)


def _learnt(data_set: MeasuredSet, fold: Fold, start: PastStart) -> Split:
    """Learnt records with a constant of their own where the start gives each an offset."""
    data = data_set.data.select(fold.learn)
    if not start.has_factor:
        return data
    weight = np.ones(data.y.shape[:2]) if data.weight is None else data.weight
    mean = (weight * data.y[..., 0]).sum(axis=1) / weight.sum(axis=1)
    return replace(data, y=data.y - mean[:, None, None].astype(np.float32))


def _figures(errors: FoldErrors) -> str:
    values = list(errors.records.values())
    return (
        f"RMSE/RMS of each record after its past, by laws that had not seen it: "
        f"{100 * np.mean(values):.1f} % in the mean, {100 * np.median(values):.1f} % in the "
        f"median, {100 * np.max(values):.1f} % at worst, of {len(values)} records. The weights of "
        "this model are fitted to all of them."
    )


def _start_sentence(data: Split, start: PastStart) -> str:
    response = data.targets[0].name
    what = (
        f"a factor and an offset of the {response}, which differ from record to record"
        if start.has_factor
        else "a preload, which sets the friction elements, and an offset"
    )
    return (
        f"A record begins with {start.seconds:.4g} s whose {response} was measured (`zoo predict` "
        f"reads them; `start_from_past` of the manifest, `zoo.edge.past.PastStart`): they tell "
        f"{what}. Without them the model begins in the virgin state, for which no figure is given."
    )


def _report(settings: MeasuredSettings, trained: TrainedModel, errors: FoldErrors) -> Report:
    data = trained.experiment.train
    report = Report(
        f"{settings.name}: {data.targets[0].name} from {data.inputs[0].name}",
        " ".join(trained.experiment.limits),
        provenance={"command": settings.command},
    )
    report.section("Error on records that were not learnt").table(score_table(errors.scores))
    report.figure(
        plots.loops(
            {"record of median error": errors.typical},
            truth="measured",
            strain_label=axis_label(data.inputs[0]),
            stress_label=axis_label(data.targets[0]),
        ),
        name="loops",
        caption="The record of median error after its past; its law had not seen it.",
        alt="A loop: measured wide and grey, predicted thin and blue.",
    )
    return report
