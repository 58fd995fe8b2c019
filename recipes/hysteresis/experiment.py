"""Load, build, fit, score, look inside, export."""

import shlex
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras

from recipes.hysteresis.settings import Settings
from recipes.hysteresis.weights import read_start, read_weights
from zoo import presets
from zoo.cli.command import format_path
from zoo.data import measured
from zoo.data.maxwell import Material
from zoo.data.split import Split
from zoo.identification.candidates import (
    FittedLaw,
    candidates_for,
    fit_candidates,
)
from zoo.identification.linear_fit import LINEAR_LAWS
from zoo.progress import say
from zoo.recurrent import plain_model, predictor
from zoo.report import QUICK_NOTICE
from zoo.stress.experiment import Experiment, measured_experiment, simulated_experiment
from zoo.stress.exporting import export_stress_model
from zoo.stress.fitting import fit_model, training_entry
from zoo.stress.recommendation import recommend
from zoo.stress.report import training_report
from zoo.stress.robustness import score_changed_loading
from zoo.stress.scoring import (
    Baseline,
    compare_with_simplest,
    fit_laws,
    score_all,
    score_table,
)
from zoo.stress.trained import TrainedModel
from zoo.training import Budget, History, TrainingDiverged, TrainingInterrupted, describe_end

QUICK_PATHS, QUICK_TEST_PATHS = 400, 30
BASELINE_SHARE = 4  # SimpleRNN gets a quarter of the epochs, and its name says how many
COMPILED_FROM = 1_000  # steps; XLA takes some 5 s to compile and gains a third of a step of an LSTM
BASELINE_LEARNING_RATE = 2e-3  # it diverges at the network's 5e-3


def run(settings: Settings) -> History:
    """Train one recurrent network and write its report page and its exported model.

    Returns:
        The history. After Ctrl-C report, manifest and card say so first, nothing is published.

    Raises:
        ValueError: settings or data that cannot be used, or a model worse than its simplest
            baseline.
    """
    keras.utils.set_random_seed(settings.seed)
    started = time.monotonic()
    settings.paths.check()
    experiment = load_experiment(settings)
    train = experiment.train
    say(
        f"{len(train.x)} paths of {train.x.shape[1]} steps to train on, ready in "
        f"{time.monotonic() - started:.1f} s"
    )

    if settings.weights:
        given = read_weights(settings.weights, settings.cell, settings.layers, settings.units)
        finish(settings, experiment, given.model, given.entry, given.history)
        return given.history
    preset = presets.recurrent(settings.cell, settings.layers, settings.units)
    keras.utils.set_random_seed(settings.seed)
    before: dict[str, Any] = {}
    if settings.start:
        model, entry = read_start(settings.start, settings.cell, settings.layers, settings.units)
        before = {"before": entry}
    else:
        model = preset.build(train.x, train.y, train.weight)
    say(f"{preset.description}, {model.count_params():,} parameters; Ctrl-C keeps the best so far")
    budget = budget_of(settings)
    fitted, validation = experiment.fitted
    history = fit_model(
        model,
        fitted,
        validation,
        budget,
        seed=settings.seed,
        checkpoint=settings.checkpoint,
        compiled=settings.cell == "lstm" and budget.steps >= COMPILED_FROM,
        keep_interrupted=True,
    )
    entry = training_entry(fitted, history, budget, settings.seed) | before
    finish(settings, experiment, model, entry, history)
    say(f"{time.monotonic() - started:.0f} s from the start")
    return history


def finish(
    settings: Settings,
    experiment: Experiment,
    model: keras.Model,
    entry: Mapping[str, Any],
    history: History,
) -> None:
    """Score a trained network beside its baselines, write its report, export it.

    Args:
        settings: of the run.
        experiment: data.
        model: trained network.
        entry: `training` of its manifest.
        history: of its training.

    Raises:
        ValueError: a model worse than its simplest baseline.
    """
    train, description = experiment.train, describe_network(settings)
    is_interrupted = history.ended == "interrupted"
    baselines = fit_laws(train)
    comparison = compare_with_simplest(predictor(model), baselines, experiment.held_out)
    laws = mechanics_laws(settings, train)
    baselines |= {name: law.baseline for name, law in laws.items()}
    if settings.cell != "rnn" and not is_interrupted:
        baselines |= simple_rnn(settings, experiment)
    network = settings.cell.upper()
    scores = score_all(network, predictor(model), baselines, experiment)
    print(score_table(scores).text())

    ended = describe_end(history, settings.learning_rate)
    warnings = [*([ended] if ended else []), *comparison.warnings]
    warnings += [QUICK_NOTICE] if settings.quick else []
    recommendation = ""
    if settings.csv:
        counts = {network: model.count_params()}
        counts |= {name: each.parameters for name, each in baselines.items() if each.parameters}
        choice = recommend(scores, counts)
        recommendation = choice.text
        if choice.name in laws:
            options = laws[choice.name].candidate.options
            files = shlex.join(map(format_path, settings.csv))
            recommendation += f" Fit and export it: zoo identify --csv {files} {options}"
        if choice.name != network:
            warnings.append(recommendation)
        print(f"{recommendation}\n")
    changed = score_changed_loading(network, predictor(model), baselines, experiment)
    trained = TrainedModel(
        model, description, experiment, scores, settings.command, warnings, changed, recommendation
    )
    paths = settings.paths.for_interrupted() if is_interrupted else settings.paths
    say(f"report: {training_report(trained, history).write(paths.report)[-1]}")
    comparison.require_better(force=settings.force or settings.quick)

    if is_interrupted and settings.publish:
        say("--publish: not after an interrupted training")
    export_stress_model(
        paths.model,
        settings.name,
        trained,
        training=entry,
        limits=["A gated network is not bound to thermodynamics: it can create energy."],
        portable=plain_model(model),
    )
    say(f"model: {paths.model}")


def mechanics_laws(settings: Settings, train: Split) -> dict[str, FittedLaw]:
    """The laws of `zoo identify`, fitted to the training part of a measured test.

    Those that such a test suits: of friction and metals where the loading turns, of large strain.
    None for a simulated material, whose law is known; few in a smoke run.
    """
    if not settings.csv:
        return {}
    # A linear law has no search, but folds of its own; `zoo identify` has it.
    laws = [each for each in candidates_for(train) if each.law not in LINEAR_LAWS]
    candidates = laws[:2] if settings.quick else laws
    say(f"laws of mechanics: {', '.join(each.name for each in candidates)}")
    starts = 1 if settings.quick else 2
    return fit_candidates(train, candidates, starts=starts, seed=settings.seed, say=say)


def describe_network(settings: Settings) -> str:
    """One clause on the network."""
    return presets.recurrent(settings.cell, settings.layers, settings.units).description


def load_experiment(settings: Settings) -> Experiment:
    """Simulated paths, or the user's own test."""
    if settings.csv:
        data = measured.read_csv(settings.csv, settings.columns, cycles=settings.cycles)
        return measured_experiment(data, settings.seed)
    paths, test_paths = (QUICK_PATHS, QUICK_TEST_PATHS) if settings.quick else (8000, 300)
    return simulated_experiment(
        Material(settings.modulus_mpa, settings.nu0_s, settings.sigma0_mpa, settings.exponent),
        loading=settings.loading,
        dt_range=settings.dt_range,
        paths=paths,
        test_paths=test_paths,
        seed=settings.seed,
    )


def budget_of(settings: Settings) -> Budget:
    """Budget of the network."""
    return Budget(
        epochs=2 if settings.quick else settings.epochs,
        steps_per_epoch=60 if settings.quick else 250,
        learning_rate=settings.learning_rate,
    )


def simple_rnn(settings: Settings, experiment: Experiment) -> dict[str, Baseline]:
    """SimpleRNN of the same width: trained here, or as long as the network on its own device."""
    if settings.baseline_weights:
        given = read_weights(settings.baseline_weights, "rnn", settings.layers, settings.units)
        predict, count = predictor(given.model), given.model.count_params()
        return {f"SimpleRNN, {given.budget}": Baseline(predict, parameters=count)}
    if settings.weights:
        return {}
    return fit_simple_rnn(settings, experiment, budget_of(settings))


def fit_simple_rnn(
    settings: Settings, experiment: Experiment, budget: Budget
) -> dict[str, Baseline]:
    """The oldest recurrent network (Elman 1990), of the same width, in Keras' own layers.

    Returns:
        One baseline, under a name that states its budget; none if its training was interrupted or
        diverged.
    """
    train = experiment.train
    short = replace(
        budget,
        epochs=max(1, budget.epochs // BASELINE_SHARE),
        learning_rate=BASELINE_LEARNING_RATE,
    )
    duration = f"{short.epochs} epoch{'s' if short.epochs > 1 else ''}"
    say(f"baseline: keras.layers.SimpleRNN of the same width, {duration}")
    preset = presets.recurrent("rnn", settings.layers, settings.units)
    model = plain_model(preset.build(train.x, train.y, train.weight))
    checkpoint = settings.checkpoint
    if checkpoint is not None:
        checkpoint = checkpoint.with_name(f"{checkpoint.stem}-baseline{checkpoint.suffix}")
    try:
        history = fit_model(
            model, *experiment.fitted, short, seed=settings.seed, checkpoint=checkpoint
        )
        history.require_whole("the baseline", short.learning_rate)
    except (TrainingInterrupted, TrainingDiverged) as stopped:
        say(f"the baseline SimpleRNN is left out: {stopped}")
        return {}
    baseline = Baseline(predictor(model), parameters=model.count_params())
    return {f"SimpleRNN, {duration}": baseline}
