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


def test_regression_and_several_labels():
    names = {}
    exec(compile(block_with('"multilabel": random'), "README.md", "exec"), names)
    assert names["results"]["regression"]["prediction"].shape == (8, 2)
    probabilities = names["results"]["multilabel"]["probabilities"].numpy()
    assert probabilities.shape == (8, 3) and not np.allclose(probabilities.sum(axis=1), 1)


def test_embedding_and_fine_tuning_of_a_saved_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(block_with("embedding_model(base)"), "README.md", "exec"), names)
    assert names["numbers"].shape == (6, 80)
    again = keras.models.load_model(tmp_path / "tuned.keras")
    sounds = names["sounds"]
    probabilities = np.asarray(again(sounds)["probabilities"])
    np.testing.assert_allclose(probabilities, names["tuned"](sounds)["probabilities"], atol=1e-5)
    # the last layer of the base sees the embedding
    kernel, bias, *_ = names["base"].get_layer("probabilities").get_weights()
    logits = names["embed"](sounds) @ kernel + bias
    of_classes = np.asarray(names["base"](sounds)["probabilities"])[:, :-1]  # without "unknown"
    np.testing.assert_allclose(
        keras.ops.softmax(logits), of_classes / of_classes.sum(axis=1, keepdims=True), atol=1e-5
    )
