"""The page of a certificate."""

import pytest

from zoo.certificate.certify import certify_model
from zoo.certificate.facts import ModelFacts
from zoo.certificate.page import certificate_report, certificate_table
from zoo.data.maxwell import Material
from zoo.data.probes import TrainedRange

SMALL = TrainedRange(steps=16)


def elastic(x):
    """σ = 2 λ."""
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
    page = (tmp_path / "report.html").read_text()
    for name in checks:
        assert name in page
    assert "E = 2 MPa" in page and "paths of 16 steps" in page
    assert "Failed: loop area, in range" in page and "zoo certify" in page
    for figure in ("refinement", "extrapolation"):
        assert (tmp_path / f"{figure}.png").stat().st_size > 10_000
    text = certificate_table(result).text()
    assert "loop area" in text and "FAIL" in text


def test_without_a_law_the_page_says_what_was_skipped(tmp_path):
    facts = ModelFacts("elastic", trained=SMALL)
    result = certify_model(elastic, facts, paths=3)
    assert result.passed
    certificate_report(result, facts, {}).write(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "Passed 5 of 5 checks." in page and "true law is not known" in page
    assert not (tmp_path / "extrapolation.png").exists()
