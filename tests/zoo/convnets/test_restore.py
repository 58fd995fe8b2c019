"""Files saved before version 0.2 get the config of the network that they are, and of no other."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from zoo.convnets import (
    NETWORKS,
    ConvNet,
    ConvNetModel,
    config_of,
    restore_config,
    sound_model,
    standardize_of,
)
from zoo.spectrogram import FrontEnd, Spectrogram
from zoo.spectrogram.normalise import Normalise

FRONT = FrontEnd(8000, window_s=0.032, hop_s=0.016, mels=64, padding="causal")
RNG = np.random.default_rng(0)


def old_file(path, config: ConvNet, name: str, task: str = "multiclass") -> keras.Model:
    """Save a model as they were before: no config in it, its front end ends with `Normalise`."""
    front = [Spectrogram(FRONT, name="spectrogram"), Normalise(name="normalise")]
    new = sound_model(config, front, 3, task=task)
    standardize_of(new).mean.assign(RNG.normal(-40, 1, (FRONT.bands, 1)))
    old = keras.Model(new.input, new.output, name=name)
    old.save(path)
    return old


@pytest.mark.parametrize("task", ["multiclass", "multilabel", "regression"])
@pytest.mark.parametrize(
    ("name", "current"), [("alexnet_hop", "crnn_hop"), ("alexnet_gap", "alexnet_gap")]
)
def test_an_old_file_is_restored(name, current, task, tmp_path):
    old = old_file(tmp_path / "old.keras", NETWORKS[current], name, task)
    loaded = keras.saving.load_model(tmp_path / "old.keras")
    assert type(loaded) is not ConvNetModel
    model = restore_config(loaded)
    assert (config_of(model), model.task, model.name) == (NETWORKS[current], task, current)
    assert model.front == ("spectrogram", "normalise")
    np.testing.assert_array_equal(
        standardize_of(model).mean, old.get_layer("normalise").mean, strict=True
    )
    x = RNG.normal(size=(2, 4096)).astype(np.float32)
    (output,) = old.output
    np.testing.assert_array_equal(model(x)[output], old(x)[output])


@pytest.mark.parametrize(
    "change",
    [
        {"filters": (16, 24, 32, 40)},
        {"dropout": 0.3},
        {"normalisation": "none"},
        {"paddings": ((1, 1), *((1, 1),) * 3)},
        {"causal": False},
        {"recurrent": 16},
    ],
)
def test_another_network_of_a_shipped_name_is_not(change, tmp_path):
    old_file(tmp_path / "old.keras", replace(NETWORKS["crnn_hop"], **change), "alexnet_hop")
    loaded = keras.saving.load_model(tmp_path / "old.keras")
    assert restore_config(loaded) is loaded
    with pytest.raises(ValueError, match="which carries its config"):
        config_of(loaded)


def test_a_name_that_nobody_knows_is_not(tmp_path):
    old_file(tmp_path / "old.keras", NETWORKS["crnn_hop"], "mine")
    loaded = keras.saving.load_model(tmp_path / "old.keras")
    assert restore_config(loaded) is loaded
