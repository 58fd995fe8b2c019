"""Certificate of a model on loading in and around its trained range."""

import numpy as np

from zoo.certificate.checks import Certificate, Probes, run_checks
from zoo.certificate.facts import ModelFacts
from zoo.certificate.measures import Cycles, Hold
from zoo.data.maxwell import stress_response
from zoo.data.probes import (
    HOLD_FACTOR,
    TrainedRange,
    beyond,
    ramps_and_holds,
    triangles,
    walks,
)
from zoo.metrics.regression import Predictor

SEED = 30_000  # of the paths: neither training's nor the test splits'
PATHS = 48  # random walks for each value


def certify_model(
    predict: Predictor, facts: ModelFacts, *, paths: int = PATHS, seed: int = SEED
) -> Certificate:
    """Run every check of a model on loading made for its trained range.

    Args:
        predict: x (paths, time, 3) -> stress (paths, time, 1); `zoo.models.open_model` opens one.
        facts: what is known of the model. Without a trained range, that of
            `zoo.data.loading.walk` is assumed; without a true law, the checks against it are
            skipped.
        paths: random walks for each figure.
        seed: of those.
    """
    probes = make_probes(facts.trained or TrainedRange(), paths=paths, seed=seed)
    material = facts.material
    if material is None:
        return run_checks(predict, probes)

    def truth(x: np.ndarray) -> np.ndarray:
        return stress_response(x[..., 1], x[..., 2], material)[..., None]

    return run_checks(predict, probes, truth=truth, modulus=material.modulus_mpa)


def make_probes(trained: TrainedRange, *, paths: int = PATHS, seed: int = SEED) -> Probes:
    """Loading of every check, in and around a trained range.

    Args:
        trained: the range.
        paths: random walks for each figure.
        seed: of those.
    """
    short, long, ramp = ramps_and_holds(trained)
    return Probes(
        walks=walks(trained, paths=paths, seed=seed),
        holds=Hold(short, long, ramp, HOLD_FACTOR),
        cycles=Cycles(*triangles(trained)),
        beyond=beyond(trained, paths=paths, seed=seed),
    )
