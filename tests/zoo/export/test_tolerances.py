"""Which files an export keeps: differences and tolerances by their formulas, without a converter.

The replies of the processes that run the files are made up; the numbers are worked out by hand.
"""

from pathlib import Path

import numpy as np
import pytest

from zoo.export import children, closed_loop, golden
from zoo.export.formats import SERVING, STEP, Format

# Of the root mean square, as CONTRIBUTING and cards state them.
ALLOWED = {"float32": 1e-4, "float16": 1e-2, "dynamic": 5e-2, "int8": 0.25, "int16x8": 0.1}
OUTPUTS = {
    "prediction": np.array([[[3.0], [-5.0]], [[5.0], [-3.0]]]),  # RMS √17
    "state": np.full((2, 2, 1), 100.0),
}
RMS = np.sqrt(17.0)


def reply(worst, rms, state=0.0):
    """Differences of two cases: largest and RMS of each; the second case differs by a third."""
    return {
        "result": {
            "differences": {
                "prediction": {"a": [worst, rms], "b": [worst / 3, rms / 3]},
                "state": {"a": [state / 2, 0.0], "b": [state, 0.0]},
            }
        }
    }


@pytest.fixture
def replay(monkeypatch):
    """Function that replays formats whose processes give certain replies."""
    calls = []

    def call(*pairs):
        replies = {each.file: answer for each, answer in pairs}

        def run_jobs(arguments, jobs, started):
            calls.append((arguments, jobs))
            for job in jobs:
                started(job)
            return [replies[job["file"]] for job in jobs]

        monkeypatch.setattr(children, "run_jobs", run_jobs)
        call.lines = []
        formats = [each for each, _ in pairs]
        return golden.replay_formats(Path("f"), formats, "x", OUTPUTS, call.lines.append)

    call.calls = calls
    return call


@pytest.mark.parametrize("weights", ALLOWED)
def test_a_file_is_kept_up_to_the_tolerance_of_its_weights(replay, weights):
    """float32 by its largest difference; others by the RMS over both cases, √(5/9) of the first."""
    each = Format("step.tflite", "tflite", STEP, weights)
    unit = ALLOWED[weights] * RMS
    for share in (0.99, 1.01):
        rms = share * unit / np.sqrt(5 / 9)
        found = reply(share * unit, 0.5 * rms) if weights == "float32" else reply(9 * rms, rms)
        replayed = replay((each, found))
        assert set(replayed.entries) == ({each.file} if share < 1 else set())
        assert list(replayed.dropped) == ([] if share < 1 else [each.file])
    assert f"more than {ALLOWED[weights]:g}." in replayed.dropped[each.file]
    what = "its worst" if weights == "float32" else "its RMS"
    assert (
        what in replayed.dropped[each.file]
        and "There is no step.tflite" in replayed.dropped[each.file]
    )


def test_an_entry_holds_the_worst_of_all_cases_and_the_rms_of_the_first_output(replay):
    each = Format("step_int8.tflite", "tflite", STEP, "int8", ("zoo.registration",))
    entry = replay((each, reply(0.3, 0.6, state=7.0))).entries[each.file]
    assert entry["worst_difference"] == {"prediction": 0.3, "state": 7.0}
    assert entry["worst_share_of_rms"] == pytest.approx(0.3 / RMS)
    assert entry["rms_share"] == pytest.approx(0.6 * np.sqrt(5 / 9) / RMS)
    assert {k: entry[k] for k in ("file", "endpoint", "weights", "needs")} == {
        "file": each.file,
        "endpoint": STEP,
        "weights": "int8",
        "needs": ["zoo.registration"],
    }


@pytest.mark.parametrize(("share", "is_said"), [(0.019, False), (0.021, True)])
def test_two_per_cent_are_named_among_the_limits(replay, share, is_said):
    each = Format("step_dynamic.tflite", "tflite", STEP, "dynamic")
    notes = replay((each, reply(1.0, share * RMS / np.sqrt(5 / 9)))).notes
    assert [f"{share:.1%} off the trained model" in note for note in notes] == [True] * is_said
    exact = Format("step.tflite", "tflite", STEP, "float32")
    assert replay((exact, reply(0.0, 0.5))).notes == []  # judged by its largest difference


@pytest.mark.parametrize(("kind", "file"), [("keras", "model.keras"), ("saved_model", "serving")])
def test_a_model_that_is_not_faithful_is_an_error(replay, kind, file):
    each = Format(file, kind, SERVING)
    with pytest.raises(
        RuntimeError, match=rf"{file} \(serving_default\) is not faithful: its worst"
    ):
        replay((each, reply(1e-3 * RMS, 0.0)))
    with pytest.raises(RuntimeError, match="is not faithful: crashed"):
        replay((each, {"error": "crashed"}))


def test_what_needs_a_module_is_replayed_with_it_and_the_rest_without_zoo(replay):
    pairs = [
        (Format("model.keras", "keras", SERVING, needs=("zoo.registration",)), reply(0.0, 0.0)),
        (Format("serving", "saved_model", SERVING), reply(0.0, 0.0)),
        (Format("step.tflite", "tflite", STEP), {"error": "it crashed"}),
    ]
    replayed = replay(*pairs)
    assert list(replayed.entries) == ["model.keras", f"serving:{SERVING}"]
    assert replayed.dropped == {"step.tflite": "There is no step.tflite: it crashed."}
    (without, first), (with_zoo, second) = replay.calls
    assert without[1:] == ["zoo"] and [job["file"] for job in first] == ["serving", "step.tflite"]
    assert with_zoo[1:] == [] and [job["file"] for job in second] == ["model.keras"]
    assert {first[0][key] for key in ("input", "output", "kind")} == {
        "x",
        "prediction",
        "saved_model",
    }
    assert len(replay.lines) == 3 and replay.lines[0] == f"replay: serving, {SERVING}"


def test_an_output_that_is_zero_is_compared_as_it_is(monkeypatch):
    """A share of nothing is the difference itself."""
    found = golden._differences(
        reply(0.5, 0.25)["result"]["differences"] | {}, {"prediction": np.zeros((2, 2, 1))}
    )
    assert found["worst_share_of_rms"] == 0.5


def test_the_share_of_a_closed_loop_is_an_rms_over_an_rms(monkeypatch):
    """Reference 3, -4 (RMS √12.5); off by 1 and -1, that is √(1 / 12.5)."""
    values = {
        "step.tflite": {"result": {"values": [3.0, -4.0]}},
        "a": {"result": {"values": [4.0, -5.0]}},
        "b": {"result": {"values": [3.0]}},
        "c": {"result": {"values": [3.0, float("nan")]}},
        "d": {"error": "crashed"},
    }
    said = []

    def run_jobs(arguments, jobs, started):
        assert arguments[-1] == "zoo"
        for job in jobs:
            assert job["path"] == [[0.5, 1.0, 0.1]] and (job["input"], job["output"]) == ("x", "y")
            started(job)
        return [values[job["file"]] for job in jobs]

    monkeypatch.setattr(children, "run_jobs", run_jobs)
    formats = [Format(name, "tflite", STEP) for name in "abcd"]
    path = np.array([[0.5, 1.0, 0.1]])
    shares = closed_loop.measure_closed_loop(Path(), formats, path, ("x", "y"), said.append)
    assert shares == {"a": pytest.approx(np.sqrt(1 / 12.5)), "b": np.inf, "c": np.inf, "d": np.inf}
    assert said[0] == "closed loop: step.tflite" and len(said) == 5
    values["step.tflite"] = {"result": {"values": [0.0, 0.0]}}
    values["a"] = {"result": {"values": [2.0, -2.0]}}
    assert closed_loop.measure_closed_loop(Path(), formats[:1], path, ("x", "y"), said.append) == {
        "a": 2.0
    }
    values["step.tflite"] = {"error": "crashed"}
    assert closed_loop.measure_closed_loop(Path(), formats[:1], path, ("x", "y"), said.append) == {
        "a": np.inf
    }


def test_a_path_backwards_undoes_the_path():
    """Strain rate r for Δt leads from a to a + r Δt; backwards -r leads to a, in the same time."""
    rates, dt = np.array([1.0, -0.5, 2.0]), np.array([0.1, 0.2, 0.3])
    strain = np.cumsum(rates * dt)
    examples = np.stack([strain, rates, dt, np.full(3, 7.0)], axis=-1)[None]
    path = closed_loop.long_path(examples, steps=9)
    np.testing.assert_allclose(path[:3], examples[0])
    before = strain - rates * dt
    back = np.stack([before[::-1], -rates[::-1], dt[::-1], np.full(3, 7.0)], axis=-1)
    np.testing.assert_allclose(path[3:6], back, atol=1e-12)
    np.testing.assert_allclose(path[6:], examples[0])
    assert closed_loop.long_path(examples).shape == (10_000, 4)
