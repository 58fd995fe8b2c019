"""Heads on an embedding, against closed forms and optimality conditions."""

import numpy as np
import pytest

from zoo.metrics.familiarity import unit_vectors
from zoo.teaching.episodes import Episodes, few_shot_accuracy, stranger_scores
from zoo.teaching.head_choice import choose_head, try_extension
from zoo.teaching.heads import (
    PROTOTYPE_SCALE,
    class_shares,
    extend_head,
    fit_head,
    fit_softmax,
)
from zoo.teaching.parts import split_parts
from zoo.teaching.unknown import PRIOR_CLIPS, try_strangers, unknown_threshold


def clusters(classes=3, recordings=4, takes=2, width=8, spread=0.1, seed=0):
    """Embeddings around a direction of each class, labels, recordings."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(classes, width))
    x, labels, groups = [], [], []
    for k in range(classes):
        for recording in range(recordings):
            for _ in range(takes):
                x.append(centres[k] + spread * rng.normal(size=width))
                labels.append(k)
                groups.append(f"{k}-{recording}")
    return np.array(x), np.array(labels), np.array(groups)


def test_prototypes_are_cosines_to_the_mean_directions():
    x = np.array([[3.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    head = fit_head(x, np.array([0, 1, 1]))
    # of class 1: the mean of (0, 1) and (1, 1) / sqrt 2, at 67.5 degrees
    asked = np.array([[5.0, 0.0]])
    expected = [1.0, np.cos(np.radians(67.5))]
    np.testing.assert_allclose(head.scores(asked)[0] / PROTOTYPE_SCALE, expected, atol=1e-12)
    np.testing.assert_allclose(head.familiarity(asked), [1.0])


def test_a_new_class_keeps_the_scores_of_the_others_with_prototypes():
    x, labels, _ = clusters()
    some = labels < 2
    before = fit_head(x[some], labels[some]).scores(x)
    after = fit_head(x, labels).scores(x)
    np.testing.assert_allclose(after[:, :2], before, atol=1e-12)


def test_a_linear_head_meets_the_conditions_of_its_optimum():
    x, labels, _ = clusters(spread=1.0)
    penalty = 1e-2
    head = fit_head(x, labels, "linear", penalty)
    z = head.scores(x)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    error = (p - np.eye(3)[labels]) / len(x)
    # the gradient of the mean cross-entropy and of penalty / 2 |W|^2 vanishes
    np.testing.assert_allclose(unit_vectors(x).T @ error, -penalty * head.weights, atol=2e-4)
    np.testing.assert_allclose(error.sum(axis=0), 0, atol=2e-4)


def test_the_choice_leaves_whole_recordings_out():
    rng = np.random.default_rng(1)
    # the takes of a recording are alike, recordings of a class are not: nothing can be learnt
    centres = rng.normal(size=(12, 40))
    x = np.repeat(centres, 4, axis=0) + 1e-3 * rng.normal(size=(48, 40))
    labels, groups = np.repeat(np.arange(12) % 3, 4), np.repeat(np.arange(12), 4)
    choice = choose_head(x, labels, groups)
    assert max(choice.accuracy.values()) < 0.7
    assert choice.familiarity.max() < 0.9  # clips of the own recording do not count
    assert choice.kind in choice.sentence()


def test_of_equally_good_heads_the_prototypes_are_taken():
    choice = choose_head(*clusters())
    assert choice.kind == "prototype"
    assert choice.accuracy["prototype"] == 1


@pytest.mark.parametrize("labels", [[0, 0, 2, 2]])
def test_a_class_without_a_clip_is_refused(labels):
    with pytest.raises(ValueError, match="a clip of every class"):
        fit_head(np.eye(4), np.array(labels))


def test_the_threshold_lets_the_share_pass():
    familiarity = np.append(np.linspace(0, 1, 101), np.nan)
    assert unknown_threshold(familiarity) == pytest.approx(0.05)
    assert unknown_threshold(np.array([np.nan])) == -1


def test_unknown_sounds_get_no_class():
    x, labels, _ = clusters()
    head = fit_head(x, labels)
    head = type(head)(head.kind, head.weights, head.bias, head.examples, threshold=0.9)
    assert (head.predict(x) == labels).all()
    assert (head.predict(-x) == -1).all()


def test_episodes_ask_for_other_recordings():
    x, labels, groups = clusters(classes=6, recordings=8, takes=1, spread=0.05)
    result = few_shot_accuracy(x, labels, groups, Episodes(ways=3, shots=2, count=20))
    assert result.value == 1
    chance = few_shot_accuracy(
        np.random.default_rng(0).normal(size=x.shape), labels, groups, Episodes(3, 2, 60)
    )
    assert 0.2 < chance.value < 0.47


def test_strangers_are_ranked_by_familiarity():
    known, members, strangers = np.eye(3), np.eye(3) + 0.1, -np.eye(3)
    scores = stranger_scores(known, members, strangers)
    assert (scores.auroc, scores.passed) == (1.0, 0.0)
    swapped = stranger_scores(known, strangers, members)
    assert (swapped.auroc, swapped.passed) == (0.0, 1.0)


@pytest.mark.parametrize("kind", ["prototype", "linear"])
def test_added_classes_leave_the_scores_of_the_others_as_they_are(kind):
    x, labels, groups = clusters(classes=4, spread=0.3)
    old, new = labels < 2, labels >= 2
    head = fit_head(x[old], labels[old], kind)
    more = extend_head(head, labels[old], x[new], labels[new] - 2)
    u = np.random.default_rng(1).normal(size=(200, x.shape[1]))
    np.testing.assert_allclose(more.scores(u)[:, :2], head.scores(u), atol=1e-12)
    before, after = head.scores(u).argmax(axis=1), more.scores(u).argmax(axis=1)
    assert np.all((after == before) | (after >= 2))
    assert np.all(more.familiarity(u) >= head.familiarity(u))
    assert (more.scores(x).argmax(axis=1) == labels).mean() > 0.95
    choice = try_extension(head, labels[old], x[new], labels[new] - 2, groups[new])
    assert choice.kept == 1.0 and next(iter(choice.accuracy.values())) > 0.9
    assert "that of the earlier classes" in choice.sentence()


def test_an_added_linear_class_meets_the_conditions_of_its_optimum():
    x, labels, _ = clusters(spread=1.0)
    old = labels < 2
    penalty = 1e-2
    head = fit_head(x[old], labels[old], "linear", penalty)
    more = extend_head(head, labels[old], x[~old], labels[~old] - 2)
    z = np.concatenate([more.scores(x[old]), more.scores(x[~old])])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    ordered = np.concatenate([labels[old], labels[~old]])
    error = (p - np.eye(3)[ordered])[:, 2] / len(x)
    u = unit_vectors(np.concatenate([x[old], x[~old]]))
    np.testing.assert_allclose(u.T @ error, -penalty * more.weights[:, 2], atol=2e-4)
    np.testing.assert_allclose(error.sum(), 0, atol=2e-4)


def test_a_softmax_head_does_not_depend_on_units_and_is_optimal():
    x, labels, _ = clusters(spread=0.8)
    weights, bias = fit_softmax(x, labels, 1e-2)
    scales = np.linspace(0.1, 30.0, x.shape[1])
    scaled, offset = fit_softmax(x * scales + 5.0, labels, 1e-2)
    z, other = x @ weights + bias, (x * scales + 5.0) @ scaled + offset
    np.testing.assert_allclose(other, z, atol=2e-2)
    # an example that counts twice is as good as two of it
    twice = fit_softmax(np.concatenate([x, x[:5]]), np.concatenate([labels, labels[:5]]), 1e-2)
    shares = np.where(np.arange(len(x)) < 5, 2.0, 1.0)
    for got, expected in zip(fit_softmax(x, labels, 1e-2, shares), twice, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-2)
    # at the optimum the mean error of each class, the gradient of its bias, is zero
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose((p - np.eye(3)[labels]).mean(axis=0), 0, atol=1e-4)


def test_one_recording_a_class_leaves_the_accuracy_open():
    x, labels, groups = clusters(recordings=1, takes=1)
    choice = choose_head(x, labels, groups)
    assert (choice.kind, choice.accuracy, choice.single) == ("prototype", {}, 3)
    assert np.isnan(choice.familiarity).all()
    assert "not known" in choice.sentence() and "%" not in choice.sentence()
    more = try_extension(fit_head(x, labels), labels, x[:1] + 3.0, np.array([0]), ["new"])
    assert more.accuracy == {} and "not known" in more.sentence()


def test_a_class_of_one_recording_competes_and_is_not_asked():
    x, labels, groups = clusters(recordings=3, takes=1)
    keep = (labels > 0) | (groups == "0-1")
    labels, groups = labels[keep], groups[keep]
    for train, test in split_parts(labels, groups, 5):
        assert 0 in labels[train] and 0 not in labels[test]
        assert not set(groups[train]) & set(groups[test])
    choice = choose_head(x[keep], labels, groups)
    assert choice.single == 1 and "1 class of one recording not counted" in choice.sentence()
    assert choice.accuracy["prototype"] == 1


def test_accuracy_is_the_mean_over_classes_of_very_different_size():
    rng = np.random.default_rng(0)
    # 40 alike of class 0, and 4 of class 1 that lie among them
    x = np.concatenate([rng.normal(size=(40, 8)) * 0.05 + 1, rng.normal(size=(4, 8)) * 0.05 + 1])
    labels = np.repeat([0, 1], [40, 4])
    choice = choose_head(x, labels, [str(k) for k in range(44)])
    assert min(choice.accuracy.values()) > 0.2 and max(choice.accuracy.values()) < 0.8


def test_each_class_counts_the_same():
    labels = np.repeat([0, 1, 2], [1, 3, 8])
    share = class_shares(labels)
    np.testing.assert_allclose([share[labels == k].sum() for k in range(3)], 4.0)
    # of two classes at the same place, the larger one is no likelier
    x = np.ones((12, 4))
    head = fit_head(
        x,
        np.repeat([0, 1], [2, 10]),
        "linear",
        1e-2,
        None,
        class_shares(np.repeat([0, 1], [2, 10])),
    )
    np.testing.assert_allclose(*head.scores(x[:1])[0], atol=1e-3)


def test_few_clips_take_the_threshold_of_the_prior():
    none = np.full(3, np.nan)
    assert unknown_threshold(none, 5.0) == pytest.approx(0.529)
    assert unknown_threshold(none, 1.0) == pytest.approx(0.249)
    assert unknown_threshold(none, 100.0) == pytest.approx(0.621)
    # as many clips as the prior counts: the mean of both
    assert unknown_threshold(np.full(PRIOR_CLIPS, 0.9), 5.0) == pytest.approx((0.9 + 0.529) / 2)


def test_strangers_are_the_other_classes():
    # classes at 0, 60 and 90 degrees; the clips of each are alike
    angle = np.radians([0, 0, 60, 60, 90, 90])
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    labels, inside = np.repeat([0, 1, 2], 2), np.array([1.0, 1.0, 1.0, 1.0, 0.6, np.nan])
    trial = try_strangers(x, labels, inside, threshold=0.7)
    assert trial.passed == pytest.approx(4 / 6)  # cos 60 = 0.5 is below, cos 30 = 0.87 above
    assert trial.kept == pytest.approx(4 / 5)
    assert trial.auroc == pytest.approx((4 * 6 + 2) / 30)
    assert try_strangers(x, labels, np.full(6, np.nan), 0.7).auroc is None
