"""One law fitted to the learnt part of a measured data set, scored on the rest, exported."""

import dataclasses
from typing import Any

import numpy as np

from recipes.materials import oscillator
from recipes.materials.board import LawResult, fit_law
from recipes.materials.measured_sets import MeasuredSet, counted, read_set
from recipes.materials.settings import MeasuredSettings
from zoo import presets
from zoo.certificate.certify import certify_model
from zoo.certificate.facts import ModelFacts
from zoo.certificate.page import certificate_report
from zoo.data.probes import TrainedRange
from zoo.data.split import Split
from zoo.identification.fit import Identification
from zoo.identification.page import identification_entry, identification_report
from zoo.progress import say
from zoo.recurrent import predictor
from zoo.stress.experiment import Experiment
from zoo.stress.exporting import export_stress_model
from zoo.stress.scoring import fit_laws, score_all
from zoo.stress.trained import TrainedModel

LICENCES = {
    "vhb4910": "measured by Hossain et al. 2012, digitised, MIT.",
    "steel": "measured, structural steel under cyclic strain, MIT.",
    "bouc_wen": "simulated by Noël and Schoukens 2016 (Bouc–Wen benchmark), MIT.",
    "epoxy": "measured, MIT.",
    "mr_damper": "measured, MIT.",
    "ferrite_3c90": "measured, MagNet challenge, MIT.",
}
CERTIFIED_STEPS = 2000  # of each path; the training path has 98,304


def run(settings: MeasuredSettings) -> None:
    """Fit, score, certify, write the pages, export.

    Raises:
        ValueError: a law that the set has not, a target that cannot be written, or no data there.
    """
    settings.paths.check()
    if settings.data_set == "bouc_wen":
        _run_oscillator(settings)
        return
    description = presets.named(settings.law).description  # refuses a name before the fit
    data_set = read_set(settings.data_set, settings.data, settings.warm_up)
    outcome, model, result = fit_law(data_set, settings.law, settings.starts)
    experiment = measured_experiment(data_set)
    predict = predictor(model)
    scores = score_all(settings.law, predict, fit_laws(experiment.train), experiment)
    trained = TrainedModel(model, description, experiment, scores, settings.command)
    facts = ModelFacts(
        name=settings.name,
        trained=TrainedRange.of(experiment.train.x, experiment.train.weight),
        unit=experiment.stress_unit,
        description=description,
    )
    certificate = certify_model(predict, facts)
    page = certificate_report(certificate, facts, provenance={"command": settings.command})
    say(f"certificate: {page.write(settings.paths.root / 'certificate.html')[-1]}")
    whole = dataclasses.replace(data_set.data, name=data_set.name)
    report = identification_report(
        result, whole, settings.name, trained, has_time=data_set.has_time
    )
    say(f"report: {report.write(settings.paths.report)[-1]}")
    _export(settings, trained, result, limits_of(data_set, outcome), certificate.entry())


def measured_experiment(data_set: MeasuredSet) -> Experiment:
    """The first fold's learnt and held-out paths as an experiment.

    Args:
        data_set: with its folds.
    """
    fold = data_set.folds[0]
    train = trimmed(data_set.data.select(fold.learn, "learnt"))
    held = data_set.data.select(fold.score, "held out")
    return Experiment(
        train=train,
        validation=held,
        tests={"held out": held, "learnt": train},
        cycle=train.select([0]),
        shown=("learnt",),
        refinement=None,
        material={},
        limits=[data_set.what, data_set.split],
        data_licence=LICENCES[data_set.name],
    )


def trimmed(data: Split) -> Split:
    """The same without the padding that all its paths have at their end."""
    last = max(int(np.flatnonzero(counted(data, k))[-1]) for k in range(len(data.x))) + 1
    weight = None if data.weight is None else data.weight[:, :last]
    return dataclasses.replace(data, x=data.x[:, :last], y=data.y[:, :last], weight=weight)


def limits_of(data_set: MeasuredSet, outcome: LawResult) -> list[str]:
    """What the card says of errors and of what no law can do better."""
    lines = [
        f"RMSE/RMS of each held-out test: {100 * outcome.mean:.1f} % in the mean, "
        f"{100 * outcome.worst:.1f} % at worst; {100 * outcome.learnt:.1f} % on what was learnt."
    ]
    if data_set.floor:
        lines.append(f"Floor of the data: {'; '.join(data_set.floor)}.")
    if not data_set.has_time:
        lines.append("The tests have no times: the law is rate-independent, dt counts rows.")
    return lines


def _run_oscillator(settings: MeasuredSettings) -> None:
    if settings.law != oscillator.LAW or settings.warm_up:
        raise ValueError(
            f"bouc_wen: expected the law {oscillator.LAW}, whose start its period gives, without "
            f"--warm-up. Received: {settings.law}, --warm-up {settings.warm_up}."
        )
    model, result, train = oscillator.fit_oscillator(settings.data, settings.starts)
    test = oscillator.benchmark_test(settings.data)
    experiment = Experiment(
        train=train,
        validation=test,
        tests={"official multisine": test, "learnt": train},
        cycle=train.select([0]),
        shown=("learnt",),
        refinement=None,
        material={},
        limits=[
            oscillator.SOURCE,
            "Input is a force [N] and its rate, output a displacement [m]. The force has to be "
            f"given at {oscillator.FACTOR} times 750 Hz, interpolated by its Fourier series.",
        ],
        data_licence=LICENCES["bouc_wen"],
    )
    description = presets.named(oscillator.LAW).description
    baselines = {"best linear approximation": oscillator.linear_baseline(settings.data)}
    scores = score_all(oscillator.LAW, predictor(model), baselines, experiment)
    trained = TrainedModel(model, description, experiment, scores, settings.command)
    facts = ModelFacts(
        name=settings.name,
        trained=dataclasses.replace(TrainedRange.of(train.x, train.weight), steps=CERTIFIED_STEPS),
        unit="m",
        description=description,
        loading=("force", "N"),
        response="displacement",
    )
    certificate = certify_model(predictor(model), facts)
    page = certificate_report(certificate, facts, provenance={"command": settings.command})
    say(f"certificate: {page.write(settings.paths.root / 'certificate.html')[-1]}")
    report = identification_report(result, train, settings.name, trained)
    say(f"report: {report.write(settings.paths.report)[-1]}")
    _export(settings, trained, result, [], certificate.entry())


def _export(
    settings: MeasuredSettings,
    trained: TrainedModel,
    result: Identification,
    limits: list[str],
    certificate: dict[str, Any] | None,
) -> None:
    cell: Any = next(layer.cell for layer in trained.model.layers if hasattr(layer, "cell"))
    entries = {"identification": identification_entry(result), "constants": cell.constants()}
    export_stress_model(
        settings.paths.model,
        settings.name,
        trained,
        training={"starts": settings.starts, "samples": result.samples, "rmse": result.rmse},
        limits=limits,
        entries=entries
        | ({"warm_up_rows": settings.warm_up} if settings.warm_up else {})
        | ({"certificate": certificate} if certificate else {}),
    )
    say(f"model: {settings.paths.model}")
