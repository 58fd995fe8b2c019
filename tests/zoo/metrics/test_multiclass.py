"""Multiclass metrics against counts by hand and closed forms."""

import numpy as np
import pytest

from zoo.metrics import multiclass

# Six clips of three classes: 0 0 | 1 1 1 | 2, predicted 0 1 | 1 1 2 | 2.
LABELS = np.array([0, 0, 1, 1, 1, 2])
PREDICTED = np.array([0, 1, 1, 1, 2, 2])


def one_confidence(
    predicted: np.ndarray, confidence: float | np.ndarray, classes: int = 3
) -> np.ndarray:
    """Probabilities with `confidence` in the predicted class, the rest shared out evenly."""
    confidence = np.broadcast_to(np.asarray(confidence, float), predicted.shape)[:, None]
    rest = (1 - confidence) / (classes - 1)
    return np.where(np.arange(classes) == predicted[:, None], confidence, rest)


def test_counts_by_hand():
    p = one_confidence(PREDICTED, 0.9)
    np.testing.assert_array_equal(
        multiclass.confusion_matrix(LABELS, p), [[1, 1, 0], [0, 2, 1], [0, 0, 1]]
    )
    assert multiclass.accuracy(LABELS, p) == pytest.approx(4 / 6)
    np.testing.assert_allclose(
        multiclass.f1_scores(multiclass.confusion_matrix(LABELS, p)), [2 / 3, 4 / 6, 2 / 3]
    )
    assert multiclass.macro_f1(LABELS, p) == pytest.approx(2 / 3)


def test_a_class_that_never_occurs_does_not_count():
    p = one_confidence(PREDICTED, 0.9, classes=4)
    assert np.isnan(multiclass.f1_scores(multiclass.confusion_matrix(LABELS, p))[3])
    assert multiclass.macro_f1(LABELS, p) == pytest.approx(2 / 3)


def test_log_loss_of_chance_is_the_log_of_the_classes():
    assert multiclass.log_loss(LABELS, np.full((6, 3), 1 / 3)) == pytest.approx(np.log(3))
    assert np.isfinite(multiclass.log_loss(LABELS, one_confidence(1 - np.minimum(LABELS, 1), 1.0)))


@pytest.mark.parametrize(
    ("labels", "p", "message"),
    [
        ([0, 1], np.full((3, 2), 0.5), "must belong together"),
        ([0, 2], np.full((2, 2), 0.5), "must lie from 0 to 1"),
        ([0, 7], np.full((2, 2), 0.5), "must lie from 0 to 1"),
        ([0, -1], np.full((2, 2), 0.5), "must lie from 0 to 1"),
        ([0, 1], np.full((2, 2), 0.4), "sum to one"),
        ([], np.zeros((0, 2)), "must belong together"),
    ],
)
def test_what_is_no_classification_is_refused(labels, p, message):
    with pytest.raises(ValueError, match=message):
        multiclass.accuracy(np.array(labels, int), p)
