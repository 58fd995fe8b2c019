"""The page of a certificate."""

import numpy as np
import pytest

from zoo.certificate import page
from zoo.certificate.certify import certify_model
from zoo.certificate.facts import ModelFacts
from zoo.certificate.page import certificate_report, certificate_table, describe_loading
from zoo.data.maxwell import Material
from zoo.data.probes import TrainedRange

SMALL = TrainedRange(steps=16)


def elastic(x):
    """σ = 2 ε."""
    return 2 * x[..., :1]


def test_the_page_holds_every_check_and_figure(tmp_path):
    facts = ModelFacts("elastic", Material(modulus_mpa=2.0), SMALL)
    result = certify_model(elastic, facts, paths=3)
    assert not result.passed
    checks = {check.name: check for check in result.checks}
    assert checks["self-consistency"].value == 0
    assert checks["negative dissipation"].value == 0
    assert checks["loop area"].value == pytest.approx(1, abs=1e-5)
    certificate_report(result, facts, {"command": "zoo certify"}).write(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    for name in checks:
        assert name in text
    assert "E = 2 MPa" in text and "paths of 16 steps" in text
    assert "Failed: loop area, in range" in text and "zoo certify" in text
    for figure in ("refinement", "extrapolation"):
        assert (tmp_path / f"{figure}.png").stat().st_size > 10_000
    text = certificate_table(result).text()
    assert "loop area" in text and "FAIL" in text


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        (ModelFacts("m"), "assumed, as nothing states the trained range: give --csv FILE"),
        (ModelFacts("m", trained=SMALL), "the trained range that its manifest states"),
        (ModelFacts("m", trained=SMALL, trained_source="of a.csv"), "(of a.csv)"),
    ],
)
def test_the_loading_states_where_it_comes_from(facts, line):
    loading = describe_loading(facts)
    assert line in loading
    assert "strain within ±2, rates of 0.2 to 8 /s, time steps of 0.025 to 0.1 s" in loading


def test_number_and_figure_of_a_quantity_are_the_same(monkeypatch):
    def soft(x):  # right up to twice the trained strain, and wrong beyond
        return np.where(np.abs(x[..., :1]) > 4.01, 0.0, x[..., :1])

    facts = ModelFacts("soft", Material(exponent=8.0, nu0_s=1e9), SMALL)
    result = certify_model(soft, facts, paths=3)
    drawn = {}
    monkeypatch.setattr(page.plots, "extrapolation", lambda curves, **_: drawn.update(curves))
    monkeypatch.setattr(page.Report, "figure", lambda self, *_, **__: self)
    certificate_report(result, facts, {})
    for check in result.checks:
        if check.name in drawn:
            assert drawn[check.name].worst == check.value
    amplitude = drawn["amplitude"]
    assert amplitude.worst < 0.05 < amplitude.errors.max()


def test_without_a_law_the_page_says_what_was_skipped(tmp_path):
    facts = ModelFacts("elastic", trained=SMALL)
    result = certify_model(elastic, facts, paths=3)
    assert result.passed
    certificate_report(result, facts, {}).write(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "Passed 5 of 5 checks." in text and "true law is not known" in text
    assert not (tmp_path / "extrapolation.png").exists()
