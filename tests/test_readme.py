"""What README shows runs as it stands."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

README = Path(__file__).parents[1] / "README.md"


def block_with(words):
    """The one Python block of README that contains these words."""
    blocks = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)
    (block,) = (each for each in blocks if words in each)
    return block


def test_the_path_of_plain_keras(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    block = block_with("model.fit(")
    assert len(block.strip().splitlines()) <= 15
    names = {}
    exec(compile(block, "README.md", "exec"), names)
    x, stress = names["data"].x, names["stress"]
    assert stress.shape == names["data"].y.shape
    again = keras.models.load_model(tmp_path / "my_lstm.keras")
    np.testing.assert_allclose(again(x)["prediction"], stress, rtol=0, atol=1e-5)
    run = Interpreter(model_content=names["content"]).get_signature_runner()
    outputs = run(x=x[:1]).values()
    (by_lite,) = (values for values in outputs if values.shape[-1] == 1)
    np.testing.assert_allclose(by_lite, stress[:1], rtol=0, atol=1e-4)


def test_states_and_gates_by_name():
    names = {}
    exec(compile(block_with("show=lambda"), "README.md", "exec"), names)
    assert {"forget_0", "input_1"} <= set(names["gates"])
    assert names["outputs"]["prediction"].numpy() == pytest.approx(
        names["gates"]["prediction"].numpy(), abs=1e-5
    )
