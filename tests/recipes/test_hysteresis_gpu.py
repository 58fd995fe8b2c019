"""Training on a GPU, without PyTorch: what is simulated, what is written, mistakes."""

import json
import runpy
import sys
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest

from recipes.hysteresis import train_on_gpu
from recipes.hysteresis.gpu_data import Data, make_data
from recipes.hysteresis.gpu_settings import GpuSettings


class Tensor(np.ndarray):
    """An array that stays where it is."""

    def to(self, device):
        return self


class Trainer:
    """Counts its steps."""

    def __init__(self, cell, settings, scaling, device):
        self.cell, self.steps, self.stream, self.loss = cell, 0, None, 0.0
        self.torch = SimpleNamespace(__version__="0")

    def step(self, batch, learning_rate):
        self.steps += 1

    def validate(self, data):
        return float(self.steps)

    def keras_weights(self):
        return {"steps": np.array(self.steps)}

    def example(self, x):
        return {}


def test_the_last_errors_are_those_of_the_weights_that_are_written(tmp_path, monkeypatch):
    torch = MagicMock()
    torch.cuda.is_available.return_value = False
    torch.device.return_value = SimpleNamespace(type="cpu")
    torch.from_numpy = lambda values: values.view(Tensor)
    torch.randint = lambda high, shape, **_: np.zeros(shape, int)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(train_on_gpu, "Trainer", Trainer)
    data = Data(
        np.random.default_rng(0).normal(size=(4, 2, 5)), np.array([[1.0, 2.0]] * 4), np.ones((4, 2))
    )
    monkeypatch.setattr(train_on_gpu, "make_data", lambda *_: data)
    train_on_gpu.train(GpuSettings(cells=("lstm",), minutes=1e-4, batch=4), tmp_path)
    with np.load(tmp_path / "lstm.npz") as file:
        entry, steps = json.loads(file["training"].tobytes()), int(file["steps"])
    assert entry["optimizer_steps"] == steps == entry["history"][-1]["lstm"]
    assert entry["history"][-1]["seconds"] >= 60e-4


def test_as_many_paths_are_simulated_as_asked_for():
    data = make_data(2100, 3, (0.01, 0.02), GpuSettings(), 0)
    assert data.x.shape == (2100, 3, 5) and data.y.shape == data.weight.shape == (2100, 3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the package torch is not installed"),
        (["--batch", "3"], "--batch must be 4 or more"),
        (["--start", __file__], "a file for each of the cells lstm, gru, rnn"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(sys, "argv", ["train", *words, "--out", str(tmp_path / "gpu")])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(train_on_gpu.__file__, run_name="__main__")
    error = capsys.readouterr().err
    assert ended.value.code == 2 and error.startswith("error: ") and message in error
