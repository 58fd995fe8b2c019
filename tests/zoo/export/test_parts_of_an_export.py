"""Card, manifest entries and choices of an export, of numbers made up here. No conversion."""

import io
import subprocess
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from zoo.data.split import Quantity
from zoo.export import card, children, entries, formats, renewal, replay, tflite, writer
from zoo.export.formats import SERVING, STEP, Format
from zoo.export.golden import Replayed

CARD = """# m

**Interrupted.**

It \\| hears.

Task: hearing. 1,234 parameters, 2,000 multiply-accumulates per step (COUNTED). Trained on Monday \
with zoo 0.1, Keras 2, TensorFlow 1; exported again on Friday with zoo 0.2, Keras 3, TensorFlow 2.

## Metrics

| split | metric | value | baseline | what the baseline is |
|---|---|---:|---:|---|
| test | AUC | 0.812 (0.75 to 0.9) | 0.5 | chance |
| test | count | 7 |  |  |

In brackets: 95 % interval, by bootstrap over whole groups.

## Limits: what it must not be used for, and what was not tested

- Not for medicine.

## Formats

Each was opened in a fresh process without the package that trained it, run on the inputs in \
golden.npz, and its outputs compared with those of the trained model. Step models were run in \
closed loop, their states fed back.

| file | endpoint | weights | worst difference | RMS difference, share of RMS |
|---|---|---|---:|---:|
| model.keras | serving | float32 | 1.0e-07 | 2.0e-08 |
| step_int8.tflite | step | int8 | 2.5e-02 | 1.3e-02 |

model.keras opens after `import zoo.a, zoo.b`.

step_int8.tflite: over 10,000 steps in closed loop the RMS difference is 1.5% of the RMS.

step_int8.tflite was taken over from the export before, not converted again.

## `step`

| | name | shape | unit | meaning |
|---|---|---|---|---|
| in | `x` | (any, 3) | | |
| | `x`, strain | | - | how far |
| | `x`, rate | | 1/s | how fast |
| out | `y` | (any, 1) | MPa | stress |

States are zero before the first step; give each NAME_next back as NAME.

## Certificate

| check | value | allowed | |
|---|---:|---:|---|
| energy | 0 | 1e-06 | pass |
| rest | 0.2 | 0.1 | fail |
| long |  |  | skipped |

## Operating point

- prior share: 0.25
- classes: a, b

## Training

- epochs: 3
- by stage: first 0.125, second true

## Licence and origin

Weights: CC0-1.0. Data: made up.

By hand.
"""


def manifest():
    figures = {
        "AUC": {"value": 0.8123, "low": 0.75, "high": 0.9, "baseline": 0.5},
        "count": {"value": 7, "low": None},
    }
    figures["AUC"]["baseline_name"] = "chance"
    tools = {"zoo": "0.2", "keras": "3", "tensorflow": "2"}
    features = [
        {"name": "strain", "unit": "-", "meaning": "how far"},
        {"name": "rate", "unit": "1/s", "meaning": "how fast"},
    ]
    return {
        "name": "m",
        "warnings": ["Interrupted."],
        "description": "It | hears.",
        "task": "hearing",
        "parameters": 1234,
        "macs": {"value": 2000, "per": "step"},
        "created": "on Friday",
        "versions": tools,
        "trained": {
            "created": "on Monday",
            "versions": {"zoo": "0.1", "keras": "2", "tensorflow": "1"},
        },
        "metrics": {"test": figures},
        "limits": ["Not for medicine."],
        "formats": {
            "model.keras": {
                **{"file": "model.keras", "endpoint": "serving", "weights": "float32"},
                **{"worst_difference": {"y": 1e-7, "state": 9.0}, "rms_share": 2e-8},
                "needs": ["zoo.a", "zoo.b"],
            },
            "step_int8.tflite": {
                **{"file": "step_int8.tflite", "endpoint": "step", "weights": "int8"},
                **{"worst_difference": {"y": 0.025}, "rms_share": 0.013, "carried_over": True},
                "closed_loop": {"steps": 10_000, "rms_share": 0.0151},
            },
        },
        "signatures": {
            "step": {
                "inputs": {"x": {"shape": [None, 3], "features": features}},
                "outputs": {"y": {"shape": [None, 1], "unit": "MPa", "meaning": "stress"}},
            }
        },
        "certificate": {
            "energy": {"value": 0, "threshold": 1e-6, "passed": True},
            "rest": {"value": 0.2, "threshold": 0.1, "passed": False},
            "long": {"value": None, "threshold": None, "passed": None},
        },
        "operating_point": {"prior_share": 0.25, "classes": ["a", "b"]},
        "training": {"epochs": 3, "by_stage": {"first": 0.125, "second": "true"}},
        "licence": "CC0-1.0",
        "data_licence": "made up.",
        "provenance": "By hand.",
    }


def test_a_card_is_its_manifest_line_by_line(monkeypatch):
    monkeypatch.setattr(card, "COUNTED", "COUNTED")
    assert card.card_text(manifest()) == CARD


def test_a_card_without_what_need_not_be_there():
    whole = manifest()
    for name in ("warnings", "macs", "trained", "certificate", "operating_point"):
        del whole[name]
    del whole["metrics"]["test"]["AUC"]
    whole["signatures"] = {"serving_default": whole["signatures"]["step"]}
    text = card.card_text(whole)
    assert text.startswith(
        "# m\n\nIt \\| hears.\n\nTask: hearing. 1,234 parameters. Trained and ex"
    )
    assert "Trained and exported on Friday with zoo 0.2, Keras 3, TensorFlow 2." in text
    for absent in ("In brackets", "Certificate", "Operating", "NAME_next", "**"):
        assert absent not in text


def test_the_commit_is_that_of_this_package_and_says_if_its_code_was_changed(tmp_path, monkeypatch):
    def git(*words):
        name = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        done = subprocess.run(
            ["git", "-C", tmp_path, *name, *words], capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    monkeypatch.setattr(entries, "ROOT", tmp_path)
    assert entries._commit() is None  # no work tree
    (tmp_path / "zoo").mkdir()
    for file in ("x.py", "shipped.json"):
        (tmp_path / "zoo" / file).write_text("1")
    git("init", "-q")
    git("add", "zoo")
    git("commit", "-qm", "first")
    commit = git("rev-parse", "--short=12", "HEAD")
    assert entries._commit() == commit
    (tmp_path / "zoo" / "shipped.json").write_text("2")  # as publishing another model does
    assert entries._commit() == commit
    (tmp_path / "zoo" / "x.py").write_text("2")
    assert entries._commit() == f"{commit}-dirty"
    monkeypatch.setattr(entries, "ROOT", tmp_path / "zoo")
    assert entries._commit() is None  # another project's work tree


def test_a_tensor_is_described_as_a_whole_or_by_each_feature():
    two = (Quantity("a", "m", "first", ("old",)), Quantity("b", "s", "second"))
    about = SimpleNamespace(quantities={"x": two, "h": two[:1]})
    entry = entries.tensor_entry(about, "x", (None, 2), "float32")
    assert entry["unit"] == "m, s" and entry["meaning"] == "first; second"
    assert [each.get("aliases") for each in entry["features"]] == [["old"], None]
    assert entries.tensor_entry(about, "h_next", (None, 7), "float32") == {
        "shape": [None, 7],
        "dtype": "float32",
        "unit": "m",
        "meaning": "first, after the step",
    }
    assert "features" not in entries.tensor_entry(about, "h", (None, 1), "float32")
    for shape in ((None, 3), (2, 1)):
        with pytest.raises(ValueError, match=r"must describe 'x'.* Received: \['a', 'b'\]"):
            entries.tensor_entry(about, "x", shape, "float32")
    states = {"h_next": {"unit": "m", "meaning": "z"}}
    read = entries.read_quantities({"step": {"inputs": {"x": entry}, "outputs": states}})
    assert read == {"x": two}


def test_a_manifest_has_warnings_only_where_there_are_some():
    about = entries.About(
        *("n", "t", "d", {}, {}, ["own"], "data", "made"), settings={"material": 1}
    )
    built = entries.build_manifest(about, {"limits": ["found"], "parameters": 3})
    assert "warnings" not in built and built["limits"] == ["own", "found"]
    assert (built["material"], built["parameters"], built["licence"]) == (1, 3, "Apache-2.0")


def test_golden_outputs_may_differ_by_a_ten_thousandth_of_their_rms():
    recorded = np.array([[3.0, -4.0, 5.0, 5.0]], np.float64) * np.sqrt(12 / 75)  # RMS √3
    limit = 1e-4 * np.sqrt(np.mean(recorded**2))
    for share, fails in ((0.99, False), (1.01, True), (-1.01, True)):
        off = recorded.copy()
        off[0, 2] += share * limit
        if not fails:
            writer._require_same("y", off, recorded)
            continue
        with pytest.raises(RuntimeError, match=r"'y': it differs by up to 0\.0001 of the RMS, mor"):
            writer._require_same("y", off, recorded)
    with pytest.raises(RuntimeError, match=r"no longer returns 'y' of shape \(1, 4\).*\(1, 3\)"):
        writer._require_same("y", recorded[:, :3], recorded)
    writer._require_same("y", np.full((1, 4), 9e-5), np.zeros((1, 4)))  # of nothing: as it is
    with pytest.raises(RuntimeError, match="no longer gives"):
        writer._require_same("y", np.full((1, 4), np.nan), recorded)


def entry(file, weights, share=0.01):
    return {"file": file, "endpoint": STEP, "weights": weights, "rms_share": share}


def closed_loop(monkeypatch, shares):
    """What `_measure_closed_loop` makes of step files with these shares."""
    names = {weights: formats.tflite_format(STEP, weights).file for weights in shares}
    replayed = Replayed({name: entry(name, w) for w, name in names.items()})
    replayed.notes = [f"{names[each]} is 3 % off" for each in shares]
    asked = []

    def measure(new, chosen, path, tensors, progress):
        asked.extend(each.weights for each in chosen)
        return {each.file: shares[each.weights] for each in chosen}

    monkeypatch.setattr(writer, "measure_closed_loop", measure)
    writer._measure_closed_loop(None, replayed, np.zeros((50, 3)), ("x", "y"), print)
    return replayed, asked


def test_integers_that_are_two_per_cent_off_in_closed_loop_are_left_out(monkeypatch):
    shares = {"float32": 0.0, "float16": 0.5, "dynamic": 0.5, "int8": 0.02, "int16x8": 0.0201}
    replayed, asked = closed_loop(monkeypatch, shares)
    assert asked == ["dynamic", "int8", "int16x8"]
    loops = {each["weights"]: each.get("closed_loop") for each in replayed.entries.values()}
    assert loops == {
        "float32": None,
        "float16": None,
        "dynamic": {"steps": 50, "rms_share": 0.5},
        "int8": {"steps": 50, "rms_share": 0.02},
    }
    (reason,) = replayed.dropped.values()
    assert reason.startswith("There is no step_int16x8.tflite: over 50 steps in closed loop")
    assert reason.endswith("is 0.02 of the RMS, more than 0.02.")
    assert len(replayed.notes) == 4
    # what runs into no number is left out too; without integers nothing is measured
    replayed, _ = closed_loop(monkeypatch, {"dynamic": np.inf, "int8": np.nan})
    assert "closed_loop" not in replayed.entries["step_dynamic.tflite"]
    assert list(replayed.dropped) == ["step_int8.tflite"]
    assert closed_loop(monkeypatch, {"float32": 0.0, "dynamic": 0.1})[1] == []


def test_integers_that_are_no_smaller_than_floats_are_left_out_where_asked(tmp_path):
    def left(**sizes):
        replayed = Replayed()
        for path in tmp_path.iterdir():
            path.unlink()
        for weights, size in sizes.items():
            file = formats.tflite_format(STEP, weights).file
            (tmp_path / file).write_bytes(bytes(size))
            replayed.entries[file] = entry(file, weights)
        writer._leave_out_larger_integers(tmp_path, replayed)
        return list(replayed.dropped)

    assert left(float32=10, int8=10, int16x8=9) == ["step_int8.tflite"]
    assert left(float32=10, int8=11, int16x8=11) == ["step_int8.tflite", "step_int16x8.tflite"]
    assert left(float32=10, float16=11, dynamic=12) == []
    assert left(int8=10) == []


def test_the_files_of_a_model_with_and_without_a_step():
    step = writer.Endpoints(sequence=None, step="a step")
    assert [each.file for each in writer._chosen_formats(step, writer.ExportOptions())] == [
        *("model.tflite", "step.tflite", "step_float16.tflite", "step_dynamic.tflite"),
        "step_int8.tflite",
    ]
    call = writer.Endpoints(sequence=None)
    assert [each.file for each in writer._chosen_formats(call, writer.ExportOptions())] == [
        *("model.tflite", "model_float16.tflite", "model_dynamic.tflite", "model_int8.tflite"),
    ]
    floats = writer.ExportOptions(files=[(STEP, "float32")])
    assert [each.file for each in writer._chosen_formats(step, floats)] == ["step.tflite"]
    with pytest.raises(ValueError, match=r"must hold \('serving_default', 'float32'\)"):
        writer._chosen_formats(call, floats)


def test_without_the_file_that_they_are_counted_in_there_are_no_multiply_accumulates(tmp_path):
    assert writer._count(tmp_path, writer.Endpoints(sequence=None, step="a step")) is None


def test_front_ends_are_cut_off_for_less_precision_only():
    def cut(files, front="scaling"):
        return tflite._cut_endpoints(tflite.Conversion({}, files, np.zeros(1), front))

    assert cut([(SERVING, "float32"), (STEP, "int8")]) == {STEP}
    assert cut([(SERVING, "float32")]) == set()
    assert cut([(STEP, "int8")], front=None) == set()


def test_states_are_fed_back_and_start_at_zero():
    """A sum of all inputs so far, which is output before the step and state after it."""

    def call(inputs):
        return {"y": inputs["s"] * 1.0, "s_next": inputs["s"] + inputs["x"].sum(-1, keepdims=True)}

    x = np.arange(1, 13, dtype=np.float32).reshape(1, 6, 2)  # sums 3, 7, 11, ...
    outputs = replay._closed_loop(call, {"x": (1, 2), "s": (1, 1)}, "x", x)
    np.testing.assert_array_equal(outputs["s"][0, :, 0], np.cumsum([3, 7, 11, 15, 19, 23]))
    np.testing.assert_array_equal(outputs["y"][0, :, 0], [0, 3, 10, 21, 36, 55])
    hops = replay._closed_loop(call, {"x": (1, 4), "s": (1, 1)}, "x", x.reshape(1, 12))
    np.testing.assert_array_equal(hops["s"][0, :, 0], np.cumsum([10, 26, 42]))


def test_a_difference_is_the_largest_and_the_rms_one():
    golden = np.array([[1.0], [2.0]], np.float32)
    off = golden + np.array([[-3.0], [1.0]], np.float32)
    assert replay._difference(off, golden) == [3.0, pytest.approx(np.sqrt(5))]
    with pytest.raises(ValueError, match=r"shape \(1, 1\), the golden one \(2, 1\)"):
        replay._difference(golden[:1], golden)
    steps = np.stack([golden, off])
    np.testing.assert_array_equal(replay._last_step(steps, golden), off)
    np.testing.assert_array_equal(replay._last_step(off, golden), off)


def test_how_a_process_ended_is_one_line():
    def described(code, text):
        return children._describe_end(code, io.BytesIO(text))

    assert described(-9, b"") == "the process crashed with SIGKILL"
    assert described(3, b"first\n  last one \n\n") == "the process ended with code 3: last one"
    assert described(0, b"\xff") == "the process ended with code 0: \N{REPLACEMENT CHARACTER}"


def test_children_find_this_package_and_stay_on_the_cpu(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    found = children._environment()
    assert found["PYTHONPATH"] == f"{children.ROOT}:/elsewhere"
    assert (found["KERAS_BACKEND"], found["CUDA_VISIBLE_DEVICES"]) == ("tensorflow", "")
    monkeypatch.delenv("PYTHONPATH")
    assert children._environment()["PYTHONPATH"] == str(children.ROOT)


def test_a_process_that_ends_badly_after_its_last_answer_is_an_error(tmp_path):
    script = tmp_path / "child.py"
    script.write_text("import sys\nfor line in sys.stdin: print(line, end='', flush=True)\nexit(4)")
    with pytest.raises(RuntimeError, match="the process ended with code 4"):
        children.run_jobs([str(script)], [{"n": 1}], lambda job: None)
    script.write_text("import sys\nfor line in sys.stdin: print(line, end='', flush=True)")
    assert children.run_jobs([str(script)], [{"n": 1}, {"n": 2}], print) == [{"n": 1}, {"n": 2}]
    assert children.run_jobs([str(script)], [], print) == []


def test_shapes_agree_where_every_size_does_or_may_be_any():
    same = renewal._same_shapes
    assert same({"x": (1, 3)}, {"x": (None, 3)})
    assert not same({"x": (1, 3)}, {"x": (None, 4)})
    assert not same({"x": (1, 3)}, {"x": (None, 3, 1)})
    assert not same({"x": (1, 3)}, {"x": (None, 3), "s": (1, 1)})
    assert not same({"y": (1, 3)}, {"x": (None, 3)})


def test_a_file_taken_over_may_differ_by_a_thousandth_more_than_recorded():
    def worse(share):
        formats = {"a": {"rms_share": 0.5}}
        return renewal._is_worse(
            "a", {"formats": {"a": {"rms_share": share}}}, {"formats": formats}
        )

    assert not worse(0.5) and not worse(0.5004) and not worse(0.1)
    assert worse(0.5006)
    assert renewal._is_worse("a", {"formats": {}}, {"formats": {"a": {"rms_share": 0.5}}})


def test_limits_that_an_export_states_anew_are_not_taken_over():
    def anew(limit, is_sound=False):
        return renewal._is_stated_anew(limit, is_sound)

    assert anew("step_int8.tflite is 3.0% off the trained model (RMS, golden cases): try it")
    assert anew("There is no step.tflite: it crashed.") and anew(
        "There is no model.tflite: x", True
    )
    assert anew("There is no step_int8.tflite: x") and not anew(
        "There is no step_int8.tflite: x", 1
    )
    assert not anew("There is no step_dynamic.tflite: x") and not anew("Not for medicine.")


def test_files_of_a_manifest_are_its_tflite_files():
    given = {
        "formats": {f: entry(f, w) for f, w in (("model.keras", "float32"), ("a.tflite", "int8"))}
    }
    assert renewal._files(given) == [(STEP, "int8")]


def test_inputs_and_outputs_go_by_name_whatever_the_model_returns():
    x = keras.Input((3,), name="x")
    layer = keras.layers.Dense(2, name="y", kernel_initializer="ones")
    plain = keras.Model(x, layer(x))
    named = keras.Model({"x": x}, {"y": layer.output, "z": 2 * layer.output})
    one = np.ones((1, 3), np.float32)
    for model, names in ((plain, {"y"}), (named, {"y", "z"})):
        assert set(formats.inputs_of(model)) == {"x"} and set(formats.outputs_of(model)) == names
        outputs = formats.make_caller(model)({"x": one})
        assert set(outputs) == names
        np.testing.assert_allclose(outputs["y"], [[3.0, 3.0]])
        assert formats.main_input(model) == "x" and formats.states_of(model) == []
    spec = formats.input_specs(plain, {})["x"]
    assert spec.shape.as_list() == [None, 3] and spec.name == "x"
    assert formats.input_specs(plain, {"x": (5, 3)})["x"].shape.as_list() == [5, 3]
    assert formats.one_row(plain) == {"x": (1, 3)}
    assert formats.tflite_format(STEP, "int8") == Format("step_int8.tflite", "tflite", STEP, "int8")


def test_jobs_are_answered_line_by_line_and_errors_too(tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import replay\n"
        "def handle(job):\n"
        "    print('noise')\n"
        "    if job['n'] > 1: raise (ValueError if job['n'] == 2 else KeyError)('two\\nlines')\n"
        "    return job['n']\n"
        "replay.answer_jobs(handle)\n"
    )
    (tmp_path / "child.py").write_text(code)
    folder = str(children.ROOT / "zoo" / "export")
    jobs = [{"n": n} for n in (1, 2, 3)]
    answers = children.run_jobs([str(tmp_path / "child.py"), folder], jobs, lambda job: None)
    assert answers == [
        {"result": 1},
        {"error": "two lines"},
        {"error": r"KeyError: 'two\nlines'"},
    ]
