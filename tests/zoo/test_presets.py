"""Material presets: scales from data, one output in physical units, training moves the loss."""

import numpy as np
import pytest

from zoo import presets
from zoo.data import hysteresis
from zoo.data.maxwell import Material
from zoo.presets import MATERIAL, SOLIDS, material
from zoo.recurrent import recurrent_layers
from zoo.training import Budget, FitSettings, fit

# Laws of friction are fitted by least squares; a viscous liquid is not theirs to learn in 16 steps.
# So is the black box, which starts as a linear model that those steps unsettle.
FRICTION = (
    *("prandtl-ishlinskii", "dynamic-prandtl", "armstrong-frederick", "power-damper"),
    *("bouc-wen", "bouc-wen-hardening", "bouc-wen-oscillator"),
)
BY_LEAST_SQUARES = (*FRICTION, "state-space", "mullins")  # the last is "yeoh" and a factor
# Fewer substeps, and fewer of Newton's method: a graph that takes seconds less to trace.
ONE = {"substeps": 1}
FAST = {"maxwell": ONE, "relaxation": ONE, "standard-material": {"steps": 2}}
TRAINED = (*MATERIAL, *(name for name in SOLIDS if name not in BY_LEAST_SQUARES))


@pytest.mark.parametrize("cell", TRAINED)
def test_a_material_preset_trains_in_any_unit(cell, capsys):
    # 1 GPa in MPa, time constants of a tenth of a second.
    solid = Material(modulus_mpa=1000.0, nu0_s=0.1, sigma0_mpa=500.0)
    data = hysteresis.split("walk", paths=8, seed=0, steps=8, material=solid)
    model = material(cell, **FAST.get(cell, {})).build(data.x, data.y)
    before = model(data.x)["prediction"]
    assert before.shape == data.y.shape and np.isfinite(before).all()
    history = fit(
        model,
        lambda step: data.dataset(8, seed=0, start_step=step),
        data.all_batches(8),
        Budget(epochs=2, steps_per_epoch=8, learning_rate=3e-2),
        FitSettings(losses={"prediction": "mse"}, loss_scale=float(data.y.var())),
    )
    capsys.readouterr()
    start = float(np.mean((before - data.y) ** 2) / data.y.var())
    assert min(history.val_loss) < 0.9 * start


def test_settings_replace_what_the_data_suggest():
    data = hysteresis.split("walk", paths=2, seed=0, steps=4)
    model = material("maxwell", modulus=7.0, substeps=2).build(data.x, data.y)
    cell = recurrent_layers(model)[0].cell
    assert cell.substeps == 2
    assert cell.constants()["modulus"] == pytest.approx(7.0, rel=1e-6)
    assert cell.stress_scale == pytest.approx(np.sqrt(np.mean(data.y**2)), rel=1e-5)


@pytest.mark.parametrize("cell", ["gru", "lru"])
def test_a_recurrent_preset_reads_covariates_behind_the_time_step(cell):
    data = hysteresis.split("walk", paths=2, seed=0, steps=4)
    x = np.concatenate([data.x, np.full((2, 4, 1), [[[20.0]], [[80.0]]], np.float32)], axis=-1)
    model = presets.recurrent(cell, layers=1, units=4).build(x, data.y)
    same = x[[0, 0]]
    same[1, :, 3] = 80.0
    cold, hot = np.asarray(model(same)["prediction"])
    assert cold.shape == (4, 1) and np.abs(cold - hot).max() > 1e-4


def test_padding_is_not_measured():
    data = hysteresis.split("walk", paths=2, seed=0, steps=4)
    x, y = (np.concatenate([part, 1e3 + part], axis=1) for part in (data.x, data.y))
    weight = np.repeat([[1.0] * 4 + [0.0] * 4], 2, axis=0)
    padded = recurrent_layers(material("maxwell").build(x, y, weight))[0].cell
    plain = recurrent_layers(material("maxwell").build(data.x, data.y))[0].cell
    assert padded.get_config()["modulus"] == plain.get_config()["modulus"]


def test_an_unknown_material_is_refused():
    with pytest.raises(ValueError, match="`cell` must be one of maxwell, relaxation, lmsc, emsc"):
        material("rubber")


def test_every_preset_is_registered_with_a_description_and_a_source():
    assert (
        *presets.RECURRENT,
        *presets.BASELINES,
        *presets.MATERIAL,
        *presets.SOLIDS,
    ) == presets.NAMES
    assert {*presets.NAMES, *presets.SOUNDS, *presets.PICTURES, "wheeze"} == set(presets.names())
    for name in presets.names():
        entry = presets.entry(name)
        assert entry.name == name and entry.description and entry.source


def test_a_name_is_registered_once_and_asked_for_by_its_kind():
    with pytest.raises(ValueError, match="'lstm', which exists"):
        presets.register("lstm", "recurrent", description="-", source="-")(lambda: None)
    with pytest.raises(ValueError, match="`name` must be one of convolution, transformer"):
        presets.baseline("lstm")
