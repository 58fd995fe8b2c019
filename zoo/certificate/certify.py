"""The certificate of one model on one page: is what it learnt a material, and how far does it hold?

Any model that reads (stretch, rate, dt) and answers with stress can be certified: a folder of saved
models, a user's own `.keras` file, a SavedModel folder.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.certificate.facts import ModelFacts as Facts
from zoo.metrics.regression import Predictor as Predict
from zoo.models import open_model

if TYPE_CHECKING:
    import numpy as np

    from zoo.certificate import Certificate
    from zoo.data.maxwell import Material
    from zoo.data.probes import TrainedRange
    from zoo.report import Report, Table

SEED = 30_000  # of the paths: neither training's nor the test splits'
PATHS = 48
AXES = {
    "length": "length of the path",
    "rate": "stretch rate |λ̇|",
    "amplitude": "largest stretch |λ|",
    "time step": "time step Δt",
}


def certify(
    path: Path,
    out: Path,
    material: "Material | None" = None,
    *,
    trained: "TrainedRange | None" = None,
    paths: int = PATHS,
    seed: int = SEED,
    command: str = "",
) -> "Certificate":
    """Open a model, put it through every check, write `out`/report.html and its figures.

    Args:
        path: of the model.
        out: folder of the page.
        material: the true law, in place of what a manifest says.
        trained: range it was trained on, in place of what a manifest says. Where neither says it,
            it is that of `zoo.data.hysteresis.walk`, and the page says that it was assumed.
        paths: of random walks for each figure.
        seed: of those.
        command: that made the page.

    Raises:
        ValueError: if the model cannot be opened, or its input and outputs do not fit.
    """
    predict, facts = open_model(path)
    facts = replace(facts, material=material or facts.material, trained=trained or facts.trained)
    certificate = certificate_of(predict, facts, paths=paths, seed=seed)
    page = report_of(
        certificate, facts, made={"command": command or f"certify {Path(path).name}", "seed": seed}
    )
    print(table_of(certificate).text())
    print(f"certificate: {page.write(Path(out) / 'report.html')[-1]}", file=sys.stderr)
    return certificate


def certificate_of(
    predict: Predict, facts: Facts, *, paths: int = PATHS, seed: int = SEED
) -> "Certificate":
    """Every check of a model, on loading in and around its trained range."""
    from zoo import certificate
    from zoo.data import probes
    from zoo.data.maxwell import stress_response

    trained, material = facts.trained or probes.TrainedRange(), facts.material
    short, long, ramp = probes.ramps_and_holds(trained)
    cycles, period = probes.triangles(trained)
    made = {"paths": paths, "seed": seed}

    def truth(x: "np.ndarray") -> "np.ndarray":
        return stress_response(x[..., 1], x[..., 2], material)[..., None]

    return certificate.certify(
        predict,
        certificate.Probes(
            walks=probes.walks(trained, **made),
            holds=certificate.Hold(short, long, ramp, probes.HOLD_FACTOR),
            cycles=certificate.Cycles(cycles, period),
            beyond={
                name: certificate.Curve(*curve)
                for name, curve in probes.beyond(trained, **made).items()
            },
        ),
        truth=None if material is None else truth,
        modulus=None if material is None else material.modulus_mpa,
    )


def table_of(certificate: "Certificate") -> "Table":
    """A row a check: value, threshold, result."""
    from zoo.report import Column, Table

    return Table(
        [
            Column("check"),
            Column("value [-]", number=".2g"),
            Column("allowed [-]", number="g"),
            Column("result"),
        ],
        [[c.name, c.value, c.threshold, result_of(c.passed)] for c in certificate.checks],
    )


def result_of(passed: bool | None) -> str:
    """In a word."""
    return {True: "pass", False: "FAIL", None: "skipped"}[passed]


def report_of(certificate: "Certificate", facts: Facts, made: dict[str, Any]) -> "Report":
    """The page: what passed and failed, what each check means, error beyond the trained range."""
    from zoo import plots
    from zoo.certificate import LIMITS
    from zoo.report import Report

    failed = [c.name for c in certificate.checks if c.passed is False]
    skipped = [c.name for c in certificate.checks if c.passed is None]
    judged = len(certificate.checks) - len(skipped)
    summary = [facts.description] if facts.description else []
    summary.append(
        f"Passed {judged - len(failed)} of {judged} checks."
        + (f" Failed: {', '.join(failed)}." if failed else "")
        + (f" Skipped: {', '.join(skipped)}." if skipped else "")
    )
    report = Report(f"Certificate of {facts.name}", "\n".join(summary), provenance=made)
    told = f"{_about_the_law(facts)}\n\n{_about_the_range(facts)}"
    report.section("Checks", told).table(table_of(certificate))
    report.section(
        "When steps shrink",
        "One path, answered in steps of Δt and in several shorter steps for each: a material gives "
        "the same stress.",
    ).figure(
        plots.refinement(certificate.refinement, threshold=LIMITS["self-consistency"].threshold),
        name="refinement",
        caption="RMS difference of the two answers at the times both have, over RMS stress.",
        alt="Line of the difference over the number of steps in place of one, logarithmic axes.",
    )
    if certificate.beyond:
        report.section("In and beyond the trained range").figure(
            plots.extrapolation(
                {
                    name: plots.ErrorCurve(
                        list(curve.points),
                        list(curve.points.values()),
                        curve.trained,
                        curve.judged,
                        f"{AXES[name]} [{curve.unit}]",
                    )
                    for name, curve in certificate.beyond.items()
                },
                threshold=LIMITS["rate"].threshold,
            ),
            name="extrapolation",
            caption="nRMSE against the exact answer, one quantity at a time; the rest as trained.",
            alt="Small multiples of error over length, rate, amplitude and time step; the trained "
            "range is shaded, the threshold is dashed.",
        )
    report.section("What is checked")
    for check in certificate.checks:
        limit = LIMITS[check.name]
        report.text(
            f"{check.name}: {limit.meaning}. Allowed is {limit.threshold:g}: {limit.reason}."
            + ("" if check.passed is not None else f" {check.meaning.capitalize()}.")
        )
    return report


def _about_the_law(facts: Facts) -> str:
    law = facts.material
    if law is None:
        return (
            "The true law is not known here, so what needs it was skipped: loop area, error in and "
            "beyond the trained range, dissipation in every step."
        )
    return (
        "The true law is a Maxwell solid with power-law viscosity: "
        f"E = {law.modulus_mpa:g} {facts.unit}, ν0 = {law.nu0_s:g} s, σ0 = {law.sigma0_mpa:g} "
        f"{facts.unit}, m = {law.exponent:g}."
    )


def _about_the_range(facts: Facts) -> str:
    from zoo.data.probes import TrainedRange

    origin = "Trained on" if facts.trained else "What it was trained on is not known; assumed are"
    trained = facts.trained or TrainedRange()
    (slow, fast), (short, long) = trained.rates, trained.dt_s
    return (
        f"{origin} paths of {trained.steps} steps, stretch within ±{trained.amplitude:g}, rates of "
        f"{slow:g} to {fast:g} /s and time steps of {short:g} to {long:g} s."
    )
