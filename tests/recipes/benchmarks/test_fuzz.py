"""Damaged input, by chance with a seed: no parser crashes, hangs, or answers otherwise in silence.

`python -m recipes.benchmarks.fuzz` runs the same targets for as long as one likes, those that could
end the process included.
"""

import signal

import numpy as np
import pytest

from recipes.benchmarks.fuzz.damage import damage_bytes, damage_json, damage_text
from recipes.benchmarks.fuzz.settings import TARGETS
from recipes.benchmarks.fuzz.target import Counts, Target, expected_answers, run_case
from recipes.benchmarks.fuzz.targets import make_target
from zoo import folders

CASES = {"keras": 25, "cache": 25, "resealed manifest": 80, "corpus": 100}
DEFAULT_CASES = 150
# LiteRT may end the process; only the command, which has one for each target, runs it.
IN_PROCESS = [name for name in TARGETS if name != "litert"]


@pytest.fixture
def deadline():
    """A case that hangs is an error, not a test that never ends."""

    def late(*_):
        raise TimeoutError("a case took more than a minute")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", IN_PROCESS)
def test_damage_is_refused_in_one_line_or_changes_nothing(name, tmp_path, deadline):
    target = make_target(name, folders.find("hysteresis-rnn"), tmp_path)
    expected, counts = expected_answers(target), Counts()
    for number in range(CASES.get(name, DEFAULT_CASES)):
        run_case(target, expected, 0, number, counts)
    assert counts.broke == 0, counts.faults
    assert counts.tried == counts.refused + counts.same + counts.other
    assert counts.refused > 0 or name in ("cache", "trial")  # both compute again instead


@pytest.mark.parametrize(
    ("error", "broke"),
    [
        (ValueError("one line"), 0),
        (OSError(28, "No space left"), 0),
        (ValueError("two\nlines"), 1),
        (ValueError(""), 1),
        (KeyError("x"), 1),
        (MemoryError(), 1),
        (AssertionError("a wrong answer"), 1),
    ],
)
def test_what_counts_as_broken(error, broke):
    def answer(name, content):
        if content != b"whole":
            raise error
        return 1

    counts = Counts()
    target = Target({"a": b"whole"}, answer, lambda content, rng: b"damaged")
    run_case(target, expected_answers(target), 0, 0, counts)
    assert (counts.broke, counts.refused) == (broke, 1 - broke)


@pytest.mark.parametrize(("is_sealed", "broke"), [(True, 1), (False, 0)])
def test_another_answer_of_a_sealed_file_is_broken(is_sealed, broke):
    target = Target({"a": b"1"}, lambda _, content: content, lambda content, rng: b"2", is_sealed)
    counts = Counts()
    run_case(target, expected_answers(target), 0, 0, counts)
    assert (counts.broke, counts.other) == (broke, 1 - broke)


@pytest.mark.parametrize("damage", [damage_bytes, damage_text, damage_json])
def test_damage_depends_on_the_seed_alone(damage):
    content = b'{"a": [1, 2, {"b": "c"}], "d": "e,f;g", "h": 3}\n1,2,3\n'
    content = content.split(b"\n")[0] if damage is damage_json else content
    results = [damage(content, np.random.default_rng([0, n])) for n in (*range(30), *range(30))]
    assert results[:30] == results[30:]
    assert len(set(results)) > 15 and sum(each != content for each in results) > 50
