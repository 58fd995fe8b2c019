"""One material model: trained, scored, certified, exported."""

import keras

from recipes.materials.settings import TrainSettings
from zoo import presets
from zoo.certificate.certify import PATHS, certify_model
from zoo.certificate.checks import Certificate
from zoo.certificate.facts import ModelFacts
from zoo.certificate.page import certificate_report
from zoo.data.maxwell import Material
from zoo.data.probes import TrainedRange
from zoo.metrics.regression import Predictor
from zoo.progress import say
from zoo.recurrent import predictor
from zoo.report import QUICK_NOTICE
from zoo.stress.experiment import Experiment, simulated_experiment
from zoo.stress.exporting import export_stress_model
from zoo.stress.fitting import fit_model, training_entry
from zoo.stress.report import training_report
from zoo.stress.robustness import score_changed_loading
from zoo.stress.scoring import compare_with_simplest, fit_laws, score_all, score_table
from zoo.stress.trained import TrainedModel
from zoo.training import Budget, History, describe_end

QUICK_PATHS, QUICK_TEST_PATHS = 200, 8
PROPERTIES = {
    "prony": "no energy is ever created; exact on ramps; linear, so wrong for this material",
    "maxwell": "no energy is ever created; holds do not depend on the time step; the power law is "
    "built in, so another material's law is beyond it",
    "relaxation": "no energy is ever created; holds do not depend on the time step; stresses above "
    "those of training are an extrapolation",
    "cfc": "it reads the time step, but a step cut in two need not give the same",
    "lru": "a step may be cut without changing the state; static curves between linear memories",
    "mingru": "a step may be cut without changing the state; gates that see the input alone",
    "lmu": "a memory of the last seconds that is exact at any time step",
    "cornn": "bounded at any time step; a step cut in two agrees to first order",
    "emsc": "a step of no strain in no time changes nothing; a step cut in two agrees to second "
    "order; it may create energy",
    "lmsc": "a step of no strain in no time changes nothing; it may create energy",
}


def run(settings: TrainSettings) -> History:
    """Train one material model; write its report, its certificate and its exported model.

    Returns:
        The history. After Ctrl-C report, manifest and card say so first, nothing is published.

    Raises:
        ValueError: a model worse than its simplest baseline.
    """
    keras.utils.set_random_seed(settings.seed)
    settings.paths.check()
    experiment = simulated_experiment(
        paths=QUICK_PATHS if settings.quick else 8000,
        test_paths=QUICK_TEST_PATHS if settings.quick else 300,
        seed=settings.seed,
    )
    train = experiment.train
    preset = presets.named(settings.model)
    keras.utils.set_random_seed(settings.seed)
    model = preset.build(train.x, train.y, None)
    say(f"{preset.description}, {model.count_params():,} parameters; Ctrl-C keeps the best so far")
    budget = Budget(
        epochs=2 if settings.quick else settings.epochs,
        steps_per_epoch=20 if settings.quick else 250,
        learning_rate=preset.learning_rate,
    )
    history = fit_model(
        model,
        train,
        experiment.validation,
        budget,
        seed=settings.seed,
        checkpoint=settings.checkpoint,
        compiled=preset.compiled,
        keep_interrupted=True,
    )
    finish(settings, experiment, model, budget, history)
    return history


def finish(
    settings: TrainSettings,
    experiment: Experiment,
    model: keras.Model,
    budget: Budget,
    history: History,
) -> None:
    """Score and certify a trained model, write its pages, export it.

    Args:
        settings: of the run.
        experiment: data.
        model: trained model.
        budget: of its training.
        history: of its training.

    Raises:
        ValueError: a model worse than its simplest baseline.
    """
    train, preset = experiment.train, presets.named(settings.model)
    predict = predictor(model, batch_size=300)
    laws = fit_laws(train)
    comparison = compare_with_simplest(predict, laws, experiment.validation)
    scores = score_all(settings.model, predict, laws, experiment)
    print(score_table(scores).text())
    ended = describe_end(history, budget.learning_rate)
    warnings = [*([ended] if ended else []), *comparison.warnings]
    warnings += [QUICK_NOTICE] if settings.quick else []
    changed = score_changed_loading(settings.model, predict, laws, experiment)
    trained = TrainedModel(
        model, preset.description, experiment, scores, settings.command, warnings, changed
    )
    is_interrupted = history.ended == "interrupted"
    paths = settings.paths.for_interrupted() if is_interrupted else settings.paths
    say(f"report: {training_report(trained, history).write(paths.report)[-1]}")
    comparison.require_better(force=settings.force or settings.quick)

    certificate = certify(predict, trained, settings)
    cell = next(layer.cell for layer in model.layers if hasattr(layer, "cell"))
    if is_interrupted and settings.publish:
        say("--publish: not after an interrupted training")
    export_stress_model(
        paths.model,
        settings.name,
        trained,
        training=training_entry(train, history, budget, settings.seed),
        limits=[f"Properties of the cell: {PROPERTIES[settings.model]}."],
        entries={
            "certificate": certificate.entry(),
            "constants": cell.constants() if hasattr(cell, "constants") else {},
        },
    )
    say(f"model: {paths.model}")


def certify(predict: Predictor, trained: TrainedModel, settings: TrainSettings) -> Certificate:
    """Certificate of the model in and around its trained range; writes its page."""
    experiment = trained.experiment
    facts = ModelFacts(
        name=settings.name,
        material=Material(**experiment.material),
        trained=TrainedRange.of(experiment.train.x),
        unit=experiment.stress_unit,
        description=trained.description,
    )
    paths = QUICK_TEST_PATHS if settings.quick else PATHS
    certificate = certify_model(predict, facts, paths=paths)
    page = certificate_report(certificate, facts, provenance={"command": settings.command})
    say(f"certificate: {page.write(settings.paths.root / 'certificate.html')[-1]}")
    return certificate
