"""From a user's CSV file to constants, report page and what is exported."""

import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from zoo import presets
from zoo.data.columns import Columns
from zoo.data.loading import integrate
from zoo.data.measured import read_csv
from zoo.identification import measured, page
from zoo.identification.candidates import Candidate, law_preset
from zoo.identification.fit import Search
from zoo.identification.proposal import propose
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
    html = (tmp_path / "out" / "report.html").read_text()
    assert "Identification of rubber-prony" in html and "specimen b" in html
    assert "At other rates" in html and (tmp_path / "out" / "rates.png").stat().st_size > 5_000
    ((folder, name, trained, more),) = exports
    assert folder == tmp_path / "out" / "model" and name == "rubber-prony"
    assert trained.scores["prony"]["test"]["nrmse"] < 1e-3
    entry = json.loads(json.dumps(more["entries"]["identification"]))
    assert entry["constants"]["moduli_1"]["unit"] == "MPa"
    assert "2 specimens" in trained.experiment.limits[0]


def test_a_test_that_does_not_begin_at_rest_has_a_free_initial_state(tmp_path, monkeypatch):
    exports = []
    monkeypatch.setattr(
        measured, "export_stress_model", lambda *words, **more: exports.append(more)
    )
    before, lines = {"a": 0.5, "b": -0.3}, ["time,strain,stress_mpa,specimen"]
    time = 0.1 * np.arange(41)
    for label, rate in (("a", 0.5), ("b", -0.2)):  # ramps from a stress that has a past
        stress = before[label] * np.exp(-time / TIME_S)
        stress += MODULUS * TIME_S * rate * (1 - np.exp(-time / TIME_S))
        rows = zip(time, 0.01 + rate * time, stress, strict=True)
        lines += [f"{t:.9f},{e:.9f},{s:.9f},{label}" for t, e, s in rows]
    path = tmp_path / "late.csv"
    path.write_text("\n".join(lines))
    columns = Columns(stress="stress_mpa", group="specimen", stretch_unit="1")
    settings = IdentificationSettings(
        path, "prony", 1, columns, starts=1, out=tmp_path / "out", free_initial_state=True
    )
    identified = measured.fit_csv(settings)
    result, data = identified.result, identified.data
    assert result.values["moduli_1"] == pytest.approx(MODULUS, rel=1e-4)
    assert result.values["times_1"] == pytest.approx(TIME_S, rel=1e-4)
    assert result.initial_state.names == ("branch_stress",)
    first = result.initial_state.values[:, 0] * np.exp(-data.x[:, 0, 2] / TIME_S)
    first += data.x[:, 0, 1] * MODULUS * TIME_S * (1 - np.exp(-data.x[:, 0, 2] / TIME_S))
    assert first == pytest.approx(list(before.values()), abs=1e-4)
    assert identified.trained.scores["prony"]["test"]["nrmse"] < 1e-4
    assert "branch_stress" in measured.identification_text(result)
    measured.write_results(identified, settings)
    assert "Initial state" in (tmp_path / "out" / "report.html").read_text()
    entry = json.loads(json.dumps(exports[0]["entries"]["identification"], allow_nan=False))
    assert np.shape(entry["initial_state"]["values"]) == (2, 1)
    at_rest = IdentificationSettings(path, "prony", 1, columns, starts=1, out=tmp_path / "out")
    assert measured.fit_csv(at_rest).result.rmse > 0.02  # of 0.2 to 0.5 MPa


def test_constants_follow_a_covariate(tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "export_stress_model", lambda *words, **more: None)
    lines, slopes = ["time,strain,stress_mpa,temperature,specimen"], (-0.01, -0.02, -0.04)
    levels = (20.0, 40.0, 60.0)
    rate = np.repeat([0.02, 0.0, -0.03, 0.0], (12, 10, 8, 10))
    for label, level in zip("abc", levels, strict=True):
        spring, modulus, tau = (
            value * np.exp(slope * (level - 40))
            for value, slope in zip((1.0, 2.0, 0.8), slopes, strict=True)
        )
        strain, branch, rows = 0.0, 0.0, [(0.0, 0.0, 0.0)]
        for k, speed in enumerate(rate):  # exact for piecewise-linear strain
            kept = np.exp(-0.1 / tau)
            branch = kept * branch + modulus * tau * (1 - kept) * speed
            strain += 0.1 * speed
            rows.append((0.1 * (k + 1), strain, spring * strain + branch))
        lines += [f"{t:.3f},{e:.9f},{s:.9f},{level:g},{label}" for t, e, s in rows]
    path = tmp_path / "oven.csv"
    path.write_text("\n".join(lines))
    columns = Columns(
        stress="stress_mpa", group="specimen", stretch_unit="1", covariates=("temperature",)
    )
    settings = IdentificationSettings(path, "solid", 1, columns, starts=1, out=tmp_path / "out")
    identified = measured.fit_csv(settings)
    measured.write_results(identified, settings)
    result = identified.result
    table = page.conditions_table(identified.trained, identified.data)
    assert [column.name for column in table.columns] == ["temperature", "E,0", "E,1", "τ1"]
    for row, level in zip(table.rows, levels, strict=True):
        expected = [
            value * np.exp(slope * (level - 40))
            for value, slope in zip((1.0, 2.0, 0.8), slopes, strict=True)
        ]
        assert row == pytest.approx([level, *expected], rel=0.01)
    names = ("slope_modulus_1", "slope_modulus_2", "slope_relaxation_1")
    found = [result.values[f"{name}_temperature"] / np.std(levels) for name in names]
    assert found == pytest.approx(slopes, rel=0.02)
    assert "Constants at the conditions" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize("branches", (2, 5))
def test_branches_share_the_modulus_over_two_decades_of_time(csv, branches):
    data = read_csv(csv, Columns(stress="load_mpa", group="specimen", stretch_unit="1"))
    cell = law_preset("prony", branches, data).build(data.x, data.y, None).layers[-1].cell
    constants = cell.constants()
    assert len(constants["moduli"]) == branches
    assert np.ptp(constants["moduli"]) < 1e-6 * max(constants["moduli"])
    assert max(constants["times"]) / min(constants["times"]) == pytest.approx(100, rel=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"law": "rubber"}, "`law` must be one of maxwell, prony, relaxation"),
        ({"law": "maxwell", "branches": 2}, "The law maxwell has one branch"),
        ({"branches": 2}, "The number of branches belongs to a law"),
        ({"free_initial_state": True}, "A free initial state belongs to a law"),
    ],
)
def test_settings_that_fit_no_law_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        IdentificationSettings(Path("t.csv"), **options)


def test_results_go_to_a_run_of_their_own():
    settings = IdentificationSettings(Path("far/rubber.csv"), "relaxation")
    assert settings.paths.report == Path("runs/rubber-relaxation/report.html")
    assert settings.paths.model == Path("runs/rubber-relaxation/model")


def test_without_a_law_all_are_compared_and_the_best_is_exported(csv, tmp_path, monkeypatch):
    exports = []
    monkeypatch.setattr(
        measured, "export_stress_model", lambda *words, **more: exports.append((*words, more))
    )
    few = (Candidate("prony", 1), Candidate("maxwell"))
    monkeypatch.setattr(measured, "propose", partial(propose, candidates=few))
    columns = Columns(stress="load_mpa", group="specimen", stretch_unit="1")
    settings = IdentificationSettings(csv, columns=columns, starts=1, out=tmp_path / "out")
    identified = measured.fit_csv(settings)
    measured.write_results(identified, settings)
    assert identified.candidate == few[0]  # of two laws that are exact, the simpler one
    assert identified.result.values["moduli_1"] == pytest.approx(MODULUS, rel=1e-3)
    text = measured.identification_text(identified.result, identified.proposal)
    assert text.startswith("law") and "Recommended: prony, 1 branch (2 parameters)" in text
    html = (tmp_path / "out" / "report.html").read_text()
    assert "Laws compared" in html and "2 folds over 2 specimens" in html
    ((_, name, trained, more),) = exports
    assert name == "rubber-identified" and trained.name == "prony, 1 branch"
    entry = json.loads(json.dumps(more["entries"]["identification"], allow_nan=False))
    assert entry["law"] == "prony, 1 branch"
    assert (
        list(entry["compared"]["laws"]) and entry["compared"]["laws"]["maxwell"]["parameters"] == 3
    )
    assert any("Chosen among 2 laws" in limit for limit in trained.experiment.limits)


def test_loops_at_other_rates_are_those_of_the_closed_form(csv):
    data = read_csv(csv, Columns(stress="load_mpa", group="specimen", stretch_unit="1"))
    model = presets.material("prony", moduli=[MODULUS], times=[TIME_S]).build(data.x, data.y)
    loops = page.loops_at_other_rates(SimpleNamespace(model=model), data)
    high = float(data.x[..., 0].max())
    for name, (strain, stress) in loops.items():
        rate = float(name.split()[0])
        assert strain.min() == pytest.approx(0, abs=1e-6) and strain.max() == pytest.approx(high)
        # steady triangle: σ(t) = Eτε̇ (1 − 2 e^(−t/τ)/(1 + e^(−T/τ))), T = half a cycle
        half = high / rate
        peak = MODULUS * TIME_S * rate * np.tanh(half / (2 * TIME_S))
        if half > TIME_S / 2:  # else three cycles are not enough
            assert stress.max() == pytest.approx(peak, rel=0.05)


def test_laws_of_a_long_test_are_compared_on_its_start_and_fitted_to_all(csv, monkeypatch, capsys):
    monkeypatch.setattr(measured, "COMPARED_ROWS", 21)
    monkeypatch.setattr(measured, "PROFILED_ROWS", 25)
    monkeypatch.setattr(measured, "propose", partial(propose, candidates=[Candidate("prony", 1)]))
    columns = Columns(stress="load_mpa", group="specimen", stretch_unit="1")
    identified = measured.fit_csv(IdentificationSettings(csv, columns=columns, starts=1))
    said = capsys.readouterr().err
    assert "laws are compared on the first 21 of 31 rows, which cover 67 % of the range" in said
    assert "62 samples: intervals are linearised, not profiled" in said
    assert identified.result.samples == 62
    assert identified.result.values["times_1"] == pytest.approx(TIME_S, rel=1e-3)
    assert any("the first 21 of 31 rows" in each for each in identified.trained.experiment.limits)


def test_a_test_without_times_counts_rows_and_has_one_cycle(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(measured, "export_stress_model", lambda *words, **more: None)
    strain = 0.01 * np.sin(np.linspace(0, 9, 60))  # perfectly plastic beyond 1 MPa: σ' = E ε'
    stress = np.zeros(60)
    for k in range(1, 60):
        stress[k] = np.clip(stress[k - 1] + 200 * (strain[k] - strain[k - 1]), -1.0, 1.0)
    path = tmp_path / "metal.csv"
    rows = zip(strain, stress, strict=True)
    path.write_text("strain,stress_MPa\n" + "\n".join(f"{e:.9f},{s:.9f}" for e, s in rows))
    settings = IdentificationSettings(path, "prandtl-ishlinskii", starts=1, out=tmp_path / "out")
    monkeypatch.setattr(measured, "_search_of", lambda *words: Search(1))
    measured.identify_csv(settings)
    html = (tmp_path / "out" / "report.html").read_text()
    assert "A steady cycle" in html and "At other rates" not in html
    assert "over rows and strain" in html
    assert "rows are numbered" in capsys.readouterr().err


def test_a_covariate_that_is_the_same_everywhere_is_refused(csv):
    text = csv.read_text().splitlines()
    csv.write_text("\n".join([text[0] + ",T", *(f"{line},25" for line in text[1:])]))
    columns = Columns(stress="load_mpa", group="specimen", stretch_unit="1", covariates=("T",))
    with pytest.raises(ValueError, match="'T' is 25 in every specimen"):
        measured.fit_csv(IdentificationSettings(csv, columns=columns))
