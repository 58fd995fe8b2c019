"""Familiarity and the threshold of the unknown, against numbers worked out by hand and SciPy."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from zoo.metrics.familiarity import familiarity_to, prototypes_of, score_strangers, threshold_of


def test_prototypes_are_mean_directions_whatever_the_lengths():
    x = np.array([[2.0, 0.0], [0.0, 9.0], [0.0, -3.0]])
    prototypes = prototypes_of(x, np.array([0, 0, 2]), 3)  # class 1 has no clip
    np.testing.assert_allclose(prototypes, [[np.sqrt(0.5)] * 2, [0.0, -1.0]], atol=1e-12)
    familiarity = familiarity_to(np.array([[5.0, 5.0], [1.0, 0.0], [0.0, 0.0]]), prototypes)
    np.testing.assert_allclose(familiarity, [1.0, np.sqrt(0.5), 0.0], atol=1e-12)


def test_threshold_keeps_the_share_of_members():
    np.testing.assert_allclose(threshold_of(np.arange(101.0), 0.95), 5.0)


def test_each_fold_is_judged_by_the_threshold_of_the_others():
    members = [np.full(10, 0.85), np.linspace(0.0, 1.0, 11)]
    strangers = [np.array([0.04, 0.5]), np.array([0.8, 0.95])]
    scores = score_strangers(members, strangers, kept=0.9)
    # fold 1 at 0.1, which nine tenths of fold 2 reach; fold 2 at 0.85
    assert scores.kept == (10 + 2) / 21
    assert scores.passed == 2 / 4
    areas = [
        mannwhitneyu(m, s).statistic / (len(m) * len(s))
        for m, s in zip(members, strangers, strict=True)
    ]
    assert scores.auroc == pytest.approx(np.mean(areas))
    assert score_strangers(members, None).passed is None
    # a fold alone sets its own threshold, unless there are further members
    assert score_strangers(members[1:], strangers[1:], kept=0.9).passed == 1.0
    further = score_strangers(members[1:], strangers[1:], kept=0.9, further=members[:1])
    assert further.passed == 1 / 2
