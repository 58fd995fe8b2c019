"""Table and report page of a certificate."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo import plots
from zoo.certificate.checks import Certificate
from zoo.certificate.facts import ModelFacts
from zoo.certificate.limits import LIMITS
from zoo.data.probes import TrainedRange
from zoo.report import Column, Report, Table

AXES = {
    "length": "length of the path",
    "rate": "strain rate |ε̇|",
    "amplitude": "largest strain |ε|",
    "time step": "time step Δt",
}
RESULTS = {True: "pass", False: "FAIL", None: "skipped"}


def describe_loading(facts: ModelFacts) -> str:
    """What the checks load the model with, and where that comes from, in one line."""
    trained = facts.trained or TrainedRange()
    source = facts.trained_source or (
        "the trained range that its manifest states"
        if facts.trained
        else "assumed, as nothing states the trained range: give --csv FILE, or --amplitude, "
        "--rates and --dt"
    )
    return f"checked with {trained.describe(facts.loading)} ({source})"


def certificate_table(certificate: Certificate) -> Table:
    """A row for each check: value, threshold, result."""
    return Table(
        [
            Column("check"),
            Column("value [-]", number=".2g"),
            Column("allowed [-]", number="g"),
            Column("result"),
        ],
        [[c.name, c.value, c.threshold, RESULTS[c.passed]] for c in certificate.checks],
    )


def skipped_lines(certificate: Certificate) -> list[str]:
    """For each reason why checks were skipped, a line that names them."""
    checks: dict[str, list[str]] = {}
    for check in certificate.checks:
        if check.passed is None:
            checks.setdefault(check.meaning.removeprefix("skipped: "), []).append(check.name)
    return [f"skipped {', '.join(names)}: {reason}" for reason, names in checks.items()]


def certificate_report(
    certificate: Certificate, facts: ModelFacts, provenance: Mapping[str, Any]
) -> Report:
    """The page: what passed and failed, errors beyond the trained range, what each check means.

    Args:
        certificate: of the model.
        facts: what is known of the model.
        provenance: how the page was made, such as {"command": ...}.
    """
    report = Report(
        f"Certificate of {facts.name}", _summary(certificate, facts), provenance=dict(provenance)
    )
    text = f"{_law_sentence(facts)}\n\n{_range_sentence(facts)}"
    report.section("Checks", text).table(certificate_table(certificate))
    report.section(
        "Refinement of the time step",
        "Predictions for one path in steps of Δt, and with every step cut into several: for a "
        "material both give the same stress.",
    ).figure(
        plots.refinement(certificate.refinement, threshold=LIMITS["self-consistency"].threshold),
        name="refinement",
        caption="RMS difference of the two predictions at the times both have, over RMS stress.",
        alt="Line of the difference over the number of steps in place of one, logarithmic axes.",
    )
    if certificate.beyond:
        _extrapolation_section(report, certificate)
    report.section("Meaning of the checks")
    for check in certificate.checks:
        limit = LIMITS[check.name]
        report.text(
            f"{check.name}: {limit.meaning}. Allowed: {limit.threshold:g}; {limit.reason}."
            + ("" if check.passed is not None else f" {check.meaning.capitalize()}.")
        )
    return report


def _summary(certificate: Certificate, facts: ModelFacts) -> str:
    names: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    for check in certificate.checks:
        names[check.passed].append(check.name)
    passed, total = len(names[True]), len(names[True]) + len(names[False])
    summary = f"Passed {passed} of {total} checks."
    if names[False]:
        summary += f" Failed: {', '.join(names[False])}."
    if names[None]:
        summary += f" Skipped: {', '.join(names[None])}."
    return f"{facts.description}\n{summary}" if facts.description else summary


def _extrapolation_section(report: Report, certificate: Certificate) -> None:
    report.section("In and beyond the trained range").figure(
        plots.extrapolation(
            {
                name: plots.ErrorCurve(
                    np.array(list(sweep.errors)),
                    np.array(list(sweep.errors.values())),
                    sweep.trained,
                    sweep.checked,
                    f"{AXES[name]} [{sweep.unit}]",
                    sweep.worst,
                )
                for name, sweep in certificate.beyond.items()
            },
            threshold=LIMITS["rate"].threshold,
        ),
        name="extrapolation",
        caption="nRMSE against the exact stress, one quantity at a time; the others as trained. "
        "The threshold holds in the range over which it is drawn, and so does the number of each "
        "panel; points beyond show where the error grows.",
        alt="Small multiples of error over length, rate, amplitude and time step; the trained "
        "range is shaded, the threshold is dashed.",
    )


def _law_sentence(facts: ModelFacts) -> str:
    law = facts.material
    if law is None:
        return (
            "The true law is not known, so the checks against it were skipped: loop area, error in "
            "and beyond the trained range, dissipation in every step."
        )
    return (
        "The true law is a Maxwell solid with power-law viscosity: "
        f"E = {law.modulus_mpa:g} {facts.unit}, ν0 = {law.nu0_s:g} s, σ0 = {law.sigma0_mpa:g} "
        f"{facts.unit}, m = {law.exponent:g}."
    )


def _range_sentence(facts: ModelFacts) -> str:
    line = describe_loading(facts)
    return f"{line[0].upper()}{line[1:]}."
