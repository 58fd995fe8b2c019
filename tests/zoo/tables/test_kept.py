"""Displacement and force, flux density and field, covariates: what is kept, and what is said."""

import numpy as np
import pytest

from zoo.data import measured
from zoo.data.columns import Columns


@pytest.fixture
def write(tmp_path):
    def make(header, rows=30, columns=None, name="test.csv"):
        time = 0.1 * np.arange(rows)
        values = columns or [time, np.sin(time), 5 * np.cos(time)]
        lines = [header] + [",".join(f"{v:.9g}" for v in row) for row in zip(*values, strict=True)]
        path = tmp_path / name
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    return make


@pytest.mark.parametrize(
    ("header", "loading", "response", "note"),
    [
        ("time_s,displacement_mm,force_kN", ("displacement", "mm"), ("force", "kN"), "no --area"),
        ("time (s),Weg (mm),Kraft (N)", ("displacement", "mm"), ("force", "N"), "no --gauge"),
        ("time_s,B (T),H (A/m)", ("flux density", "T"), ("field", "A/m"), "'B (T)' [T]"),
        ("time_s,b_t,h_a_m", ("flux density", "T"), ("field", "A/m"), "'b_t' [T]"),
        (
            "Time (s),Magnetic flux density (T),Magnetic field strength (A/m)",
            *(("flux density", "T"), ("field", "A/m")),
            "'Magnetic flux density (T)' [T]",
        ),
        ("time_s,displacement,force", ("displacement", "-"), ("force", "-"), "unit is not stated"),
    ],
)
def test_quantities_without_length_and_area_stay_what_they_are(
    write, header, loading, response, note
):
    data = measured.read_csv(write(header))
    assert (data.inputs[0].name, data.inputs[0].unit) == loading
    assert (data.targets[0].name, data.targets[0].unit) == response
    assert data.inputs[1].unit == ("1/s" if loading[1] == "-" else f"{loading[1]}/s")
    assert any(note in each for each in data.notes)
    np.testing.assert_allclose(data.x[0, :, 0], np.sin(0.1 * np.arange(30)), rtol=1e-5, atol=1e-8)


def test_oersted_and_gauss_become_si_and_the_direction_can_be_turned_round(write):
    path = write("time_s,B (G),H (Oe)")
    data = measured.read_csv(path, Columns(stretch="H (Oe)", stress="B (G)"))
    assert [q.name for q in (data.inputs[0], data.targets[0])] == ["field", "flux density"]
    # 1 Oe = 1000/4π A/m, 1 G = 1e-4 T
    assert data.x[0, 0, 0] == pytest.approx(5 * 1000 / (4 * np.pi), rel=1e-6)
    assert data.y[0, 5, 0] == pytest.approx(1e-4 * np.sin(0.5), rel=1e-5)


def test_length_and_area_still_make_strain_and_stress(write):
    path = write("time_s,displacement_mm,force_n")
    data = measured.read_csv(path, Columns(gauge_length_mm=50.0, area_mm2=20.0))
    assert (data.inputs[0].name, data.targets[0].unit) == ("strain", "MPa")
    assert data.y[0, 0, 0] == pytest.approx(5 / 20)
    with pytest.raises(ValueError, match="gauge-length"):
        measured.read_csv(path, Columns(area_mm2=20.0))


def test_a_covariate_is_one_number_a_specimen(write, tmp_path):
    time = 0.1 * np.arange(30)
    part = [time, np.sin(time), np.cos(time)]
    path = write("time_s,strain,stress_MPa,T (°C)", columns=[*part, 20 + 0.1 * time])
    data = measured.read_csv(path, Columns(covariates=("T (°C)",)))
    assert data.x.shape == (1, 30, 4) and data.inputs[3].name == "T (°C)"
    assert data.x[0, :, 3] == pytest.approx(20 + 0.1 * time.mean())
    assert any("not quite constant" in note for note in data.notes)
    assert any("not used: 'T (°C)'" in note for note in measured.read_csv(path).notes)
    wide = write("time_s,strain,stress_MPa,T", columns=[*part, 20 + 20 * time], name="wide.csv")
    with pytest.raises(ValueError, match="a covariate is constant over a specimen"):
        measured.read_csv(wide, Columns(covariates=("T",)))


def test_arrays_hold_a_test_in_each_row(tmp_path):
    b = np.cumsum(np.random.default_rng(0).normal(size=(3, 40)), axis=1)
    path = tmp_path / "core.npz"
    np.savez(path, b_t=b, h_a_m=2 * b, temperature_c=[25.0, 50, 70], rate_hz=16e6)
    data = measured.read_csv(path, Columns(covariates=("temperature_c",)))
    assert data.x.shape == (3, 40, 4) and list(data.groups) == ["0", "1", "2"]
    np.testing.assert_allclose(data.y[..., 0], 2 * b, rtol=1e-6)
    np.testing.assert_allclose(data.x[:, 0, 2:], [[1 / 16e6, t] for t in (25, 50, 70)], rtol=1e-4)
    np.savez(path, b_t=b, h_a_m=b[:2])
    with pytest.raises(ValueError, match="'h_a_m' has shape"):
        measured.read_csv(path)
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="no file of arrays"):
        measured.read_csv(path)


def test_warm_up_rows_load_the_model_and_are_not_scored(write):
    data = measured.read_csv(write("time_s,strain,stress_MPa"))
    past = measured.warm_up(data, 10)
    assert past.weight is not None and past.weight[0].tolist() == [0.0] * 10 + [1.0] * 20
    np.testing.assert_array_equal(past.x, data.x)
    assert "given past" in past.notes[-1] and measured.warm_up(data, 0) is data
    with pytest.raises(ValueError, match="A warm-up of 11 rows leaves 19"):
        measured.warm_up(data, 11)


def test_a_response_at_rest_is_the_zero(tmp_path):
    time = 0.1 * np.arange(80)
    moving = np.maximum(time - 3.0, 0.0)
    noise = 0.5 * np.random.default_rng(0).normal(size=80)
    force = 105 + noise + 60 * np.sin(3 * moving)

    def read(loading, response, header="time_s,displacement_mm,force_N"):
        path = tmp_path / "damper.csv"
        rows = zip(time, loading, response, strict=True)
        text = "\n".join(f"{t:.3f},{d:.6f},{f:.6f}" for t, d, f in rows)
        path.write_text(f"{header}\n{text}\n")
        return measured.read_csv(path)

    data = read(moving, force)
    zeroed = measured.zero_at_rest(data)
    np.testing.assert_allclose(data.y - zeroed.y, 105, atol=0.4)
    assert "force at rest, before the displacement moves, is 104.9 N" in zeroed.notes[-1]
    assert measured.zero_at_rest(zeroed) is zeroed
    for other in (
        read(moving, force - 105),  # tared
        read(time, force),  # never at rest
        read(moving, force - 100 * time.clip(0, 3.0) / 3.0),  # drifts, as where it relaxes
        read(0.5 - 0.1 * moving, force, "time_s,strain,stress_MPa"),  # held at a strain
    ):
        assert measured.zero_at_rest(other) is other
