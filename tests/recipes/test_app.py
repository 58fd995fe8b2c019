"""The app that developers copy: it imports no zoo, verifies its input, agrees in every runtime."""

import csv
import json
import os
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from recipes import app
from recipes.app.histories import Loading
from recipes.app.stress import warn_outside
from zoo.edge.labels import LabelRule
from zoo.manifest import read_manifest, write_manifest

ROOT = Path(__file__).parents[2]


def read(path):
    with open(path) as file:
        return {
            name: np.array([float(row[name]) for row in rows])
            for rows in [list(csv.DictReader(file))]
            for name in rows[0]
        }


def test_streaming_a_history_gives_the_answer_of_the_whole_sequence(exported, tmp_path):
    x = exported.data.x[0].astype(float)
    history = tmp_path / "history.csv"
    times, stretch = np.cumsum(x[:, 2]), x[:, 0]
    rows = "\n".join(f"{t:.17g},{s:.17g}" for t, s in zip(times, stretch, strict=True))
    history.write_text(f"time_s,strain\n{rows}\n")

    # The app's first row is at rest, so the reference history is too.
    dt = np.diff(times, prepend=2 * times[0] - times[1])
    rate = np.diff(stretch, prepend=stretch[0]) / dt
    whole = exported.model(np.stack([stretch, rate, dt], axis=-1)[None].astype("float32"))
    expected = np.asarray(whole["prediction"])[0, :, 0]

    for runtime in ([], ["--tflite"], ["--saved-model"]):
        out = tmp_path / "stress.csv"
        picture = tmp_path / "picture.png"
        code = app.main(
            [
                str(exported.folder),
                *("--csv", str(history), "--out", str(out), "--png", str(picture)),
                *runtime,
            ]
        )
        assert code == 0
        np.testing.assert_allclose(read(out)["stress_mpa"], expected, atol=2e-6)
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_tflite_runs_without_tensorflow_and_without_zoo(exported, tmp_path):
    shutil.copytree(ROOT / "recipes" / "app", tmp_path / "app")
    guard = (
        "import sys\n"
        "class No:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('tensorflow', 'keras', 'zoo'): raise ImportError(name)\n"
        "sys.meta_path.insert(0, No())\n"
        "import app\n"
        f"sys.exit(app.main([{str(exported.folder)!r}, '--tflite']))\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", guard], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "LiteRT, step.tflite: 160 steps" in done.stdout
    assert "stress [MPa] over strain [-]" in done.stdout
    assert "! Not trained at all." in done.stdout


def test_a_changed_model_is_not_opened(exported, tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(exported.folder, copy)
    (copy / "step.tflite").write_bytes(b"TFL3" + bytes(100))
    done = subprocess.run(
        [sys.executable, "-m", "recipes.app", str(copy), "--tflite"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1 and "SHA-256 differs" in done.stderr


def test_a_changed_manifest_is_not_used(exported, tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(exported.folder, copy)
    path = copy / "manifest.json"
    sealed = path.read_text()
    seal = json.loads(sealed)["seal"]
    path.write_text(sealed.replace("Not trained at all.", "Trained very well!!"))
    with pytest.raises(ValueError, match="seal is broken"):
        app.verify_model(copy)
    for odd in ('""', "3", "null", '"0"', '"é"', '"' + "0" * 64 + '"'):
        path.write_text(sealed.replace(f'"{seal}"', odd))
        with pytest.raises(ValueError, match="seal is broken"):
            app.verify_model(copy)
    path.write_text(sealed)
    assert app.verify_model(copy) == read_manifest(copy)


def test_a_bit_of_the_manifest_that_flips_is_noticed_as_in_the_library(exported, tmp_path):
    """Each tenth byte, one bit; the library and the app refuse the same."""
    path = tmp_path / "manifest.json"
    content = (exported.folder / "manifest.json").read_bytes()
    bits = np.random.default_rng(0).integers(0, 8, len(content))
    for place in range(0, len(content), 10):
        changed = bytearray(content)
        changed[place] ^= 1 << bits[place]
        path.write_bytes(changed)
        for read_it in (app.read_manifest, read_manifest):
            with pytest.raises(ValueError, match=r"manifest|format"):
                read_it(tmp_path)


@pytest.mark.parametrize("extra", ['"format": 2, ', '"x": NaN, ', '"name": "other", '])
def test_keys_twice_and_nan_are_no_manifest(exported, tmp_path, extra):
    content = (exported.folder / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(content.replace('"format"', f'{extra}"format"', 1))
    with pytest.raises(ValueError, match="not a manifest"):
        app.read_manifest(tmp_path)


def test_a_manifest_without_a_seal_is_refused(exported, tmp_path):
    manifest = json.loads((exported.folder / "manifest.json").read_text())
    del manifest["seal"]
    for version in (1, True, 2.0, "2", None):
        (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "format": version}))
        with pytest.raises(ValueError, match=r"expected format 2|seal is broken"):
            app.read_manifest(tmp_path)


def test_a_link_in_the_folder_is_refused(exported, tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(exported.folder, copy)
    shutil.move(copy / "serving", tmp_path / "outside")
    (copy / "serving").symlink_to(tmp_path / "outside")
    with pytest.raises(ValueError, match="is a link"):
        app.verify_model(copy)


def test_a_stress_that_is_not_finite_is_one_line(tmp_path):
    def step(inputs):
        return {"prediction": np.full((1, 1), np.nan, np.float32)}

    with pytest.raises(ValueError, match="step 1: the stress is nan"):
        app.predict(step, {}, app.make_cycle())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}', "\x00", "[" * 100_000])
def test_text_that_is_no_manifest_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match="not a manifest"):
        app.verify_model(tmp_path)


@pytest.mark.parametrize("change", ["missing", "added"])
def test_a_missing_or_added_file_is_named(exported, tmp_path, change):
    copy = tmp_path / "model"
    shutil.copytree(exported.folder, copy)
    if change == "missing":
        (copy / "golden.npz").unlink()
    else:
        (copy / "other").write_text("x")
    with pytest.raises(ValueError, match="the file is"):
        app.verify_model(copy)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column time"),
        ("time,stress\n0,1\n1,2\n", "no column strain"),
        ("time,stretch\n0,1\n1,x\n", "line 3: expected numbers"),
        ("time,stretch\n0,1\n1,nan\n", "line 3: expected numbers"),
        ("time,stretch\n0,1\n1\n", "line 3: expected numbers"),
        ("time,stretch\n0,1\n0,2\n", "line 3: time does not increase"),
        ("time,stretch\n0,1\n", "1 rows of data"),
    ],
)
def test_a_bad_history_is_one_line(tmp_path, text, message):
    path = tmp_path / "history.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        app.read_csv(path, None, None)


@pytest.mark.parametrize(
    "text",
    (
        "time_s,strain\n0,0\n0.5,0.01\n1.5,0.02\n",
        "# machine 5\nTime (s);Strain (%)\n0;0\n0,5;1\n1,5;2\n",
        "sep=;\nZeit [ms];Dehnung\n0;0\n500;0,01\n1500;0,02\n",
        "Test;x\nTime\tStrain\n(s)\t(mm/mm)\n0\t0\n0.5\t0.01\n0.5\t0.01\n1.5\t0.02\nNaN\tNaN\n",
        "time_min stretch\n0 1\n0.00833333333333 1.01\n0.025 1.02\n",
    ),
)
def test_a_history_is_read_as_machines_write_it(tmp_path, text):
    path = tmp_path / "history.csv"
    path.write_text(text)
    loading = app.read_csv(path, None, None)
    np.testing.assert_allclose(loading.time_s, [0, 0.5, 1.5], atol=1e-9)
    np.testing.assert_allclose(loading.strain, [0, 0.01, 0.02], atol=1e-12)
    np.testing.assert_allclose(loading.rate, [0, 0.02, 0.01], rtol=1e-6)


@pytest.mark.parametrize(
    ("head", "message"),
    (
        ("time,strain", "strain reaches 3 without a unit"),
        ("time,strain_mm", "is in mm. Convert the column"),
        ("time,strain_a,strain_b", "more than one column"),
    ),
)
def test_a_history_with_two_readings_is_refused(tmp_path, head, message):
    path = tmp_path / "history.csv"
    path.write_text(f"{head}\n0,0,0\n1,3,0\n" if head.count(",") > 1 else f"{head}\n0,0\n1,3\n")
    with pytest.raises(ValueError, match=message):
        app.read_csv(path, None, None)


def test_a_history_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "history.csv"
    path.write_bytes(b"\xff\xfe\x00\x00")
    with pytest.raises(ValueError, match="cannot be read as CSV"):
        app.read_csv(path, None, None)


def test_the_built_in_cycle_is_a_triangle():
    loading = app.make_cycle(amplitude=1.5, period_s=4.0, dt_s=0.05)
    np.testing.assert_allclose(np.abs(loading.rate), 1.5, rtol=1e-12)
    np.testing.assert_allclose(np.cumsum(loading.rate * loading.dt), loading.strain, atol=1e-12)
    assert loading.strain.max() == pytest.approx(1.5) and loading.strain[-1] == pytest.approx(0)


def test_the_terminal_plot_puts_points_where_they_are():
    lines = app.terminal_plot(np.array([0.0, 1.0]), np.array([0.0, 2.0]), width=4, height=2)
    top, bottom, ends = lines.split("\n")
    assert top.startswith("        2 ┤") and bottom.startswith("        0 ┤")
    assert bottom[11] != "\u2800" and top[-1] != "\u2800" and ends.split() == ["0", "1"]


def test_an_unknown_tflite_file_is_answered_with_those_there_are(exported):
    manifest = app.verify_model(exported.folder)
    with pytest.raises(ValueError, match=r"no step model step_int4\.tflite\. There are: step"):
        app.open_tflite(exported.folder, manifest, "step_int4.tflite")


@pytest.mark.parametrize(
    "words", [["--wav", "b.wav"], ["--time", "t"], ["--stretch", "lambda"]], ids=lambda w: w[0]
)
def test_options_that_a_stress_model_would_not_read_are_refused(exported, words, capsys):
    with pytest.raises(ValueError, match="small-lstm predicts stress: give --time and --strain"):
        app.main([str(exported.folder), *words])
    assert capsys.readouterr().out == ""


def test_a_history_and_a_model_are_not_written_over(exported, tmp_path):
    history = tmp_path / "h.csv"
    history.write_text("time_s,strain\n0,0\n1,0.1\n")
    before = history.read_bytes()
    inside = exported.folder / "stress.csv"
    for words, message in (
        (["--out", str(tmp_path / "." / "h.csv")], "is the history that is read"),
        (["--png", str(history)], "is the history that is read"),
        (["--out", str(inside)], "lies in the folder of the model"),
        (["--out", str(tmp_path / "a"), "--png", str(tmp_path / "a")], "for --out and for --png"),
    ):
        with pytest.raises(ValueError, match=message):
            app.main([str(exported.folder), "--csv", str(history), *words])
    assert history.read_bytes() == before and not inside.exists()


@pytest.mark.parametrize(
    ("name", "reads"),
    [
        ("material-ferrite-3c90", r"flux density \[T\], rate \[T/s\], dt \[s\], temperature \[-\]"),
        ("material-bouc-wen", r"force \[N\], rate \[N/s\], dt \[s\]"),
    ],
)
def test_a_model_of_another_input_than_strain_is_refused(name, reads):
    with pytest.raises(ValueError, match=rf"expected a model of strain .* reads {reads}: run it"):
        app.verify_model(ROOT / "saved_models" / name)


MANIFEST = {"classes": ["normal", "wheeze"]}
POINT = {"operating_point": {"class": "wheeze", "threshold": 0.17}}
SOUND = 0.1 * np.sin(np.arange(100))


@pytest.mark.parametrize(
    ("entries", "clip", "label"),
    [
        ({}, SOUND, "normal (0.80)"),
        (POINT, SOUND, "wheeze (0.20)"),
        ({"abstain_below": 0.81}, SOUND, "- (abstains: normal 0.80)"),
        (POINT, 0 * SOUND, "- (silent)"),
        (POINT, np.append(SOUND, np.nan), "- (not finite)"),
    ],
)
def test_a_label_follows_the_rule_of_the_manifest(entries, clip, label):
    p = np.array([0.8, 0.2], np.float32)
    manifest = {**MANIFEST, **entries}
    assert app.label_clip(manifest, clip, lambda _: p) == label
    in_library = LabelRule.from_manifest(manifest).classify(clip, p)
    assert (in_library.name or "-") == label.split()[0]


def write_wav(path, samples, rate_hz=4000, channels=1):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.round(32768 * samples).astype("<i2").tobytes())
    return path


def test_a_recording_is_labelled_clip_by_clip(tmp_path, capsys):
    time_s = np.arange(4000 * 9) / 4000
    tone = 0.2 * np.sin(2 * np.pi * 400 * time_s) * ((time_s % 4 > 1) & (time_s % 4 < 1.6))
    noise = 1e-3 * np.random.default_rng(0).normal(size=len(time_s))
    sound = np.where(time_s < 4, 0, tone + noise)
    path = write_wav(tmp_path / "a.wav", sound)
    for file in ([], ["--tflite", "model_int8.tflite"]):
        assert (
            app.main([str(ROOT / "saved_models" / "wheeze-tiny"), "--wav", str(path), *file]) == 0
        )
        lines = capsys.readouterr().out.splitlines()[-3:]
        assert lines[0].split() == ["0.00", "to", "4.00", "s", "-", "(silent)"]
        assert lines[1].split()[:5] == ["4.00", "to", "8.00", "s", "wheeze"]
        assert lines[2].split()[:3] == ["5.00", "to", "9.00"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give it --wav FILE"),
        (["--wav", "b.wav", "--csv", "c.csv"], "none of --csv"),
        (["--wav", "b.wav", "--strain", "eps"], "none of --csv, --time, --strain"),
        (["--wav", "none.wav"], "cannot be read as WAV"),
        (["--wav", "b.wav"], "16 bits at 8000 Hz. Convert it: ffmpeg"),
        (["--wav", "b.wav", "--tflite", "step.tflite"], "There are: model.tflite"),
    ],
)
def test_a_recording_that_cannot_be_used_is_one_line(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_wav(tmp_path / "b.wav", SOUND, rate_hz=8000)
    with pytest.raises(ValueError, match=message) as caught:
        app.main([str(ROOT / "saved_models" / "wheeze-tiny"), *words])
    assert "\n" not in str(caught.value)


def test_half_a_recording_is_refused(tmp_path):
    path = write_wav(tmp_path / "a.wav", np.zeros(100))
    path.write_bytes(path.read_bytes()[:-101])
    with pytest.raises(ValueError, match="cut short, 49 samples of 100 are there"):
        app.read_wav(path, 4000)


def test_a_recording_without_samples_says_so(tmp_path):
    path = write_wav(tmp_path / "a.wav", np.zeros(0))
    with pytest.raises(ValueError, match="no samples: its length is zero"):
        app.read_wav(path, 4000)
    path.write_bytes(b"RIFF")
    with pytest.raises(ValueError, match="cannot be read as WAV: it is cut short"):
        app.read_wav(path, 4000)


def test_probabilities_that_are_no_numbers_give_no_label():
    def broken(clip):
        return np.array([np.nan, 0.5])

    clip = np.sin(np.arange(100))
    assert app.label_clip({"classes": ["a", "b"]}, clip, broken).startswith("- (")


def test_control_characters_do_not_reach_the_terminal():
    assert app.printable("a\x1b[2Jb\nΔ") == "a\\x1b[2Jb\nΔ"


def test_channels_are_averaged(tmp_path):
    path = write_wav(tmp_path / "s.wav", np.tile([0.5, 0.25], 10), channels=2)
    np.testing.assert_allclose(app.read_wav(path, 4000), np.full(10, 0.375))


def test_a_history_beyond_the_limit_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "history.csv"
    path.write_text("time,stretch\n0,0\n1,1\n")
    monkeypatch.setattr(app.histories, "MAX_CSV_BYTES", 10)
    with pytest.raises(ValueError, match="expected at most"):
        app.read_csv(path, None, None)


def test_a_manifest_that_does_not_describe_a_step_is_one_line(exported, tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(exported.folder, copy)
    manifest = {**read_manifest(copy), "signatures": {"step": {"inputs": {"x": {}}, "outputs": {}}}}
    write_manifest(copy, manifest)
    with pytest.raises(ValueError, match="does not describe the model"):
        app.verify_model(copy)


@pytest.mark.parametrize(
    ("gains", "alone"), [((0.5, -0.5), 1), ((0.4, -0.401), 2), ((1, 0.5), None)]
)
def test_channels_that_cancel_are_not_averaged(gains, alone, tmp_path, capsys):
    x = np.random.default_rng(0).normal(scale=0.1, size=400)
    sound = x[:, None] * gains
    write_wav(tmp_path / "a.wav", sound, channels=2)
    expected = sound.mean(axis=1) if alone is None else sound[:, alone - 1]
    np.testing.assert_allclose(app.read_wav(tmp_path / "a.wav", 4000), expected, atol=1e-4)
    said = capsys.readouterr().err
    assert said == (
        "" if alone is None else f"channels cancel each other, channel {alone} is used alone\n"
    )


def test_strain_on_the_side_that_was_not_trained_is_told(capsys):
    trained = {"amplitude": 2.0, "rates": [0.1, 1.0], "dt_s": [0.1, 1.0], "strain": [0.0, 2.0]}
    column = np.ones((2, 1))
    loading = Loading(column, np.array([[-0.05], [2.0]]), column, column)
    warn_outside({"trained_range": trained}, loading)
    assert capsys.readouterr().err == ""
    warn_outside({"trained_range": trained}, loading._replace(strain=-loading.strain))
    assert capsys.readouterr().err == "warning: strain to -2, trained from 0 to 2\n"
