"""The decision: a first-order filter against its closed form, thresholds and dwell by hand."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zoo.edge.decision import Decision, LevelRule, PairDwell
from zoo.edge.decision import DecisionSettings as Settings

CLASSES = ("quiet", "speech", "music")
QUIET, SPEECH, MUSIC = np.eye(3)
EVEN = np.full(3, 1 / 3)
LOUD = -30.0


def names(decision, probabilities, seconds=0.1, level=LOUD):
    return [decision.update(p, level, seconds).name for p in probabilities]


@pytest.mark.parametrize("seconds", [0.016, 0.3])
def test_the_posterior_is_a_first_order_filter(seconds):
    decision = Decision(Settings(time_constant_s=0.7), CLASSES)
    probabilities = np.array([0.1, 0.7, 0.2])
    for k in range(1, 60):
        posterior = decision.update(probabilities, LOUD, seconds).posterior
        expected = probabilities + (1 / 3 - probabilities) * np.exp(-k * seconds / 0.7)
        np.testing.assert_allclose(posterior, expected, rtol=1e-12)


def test_a_program_begins_at_the_time_of_the_closed_form():
    # 1 - 2/3 exp(-t / tau) >= 0.6 from t = tau ln(5/3) = 0.5108 s on: the 6th step of 0.1 s
    programs = names(Decision(Settings(time_constant_s=1.0, enter=0.6), CLASSES), [SPEECH] * 8)
    assert programs == [None] * 5 + ["speech"] * 3


def test_it_gives_way_only_between_two_thresholds():
    # with so short a time constant the posterior is the last probabilities
    settings = Settings(time_constant_s=1e-3, enter=0.5, leave=0.4, abstain_below=0.2, dwell_s=0.0)
    decision = Decision(settings, CLASSES)
    probabilities = [
        (0.0, 0.6, 0.4),  # speech begins
        (0.0, 0.41, 0.59),  # not left yet
        (0.3, 0.39, 0.31),  # left, but none may begin
        (0.0, 0.39, 0.61),  # music
        (0.4, 0.4, 0.19),  # none
        (0.45, 0.4, 0.15),  # none yet
        (0.5, 0.4, 0.1),  # quiet
    ]
    expected = ["speech", "speech", "speech", "music", None, None, "quiet"]
    assert names(decision, np.array(probabilities)) == expected


def test_dwell_is_the_shortest_time_between_changes():
    settings = Settings(time_constant_s=1e-3, dwell_s=0.35)
    decision = Decision(settings, CLASSES)
    programs = names(decision, [SPEECH, MUSIC, MUSIC, MUSIC, MUSIC, SPEECH])
    assert programs == ["speech"] * 4 + ["music"] * 2
    changes = [decision.update(SPEECH, LOUD, 0.1).changed for _ in range(4)]
    assert changes == [False, False, True, False]


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ([SPEECH, MUSIC, MUSIC, MUSIC], ["speech", "speech", "music", "music"]),
        ([SPEECH, EVEN, EVEN, MUSIC, MUSIC], ["speech", "speech", None, None, "music"]),
    ],
)
def test_a_change_is_allowed_as_soon_as_the_dwell_time_is_over(probabilities, expected):
    settings = Settings(time_constant_s=1e-3, enter=0.5, leave=0.4, abstain_below=0.35, dwell_s=0.5)
    assert names(Decision(settings, CLASSES), probabilities, seconds=0.25) == expected


def test_level_is_evidence():
    rule = LevelRule("quiet", certain_below=-60, impossible_above=-40)
    decision = Decision(Settings(time_constant_s=1e-3, dwell_s=0.0, levels=(rule,)), CLASSES)
    assert decision.update(MUSIC, -70, 0.1).name == "quiet"
    assert decision.update(MUSIC, -np.inf, 0.1).name == "quiet"
    assert decision.update(MUSIC, -50, 0.1).name == "music"
    assert decision.update(QUIET, -50, 0.1).name == "quiet"
    program = decision.update(np.array([0.8, 0.15, 0.05]), -30, 0.1)
    np.testing.assert_allclose(program.posterior, [0.0, 0.75, 0.25], atol=1e-12)
    np.testing.assert_allclose(decision.update(QUIET, -30, 0.1).posterior, [0, 0.5, 0.5])


def test_the_markov_filter_is_bayes_rule_step_by_step():
    settings = Settings(
        method="hmm", weight_per_s=5.0, changes_per_min=12.0, offsets={"music": 0.7}, dwell_s=0.0
    )
    decision = Decision(settings, CLASSES)
    stay = np.exp(-12 / 60 * 0.1)
    transitions = np.full((3, 3), (1 - stay) / 2) + np.eye(3) * (stay - (1 - stay) / 2)
    expected = np.full(3, 1 / 3)
    for p in np.random.default_rng(0).dirichlet(np.ones(3), 50):
        p[0] *= 1e-6  # below what a single hop may say
        likelihood = (np.maximum(p, 1e-3) * np.exp([0, 0, 0.7])) ** 0.5
        expected = (expected @ transitions) * likelihood
        expected /= expected.sum()
        posterior = decision.update(p, LOUD, 0.1).posterior
        np.testing.assert_allclose(posterior, expected, rtol=1e-9)


def test_a_class_has_thresholds_of_its_own():
    settings = Settings(
        time_constant_s=1e-3,
        dwell_s=0.0,
        enter=0.5,
        leave=0.5,
        enter_by_class={"music": 0.8},
        leave_by_class={"speech": 0.3},
    )
    decision = Decision(settings, CLASSES)
    probabilities = [(0, 0.6, 0.4), (0, 0.25, 0.75), (0, 0.35, 0.65), (0.6, 0.35, 0.05)]
    assert names(decision, np.array(probabilities)) == ["speech"] * 4
    assert names(decision, np.array([(0, 0.15, 0.85), (0.6, 0, 0.4)])) == ["music", "quiet"]


def test_a_pair_has_a_dwell_of_its_own():
    pair = PairDwell("speech", "music", 0.55)
    settings = Settings(
        time_constant_s=1e-3, dwell_s=0.15, abstain_below=0.0, dwell_by_pair=(pair,)
    )
    decision = Decision(settings, CLASSES)
    assert names(decision, [SPEECH] + [MUSIC] * 6) == ["speech"] * 6 + ["music"]
    assert names(decision, [SPEECH] * 2) == ["music", "speech"]


def test_reset_forgets_everything():
    decision = Decision(Settings(), CLASSES)
    first = names(decision, [SPEECH, MUSIC] * 10)
    decision.reset()
    assert names(decision, [SPEECH, MUSIC] * 10) == first


def test_settings_travel_through_json():
    settings = Settings(
        2.0,
        0.7,
        0.3,
        0.1,
        1.5,
        (LevelRule("quiet", -60.0),),
        method="hmm",
        enter_by_class={"speech": 0.9},
        dwell_by_pair=(PairDwell("quiet", "speech", 2.0),),
        offsets={"music": -0.5},
    )
    assert Settings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Settings(time_constant_s=0.0), "above 0"),
        (lambda: Settings(enter=0.3, leave=0.5), "leave <= enter"),
        (lambda: Settings.from_dict({"speed": 1}), "no setting speed"),
        (lambda: Settings.from_dict({"levels": [{"below": 1}]}), "cannot be read"),
        (lambda: Settings.from_dict({"enter": "high"}), "cannot be read"),
        (lambda: Settings(enter_by_class={"music": 0.1}), "of 'music'"),
        (lambda: Settings(method="vote"), "'average' or 'hmm'"),
        (lambda: Settings(weight_per_s=0.0), "above 0"),
        (lambda: Settings(offsets={"music": np.inf}), "finite"),
        (lambda: PairDwell("quiet", "music", -1.0), "0 s or more"),
        (lambda: Decision(Settings(offsets={"wind": 1.0}), CLASSES), "Received: wind"),
        (lambda: LevelRule("quiet", -40.0, -60.0), "must not exceed"),
        (lambda: Decision(Settings(levels=(LevelRule("wind"),)), CLASSES), "Received: wind"),
        (lambda: Decision(Settings(), CLASSES).update(np.ones(2), LOUD, 0.1), "3 finite numbers"),
        (lambda: Decision(Settings(), CLASSES).update(np.nan * SPEECH, LOUD, 0.1), "finite"),
        (lambda: Decision(Settings(), CLASSES).update(SPEECH, np.nan, 0.1), "NaN"),
    ],
)
def test_mistakes_are_one_line(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_it_needs_numpy_only():
    code = (
        "import sys, zoo.edge.decision\n"
        "heavy = {'tensorflow', 'keras', 'scipy', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
