"""One preset of a material cell: trained, scored, certified, exported."""

import argparse
from pathlib import Path

from recipes.hysteresis import experiment as hysteresis
from zoo.progress import say

PROMISES = {
    "prony": "no energy is ever created; exact on ramps; linear, so wrong for this material",
    "maxwell": "no energy is ever created; holds do not depend on the time step; the power law is "
    "built in, so another material's law is beyond it",
    "relaxation": "no energy is ever created; holds do not depend on the time step; stresses above "
    "those of training are an extrapolation",
    "lmsc": "nothing changes where nothing moves; it may create energy",
}


def train(options: argparse.Namespace) -> int:
    """The story of `recipes.hysteresis`, for a cell that obeys mechanics, with its certificate.

    Args:
        options: model, epochs, seed, out, reports, checkpoint.
    """
    name = f"material-{options.model}"
    out = options.out or Path("saved_models") / name
    made_by = f"python -m recipes.materials train {options.model} --epochs {options.epochs}"
    if options.seed:
        made_by += f" --seed {options.seed}"
    defaults = hysteresis.parser().parse_args(["--seed", str(options.seed)])
    experiment = hysteresis.simulated_experiment(defaults)

    import keras

    from zoo import presets, training
    from zoo.certificate.certify import certificate_of
    from zoo.certificate.certify import report_of as certificate_report
    from zoo.certificate.facts import ModelFacts as Facts
    from zoo.data.maxwell import Material
    from zoo.data.probes import TrainedRange
    from zoo.recurrent import predictor

    train = experiment.train
    preset = presets.named(options.model)
    budget = training.Budget(options.epochs, 250, preset.learning_rate)
    keras.utils.set_random_seed(options.seed)
    model = preset.build(train.x, train.y)
    say(f"{preset.description}, {model.count_params():,} parameters")
    history = hysteresis.fit(
        model, experiment, budget, options.seed, options.checkpoint, compiled=preset.compiled
    )

    predict = predictor(model, batch_size=300)
    laws = {options.model: predict, **hysteresis.fitted_laws(train)}
    scores = {law: hysteresis.scores_of(each, experiment) for law, each in laws.items()}
    table = hysteresis.table_of(scores)
    print(table.text())
    report = hysteresis.report_of(
        experiment, model, history, table, scores, preset.description, made_by
    )
    say(f"report: {report.write(options.reports / name / 'report.html')[-1]}")

    facts = Facts(
        name, Material(**experiment.material), TrainedRange.of(train.x), "MPa", preset.description
    )
    certificate = certificate_of(predict, facts)
    page = certificate_report(certificate, facts, made={"command": made_by})
    say(f"certificate: {page.write(options.reports / name / 'certificate.html')[-1]}")

    cell = next(layer.cell for layer in model.layers if hasattr(layer, "cell"))
    constants = cell.constants() if hasattr(cell, "constants") else {}
    hysteresis.export(
        out,
        experiment,
        model,
        preset.description,
        scores,
        hysteresis.training_facts(experiment, history, budget, options.seed),
        made_by,
        limits=[f"The cell promises: {PROMISES[options.model]}."],
        settings={"certificate": certificate.entry(), "constants": constants},
    )
    say(f"model: {out}")
    return 0
