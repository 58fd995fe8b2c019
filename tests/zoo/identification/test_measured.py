"""From a user's CSV file to constants, report page and what is exported."""

import json
from pathlib import Path

import numpy as np
import pytest

from zoo.data.columns import Columns
from zoo.data.loading import integrate
from zoo.data.measured import read_csv
from zoo.identification import measured
from zoo.identification.settings import IdentificationSettings

MODULUS, TIME_S = 2.0, 0.7


@pytest.fixture
def csv(tmp_path):
    """Two ramps of a linear Maxwell solid, exact: σ = E τ λ̇ (1 − exp(−t/τ))."""
    lines = ["time,strain,load_mpa,specimen"]
    for label, rate in (("a", 1.5), ("b", 0.2)):
        time = 0.1 * np.arange(1, 31)
        strain = integrate(np.full((1, 30), rate), np.full((1, 30), 0.1)).strain[0]
        stress = MODULUS * TIME_S * rate * (1 - np.exp(-time / TIME_S))
        # the reader puts a step of rate zero before the first row, so the path begins at rest
        rows = zip([0.0, *time], [0.0, *strain], [0.0, *stress], strict=True)
        lines += [f"{t:.9f},{e:.9f},{s:.9f},{label}" for t, e, s in rows]
    path = tmp_path / "rubber.csv"
    path.write_text("\n".join(lines))
    return path


def test_constants_report_and_export_of_a_csv(csv, tmp_path, monkeypatch):
    exports = []
    monkeypatch.setattr(
        measured, "export_stress_model", lambda *words, **more: exports.append((*words, more))
    )
    columns = Columns(stress="load_mpa", group="specimen", stretch_unit="1")
    settings = IdentificationSettings(
        csv, "prony", 1, columns, starts=1, out=tmp_path / "out", command="zoo identify"
    )
    result = measured.identify_csv(settings)
    assert result.values["moduli_1"] == pytest.approx(MODULUS, rel=1e-3)
    assert result.values["times_1"] == pytest.approx(TIME_S, rel=1e-3)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Identification of rubber-prony" in page and "specimen b" in page
    ((folder, name, trained, more),) = exports
    assert folder == tmp_path / "out" / "model" and name == "rubber-prony"
    assert trained.scores["prony"]["test"]["nrmse"] < 1e-3
    entry = json.loads(json.dumps(more["entries"]["identification"]))
    assert entry["constants"]["moduli_1"]["unit"] == "MPa"
    assert "2 specimens" in trained.experiment.limits[0]


@pytest.mark.parametrize("branches", (2, 5))
def test_branches_share_the_modulus_over_two_decades_of_time(csv, branches):
    data = read_csv(csv, Columns(stress="load_mpa", group="specimen", stretch_unit="1"))
    cell = measured.law_preset("prony", branches, data).build(data.x, data.y, None).layers[-1].cell
    constants = cell.constants()
    assert len(constants["moduli"]) == branches
    assert np.ptp(constants["moduli"]) < 1e-6 * max(constants["moduli"])
    assert max(constants["times"]) / min(constants["times"]) == pytest.approx(100, rel=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"law": "rubber"}, "`law` must be one of maxwell, prony, relaxation"),
        ({"branches": 2}, "The law maxwell has one branch"),
    ],
)
def test_settings_that_fit_no_law_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        IdentificationSettings(Path("t.csv"), **options)


def test_results_go_to_a_run_of_their_own():
    settings = IdentificationSettings(Path("far/rubber.csv"), "relaxation")
    assert settings.paths.report == Path("runs/rubber-relaxation/report.html")
    assert settings.paths.model == Path("runs/rubber-relaxation/model")
