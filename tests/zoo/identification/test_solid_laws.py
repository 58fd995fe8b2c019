"""Laws of solids and metals give back the constants that made the data."""

import itertools

import numpy as np
import pytest

from zoo import presets
from zoo.data.hysteresis import INPUTS, TARGETS
from zoo.data.split import Split
from zoo.identification.candidates import law_preset
from zoo.identification.fit import Search, identify
from zoo.identification.measured import fit_csv
from zoo.identification.settings import IdentificationSettings
from zoo.recurrent import predictor


def loops(rates, top=1.0, rows=40):
    """Strain up to `top` and back at each rate, (paths, rows, 3)."""
    strain = np.concatenate([np.linspace(0, top, rows // 2), np.linspace(top, 0, rows // 2)])
    paths = []
    for rate in rates:
        dt = np.full(rows, 2 * top / rows / rate)
        paths.append(np.stack([strain, np.diff(strain, prepend=0) / dt, dt], axis=-1))
    return np.stack(paths).astype(np.float32)


def answers(law, x, **settings):
    """Stress of a model with given first constants."""
    model = presets.material(law, **settings).build(x, np.ones((*x.shape[:2], 1)))
    return model, predictor(model)(x)


def test_a_neo_hookean_solid_is_found_from_loops_at_two_rates():
    x = loops((0.01, 1.0))
    made, y = answers("neo-hooke", x, branches=1, modulus=3.0, time=2.0)
    model = law_preset_of("neo-hooke", 1, x, y)
    result = identify(model, x, y, unit="kPa", search=Search(1))
    truth = made.layers[-1].cell.constants()
    assert result.values["c1_0"] == pytest.approx(truth["c1"][0], rel=1e-3)
    assert result.values["c1_1"] == pytest.approx(truth["c1"][1], rel=1e-3)
    assert result.values["times_1"] == pytest.approx(2.0, rel=1e-3)
    assert result.estimates["c1_0"].constant.unit == "kPa"


def law_preset_of(law, branches, x, y):
    data = Split("made", x, y, INPUTS, TARGETS, np.array(["a"] * len(x)))
    return law_preset(law, branches, data).build(x, y)


def test_chaboche_is_found_in_a_file_without_times(tmp_path, capsys):
    turns = np.array([0, 0.02, -0.02, 0.02, -0.01, 0.015])
    strain = np.concatenate([np.linspace(a, b, 15)[:-1] for a, b in itertools.pairwise(turns)])
    x = np.stack([strain, np.diff(strain, prepend=0), np.ones(len(strain))], -1)[None]
    made, y = answers(
        "chaboche", x.astype(np.float32), back_stresses=1, modulus=2e5, yield_stress=250.0,
        strain=0.01, isotropic=True,
    )  # fmt: skip
    file = tmp_path / "steel.csv"
    pairs = zip(strain.tolist(), y[0, :, 0].tolist(), strict=True)
    rows = "\n".join(f"{e},{s}" for e, s in pairs)
    file.write_text(f"strain,stress_mpa\n{rows}\n", encoding="utf-8")
    identified = fit_csv(
        IdentificationSettings(file, "chaboche", 1, starts=2, out=tmp_path / "run")
    )
    assert "rate-independent and needs none" in capsys.readouterr().err
    truth = made.layers[-1].cell.constants()
    values = identified.result.values
    assert identified.result.r2 > 0.9999
    assert values["modulus"] == pytest.approx(truth["modulus"], rel=1e-2)
    assert values["yield_stress"] == pytest.approx(truth["yield_stress"], rel=2e-2)


def test_a_path_at_small_stress_counts_as_much_as_one_at_large_stress():
    x = loops((0.1, 0.1))
    _, y = answers("neo-hooke", x, branches=1, modulus=3.0, time=2.0)
    y = y * np.array([1.0, 0.01])[:, None, None]  # no law can fit both
    model = law_preset_of("neo-hooke", 1, x, y)
    together = identify(model, x, y, search=Search(1)).fitted[0].max()
    model = law_preset_of("neo-hooke", 1, x, y)
    each = identify(model, x, y, search=Search(1, each_path=True)).fitted[0].max()
    # Least squares of (s − y) over y and over y/100: s = y/2 against s = (y + 100 y)/(1 + 100²).
    assert together == pytest.approx(0.505 * y[0].max(), rel=0.02)
    assert each == pytest.approx(101 / 10001 * y[0].max(), rel=0.05)


def test_a_law_without_branches_refuses_them():
    with pytest.raises(ValueError, match="The law prandtl-ishlinskii has one branch"):
        IdentificationSettings("a.csv", "prandtl-ishlinskii", 2)  # pyright: ignore
