"""Certificate of a model on loading in and around its trained range."""

from dataclasses import replace

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
OF_A_FORCE = ("hold growth", "cycle work")  # checks that need the response to be a force


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

    Raises:
        ValueError: a model whose constants depend on covariates.
    """
    if facts.covariates:
        raise ValueError(
            f"{facts.name} depends on {', '.join(facts.covariates)}: a certificate is of one "
            "material. Its cell guarantees what the cell inside does, at every value of them."
        )
    probes = make_probes(facts.trained or TrainedRange(), paths=paths, seed=seed)
    material = facts.material
    if material is None:
        certificate = run_checks(predict, probes)
        return certificate if facts.response != "displacement" else without_energy(certificate)

    def truth(x: np.ndarray) -> np.ndarray:
        return stress_response(x[..., 1], x[..., 2], material)[..., None]

    return run_checks(predict, probes, truth=truth, modulus=material.modulus_mpa)


def without_energy(certificate: Certificate) -> Certificate:
    """The same without the checks that take the response for a force and the loading for its way.

    A displacement from a force may overshoot and grow in a hold, as a mass on a spring does, and
    the work of a cycle is the force times the change of the response.

    Args:
        certificate: of a model of displacement from force.
    """
    reason = "skipped: not for a displacement from a force"
    checks = tuple(
        replace(each, value=None, meaning=reason) if each.name in OF_A_FORCE else each
        for each in certificate.checks
    )
    return replace(certificate, checks=checks)


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
