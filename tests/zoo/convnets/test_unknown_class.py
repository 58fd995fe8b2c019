"""The class "unknown" of a trained classifier, against NumPy and the classifier without it."""

import keras
import numpy as np
import pytest

from tests.small_models import small_sound_model
from zoo.convnets import config_of, embedding_model
from zoo.convnets.unknown_class import SLOPE, UnknownClass, add_unknown_class
from zoo.metrics.familiarity import unit_vectors


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return small_sound_model("small", 3, sample_rate_hz=8000, duration_s=0.5)


@pytest.fixture(scope="module")
def sound(model):
    return np.random.default_rng(0).normal(0, 0.1, (5, model.input.shape[1])).astype("float32")


def test_probabilities_are_those_before_but_for_the_share_of_the_unknown(model, sound):
    embeddings = embedding_model(model)(sound).numpy()
    prototypes = unit_vectors(np.random.default_rng(1).normal(size=(2, embeddings.shape[1])))
    familiarity = (unit_vectors(embeddings) @ prototypes.T).max(axis=1)
    threshold = float(np.median(familiarity))
    whole = add_unknown_class(model, prototypes, threshold)
    before = model(sound)["probabilities"].numpy()
    after = whole(sound)["probabilities"].numpy()
    assert after.shape == (5, 4)
    np.testing.assert_allclose(after.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(after[:, :3] / after[:, :3].sum(axis=1)[:, None], before, rtol=1e-4)
    odds = after[:, 3] / after[:, :3].max(axis=1)
    np.testing.assert_allclose(np.log(odds), SLOPE * (threshold - familiarity), atol=1e-3)
    assert config_of(whole) == config_of(model) and whole.front == model.front


def test_round_trip(model, sound, tmp_path):
    width = embedding_model(model).output.shape[-1]
    whole = add_unknown_class(model, np.eye(width)[:3], 0.5)
    whole.save(tmp_path / "m.keras")
    opened = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(
        opened(sound)["probabilities"].numpy(), whole(sound)["probabilities"].numpy()
    )
    layer = whole.layers[-1]
    assert UnknownClass.from_config(layer.get_config()).get_config() == layer.get_config()


def test_a_model_that_has_the_class_gets_no_other(model):
    width = embedding_model(model).output.shape[-1]
    whole = add_unknown_class(model, np.eye(width)[:3], 0.5)
    with pytest.raises(ValueError, match="Received: UnknownClass"):
        add_unknown_class(whole, np.eye(width)[:3], 0.5)
