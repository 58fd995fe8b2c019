"""Classes added to a taught classifier: what it answered before stays."""

from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from zoo import presets
from zoo.teaching.card import limits_of
from zoo.teaching.head_choice import HeadChoice
from zoo.teaching.heads import extend_head, fit_head
from zoo.teaching.model import build_classifier, earlier_of, embed, require_embedding


@pytest.fixture(scope="module")
def base():
    return presets.sound(
        "residual_tiny_causal", 12, sample_rate_hz=8000, duration_s=0.5, task="embedding"
    )


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    time_s = np.arange(4000) / 8000
    tones = [np.sin(2 * np.pi * hz * time_s) for hz in (300, 900, 2700) for _ in range(3)]
    return np.float32([0.2 * x + 0.02 * rng.standard_normal(4000) for x in tones])


def manifest_of(names):
    return {
        "classes": ["low", "middle", "unknown"],
        "training": {"head": "prototype", "penalty": 0.0},
        "unknown": {"examples": names},
    }


def test_a_taught_classifier_gives_back_its_head_and_takes_more_classes(base, clips):
    x = embed(base, clips)
    labels = np.repeat(np.arange(3), 3)
    head = fit_head(x[:6], labels[:6])
    model = build_classifier(base, head, "two_sounds")
    earlier = earlier_of(model, manifest_of(["low"] * 3 + ["middle"] * 3))
    assert earlier is not None and earlier.classes == ("low", "middle")
    np.testing.assert_allclose(earlier.head.weights, head.weights, rtol=1e-6)
    np.testing.assert_allclose(embed(earlier.base, clips), x, rtol=1e-5, atol=1e-5)
    more = extend_head(earlier.head, earlier.example_labels, x[6:], labels[6:] - 2)
    extended = build_classifier(earlier.base, more, "three_sounds")
    before = np.asarray(model(clips)["probabilities"])[:, :2]
    after = np.asarray(extended(clips)["probabilities"])[:, :2]
    # scores of the earlier classes are the same, so their odds are
    np.testing.assert_allclose(after[:, 0] / after[:, 1], before[:, 0] / before[:, 1], rtol=1e-3)
    assert np.asarray(extended(clips)["probabilities"]).shape == (9, 4)


def test_a_base_without_an_embedding_is_named(base):
    require_embedding(base, "mine")
    x = keras.Input((3,))
    with pytest.raises(ValueError, match=r"^wheeze: expected a base .* Received: dense\. Take --b"):
        require_embedding(keras.Model(x, keras.layers.Dense(1, name="dense")(x)), "wheeze")


def test_what_was_not_taught_or_not_noted(base, clips):
    assert earlier_of(base, {}) is None
    model = build_classifier(base, fit_head(embed(base, clips[:6]), np.repeat([0, 1], 3)), "two")
    with pytest.raises(ValueError, match="Teach the base again"):
        earlier_of(model, {"classes": ["low", "middle", "unknown"], "unknown": {}})


def test_limits_of_added_classes_say_what_was_measured_of_them():
    """Head and threshold are those of the earlier classes: no strangers were measured."""
    choice = HeadChoice("prototype", 0.0, {"prototype": 0.9}, np.zeros(0), kept=1.0)
    taught: Any = SimpleNamespace(choice=choice)
    accuracy, strangers = limits_of(taught, {})
    assert "added classes" in accuracy and "chosen" not in accuracy
    assert "not measured again" in strangers
