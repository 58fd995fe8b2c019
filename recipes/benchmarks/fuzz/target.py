"""A parser to damage the input of, and what becomes of damaged files."""

import contextlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from recipes.benchmarks.fuzz.damage import Damage


@dataclass(frozen=True)
class Target:
    """A parser.

    Attributes:
        contents: files to damage, by name.
        answer: name and content of a file -> what the parser makes of it, comparable; it raises
            ValueError or OSError where it refuses, and AssertionError where its answer is wrong.
        damage: of the content.
        is_sealed: whether every change must be noticed; else a changed file may be another one.
    """

    contents: dict[str, bytes]
    answer: Callable[[str, bytes], Any]
    damage: Damage
    is_sealed: bool = False


def answer_or_none(read: Callable[[], Any]) -> Any:
    """What a parser answers; None where it refuses in one line."""
    try:
        return read()
    except (ValueError, OSError) as error:
        require_one_line(error)
        return None


def require_one_line(error: Exception) -> None:
    """Check the message of a refusal.

    Raises:
        AssertionError: it is empty, long, or of several lines.
    """
    text = str(error)
    assert text and "\n" not in text and len(text) < 8000, f"no single line: {text[:200]!r}"


@dataclass
class Counts:
    """Outcomes.

    Attributes:
        tried: files.
        refused: in one line.
        same: answered as before the damage.
        other: read as another file, as its text or bytes say; never of a sealed one.
        broke: crash, hang, traceback, several lines, or another answer where damage must be seen.
        faults: the first of those, with the number of the case.
    """

    tried: int = 0
    refused: int = 0
    same: int = 0
    other: int = 0
    broke: int = 0
    faults: list[str] | None = None

    def add_fault(self, text: str) -> None:
        """Note a case that broke."""
        self.broke += 1
        self.faults = [*(self.faults or []), text][:10]


def run_case(
    target: Target, expected: dict[str, Any], seed: int, number: int, counts: Counts
) -> None:
    """Damage one file and see what its parser makes of it.

    Args:
        target: to damage.
        expected: name of a file -> answer before the damage, from `expected_answers`.
        seed: of the run.
        number: of the case.
        counts: to add to.
    """
    rng = np.random.default_rng([seed, number])
    names = sorted(target.contents)
    name = names[int(rng.integers(len(names)))]
    content = target.damage(target.contents[name], rng)
    counts.tried += 1
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            answer = target.answer(name, content)
    except (ValueError, OSError) as error:
        try:
            require_one_line(error)
            counts.refused += 1
        except AssertionError as fault:
            counts.add_fault(f"case {number}: {fault}")
        return
    except Exception as error:
        counts.add_fault(f"case {number}, {name}: {type(error).__name__}: {str(error)[:200]}")
        return
    if answer == expected[name]:
        counts.same += 1
    elif target.is_sealed:
        counts.add_fault(f"case {number}, {name}: another answer in silence")
    else:
        counts.other += 1


def expected_answers(target: Target) -> dict[str, Any]:
    """Answers to the files as they are, by name."""
    with contextlib.redirect_stderr(io.StringIO()):
        return {name: target.answer(name, content) for name, content in target.contents.items()}
