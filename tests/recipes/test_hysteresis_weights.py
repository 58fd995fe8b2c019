"""Weights of networks that were trained elsewhere: layout, checks, what a manifest says."""

import json
from pathlib import Path

import numpy as np
import pytest

from recipes.hysteresis.weights import CELLS, read_start, read_weights
from zoo.recurrent import (
    Increments,
    Scaling,
    plain_model,
    predictor,
    recurrent_layers,
    recurrent_model,
)


def write(path, cell="gru", units=3, **changes):
    scaling = Scaling((0.0,) * 5, (1.0, 2.0, 0.1, 0.3, 1.5), (0.0,), (0.4,))
    model = recurrent_model(
        [CELLS[cell](units) for _ in range(2)], front=Increments(), scaling=scaling
    )
    arrays = {}
    for k, layer in enumerate(recurrent_layers(model)):
        for name, value in zip(
            ("kernel", "recurrent", "bias"), layer.cell.get_weights(), strict=True
        ):
            arrays[f"{name}_{k}"] = value
    arrays["readout_kernel"], arrays["readout_bias"] = model.get_layer("readout").get_weights()
    for name in ("x_mean", "x_std", "y_mean", "y_std"):
        arrays[name] = np.array(getattr(scaling, name))
    x = np.random.default_rng(0).uniform(0.01, 1, (2, 6, 3)).astype(np.float32)
    arrays |= {"example_x": x, "example_stress": predictor(model)(x)[..., 0]}
    point = {"seconds": 3.0, "steps": 7, "learning_rate": 1e-3, cell: 0.1, f"{cell}_loss": 0.2}
    settings = {"units": units, "seed": 0, "paths": 9, "long_paths": 1, "batch": 4}
    entry = {
        "cell": cell,
        "settings": settings | {"learning_rate": 1e-3, "minutes": 0.05},
        "optimizer_steps": 7,
        "history": [point],
        "device": "CPU",
        "framework": "PyTorch",
    }
    arrays["training"] = np.frombuffer(json.dumps(entry).encode(), np.uint8)
    np.savez(path, **(arrays | changes))
    return x, arrays["example_stress"]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_network_read_back_gives_its_own_examples(tmp_path, cell):
    x, stress = write(tmp_path / "w.npz", cell)
    given = read_weights(tmp_path / "w.npz", cell, 2, 3)
    np.testing.assert_allclose(predictor(given.model)(x)[..., 0], stress, atol=1e-6)
    assert given.entry["optimizer_steps"] == 7
    assert given.history.val_loss == [0.1]
    assert given.budget == "7 steps of 4"


def test_another_network_or_another_stress_is_refused(tmp_path):
    _, stress = write(tmp_path / "w.npz")
    with pytest.raises(ValueError, match="GRU of 3 units"):
        read_weights(tmp_path / "w.npz", "gru", 2, 32)
    write(tmp_path / "w.npz", example_stress=stress + 0.1)
    with pytest.raises(ValueError, match="off by"):
        read_weights(tmp_path / "w.npz", "gru", 2, 3)
    (tmp_path / "w.npz").write_bytes(b"not a file of weights")
    with pytest.raises(ValueError, match="train_on_gpu"):
        read_weights(tmp_path / "w.npz", "gru", 2, 3)


def test_a_saved_model_is_a_start_with_its_own_history(tmp_path):
    _, stress = write(tmp_path / "w.npz", "gru")
    model, entry = read_start(tmp_path / "w.npz", "gru", 2, 3)
    assert entry["optimizer_steps"] == 7
    file = tmp_path / "model.keras"
    plain_model(model).save(file)
    again, entry = read_start(file, "gru", 2, 3)
    x = np.random.default_rng(0).uniform(0.01, 1, (2, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(predictor(again)(x)[..., 0], stress, atol=1e-6)
    with pytest.raises(ValueError, match="GRUCell of 3, GRUCell of 3"):
        read_start(file, "lstm", 2, 3)
    _, entry = read_start(Path("hysteresis-gru"), "gru", 2, 32)
    assert entry["batch_size"] == 32
    assert entry["made_by"].startswith("Made by")
