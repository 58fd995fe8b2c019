import pytest

from zoo.stress.recommendation import recommend

SCORES = {
    "LSTM": {"train": {"nrmse": 0.01}, "held out": {"nrmse": 0.19}},
    "elastic": {"held out": {"nrmse": 0.5}},
    "prony, 1 branch": {"held out": {"nrmse": 0.0521}},
    "prony, 3 branches": {"held out": {"nrmse": 0.05}},
    "unknown": {"held out": {"nrmse": 0.001}},
}
COUNTS = {"LSTM": 13_000, "elastic": 1, "prony, 1 branch": 2, "prony, 3 branches": 6}


def test_the_simpler_of_two_equal_laws_is_recommended_in_words():
    choice = recommend(SCORES, COUNTS)
    assert choice.name == "prony, 1 branch"
    assert choice.text == (
        "Recommended: prony, 1 branch (2 parameters), nRMSE 5.2 % on the held out data. "
        "prony, 3 branches (6 parameters), nRMSE 5 % is hardly better, with more parameters. "
        "Next: LSTM (13,000 parameters), nRMSE 19 %; elastic (1 parameter), nRMSE 50 %."
    )


def test_a_network_wins_where_it_is_better():
    scores = SCORES | {"LSTM": {"held out": {"nrmse": 0.01}}}
    choice = recommend(scores, COUNTS)
    assert choice.name == "LSTM" and "hardly" not in choice.text


def test_it_is_said_that_nothing_follows_the_data():
    scores = {"elastic": {"held out": {"nrmse": 0.5}}}
    assert "None follows the data within 10 %" in recommend(scores, COUNTS).text


def test_an_error_as_large_as_the_stress_has_no_exponent():
    scores = {name: {"test": {"nrmse": value}} for name, value in (("a", 0.1), ("b", 0.998))}
    assert "b (2 parameters), nRMSE 100 %" in recommend(scores, {"a": 1, "b": 2}, "test").text


def test_without_an_error_nothing_is_recommended():
    with pytest.raises(ValueError, match="on the split 'walk'"):
        recommend(SCORES, COUNTS, "walk")


def test_a_model_without_a_number_for_its_error_is_not_recommended():
    scores = {"LSTM": {"held out": {"nrmse": float("nan")}}, "elastic": SCORES["elastic"]}
    assert recommend(scores, COUNTS).name == "elastic"
