"""The command `zoo`: quick help, every subcommand on small shipped models, mistakes in one line."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import soundfile

from zoo.__main__ import SUBCOMMANDS, main, parser
from zoo.cli import output
from zoo.convnets import NETWORKS
from zoo.export import verification
from zoo.networks import network_names
from zoo.report import Table

ROOT = Path(__file__).parents[3]
MODELS = ROOT / "saved_models"
COMMANDS = [module.__name__.rpartition(".")[2] for module in SUBCOMMANDS]
HEAVY = {"tensorflow", "keras", "pandas", "matplotlib", "scipy"}


@pytest.fixture
def zoo(capsys):
    """Run the command in this process; returns its exit code, output and errors."""

    def run(*words):
        code = main([str(word) for word in words])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def history(tmp_path):
    """Half a cycle of stretch."""
    path = tmp_path / "history.csv"
    rows = [f"{0.05 * k:.2f},{np.sin(0.2 * k):.6f}" for k in range(16)]
    path.write_text("\n".join(["time_s,stretch", *rows]))
    return path


@pytest.fixture
def recording(tmp_path):
    """Two and a half golden clips of the synthetic scenes in a row, at their sample rate."""
    with np.load(MODELS / "scenes-synthetic" / "golden.npz") as golden:
        x = golden["waveform"]
    path = tmp_path / "recording.wav"
    soundfile.write(path, x.ravel()[: x.shape[1] * 5 // 2], 16_000, subtype="FLOAT")
    return path


def test_every_subcommand_is_one_module_of_the_package():
    files = {path.stem for path in (ROOT / "zoo" / "cli").glob("*.py")}
    files -= {"__init__", "command", "options", "output"}
    text = parser().format_help()
    assert set(COMMANDS) == files and all(f"\n    {name} " in text for name in files)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_is_answered_without_heavy_imports(name):
    code = (
        "import sys\nfrom zoo.__main__ import main\n"
        f"try: main({[*filter(None, [name]), '--help']})\n"
        "except SystemExit: pass\n"
        f"heavy = {HEAVY} & set(sys.modules)\n"
        f"if {name not in ('edge', 'budget')}: heavy |= {{'numpy'}} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"usage: zoo {name}".rstrip() in done.stdout
    assert "default: None" not in done.stdout and "default: False" not in done.stdout


def test_list_names_every_saved_model(zoo, monkeypatch):
    code, out, err = zoo("list")
    names = [line.split()[0] for line in out.splitlines()[2:-2]]
    assert (code, err) == (0, "") and names == sorted(
        path.parent.name for path in MODELS.glob("*/manifest.json")
    )
    _, out, _ = zoo("list", "--json")
    assert [model["name"] for model in json.loads(out)] == names
    monkeypatch.chdir(ROOT / "tests")  # from anywhere: the package's own
    assert len(json.loads(zoo("list", "--json")[1])) == len(names)


def test_a_saved_model_is_described_with_every_metric_and_limit(zoo):
    manifest = json.loads((MODELS / "hysteresis-rnn" / "manifest.json").read_text())
    code, out, _ = zoo("describe", "hysteresis-rnn")
    words = " ".join(out.split())
    assert code == 0
    for limit in manifest["limits"]:
        assert limit in words
    for figures in manifest["metrics"].values():
        for figure in figures.values():
            assert f"{figure['value']:.3g}" in words
    assert "strain [-], rate [1/s], dt [s]" in words and "3,329 parameters" in words
    assert json.loads(zoo("describe", MODELS / "hysteresis-rnn", "--json")[1]) == manifest


def test_a_network_is_described_layer_by_layer(zoo):
    code, out, err = zoo("describe", "residual_tiny", "--classes", "4")
    assert (code, err) == (0, "")
    assert "depthwise7" in out and "126 × 32 × 16" in out
    assert "million a second of sound" in out
    network = json.loads(zoo("describe", "residual_tiny", "--classes", "4", "--json")[1])
    assert sum(layer["macs"] or 0 for layer in network["layers"]) == network["macs"]


def test_an_old_name_is_answered_by_the_present_one(zoo):
    code, out, err = zoo("describe", "alexnet_tiny", "--classes", "4")
    assert (code, err) == (0, "note: alexnet_tiny is now called residual_tiny\n")
    assert zoo("describe", "residual_tiny", "--classes", "4") == (0, out, "")


def test_describe_knows_every_network(zoo):
    assert set(NETWORKS) < set(network_names())
    code, out, _ = zoo("describe", "gru")
    assert code == 0 and "Cho et al. 2014" in out


def test_verify_names_what_is_damaged(zoo, tmp_path):
    code, out, err = zoo("verify", "material-maxwell", MODELS / "wheeze-tiny")
    assert (code, err) == (0, "") and len(out.splitlines()) == 2
    copy = shutil.copytree(MODELS / "wheeze-tiny", tmp_path / "copy")
    with (copy / "model.tflite").open("ab") as file:
        file.write(b"\0")
    code, out, err = zoo("verify", "material-maxwell", copy)
    assert code == 1 and out.startswith("material-maxwell")
    assert err.startswith("error: ") and "model.tflite: the file is not the one" in err
    code, out, _ = zoo("verify", copy, "--json")
    (result,) = json.loads(out)
    assert code == 1 and "SHA-256 differs" in result["error"]


def test_golden_outputs_are_replayed_on_every_format(zoo):
    code, out, _ = zoo("verify", "wheeze-tiny", "--golden", "--json")
    (result,) = json.loads(out)
    manifest = json.loads((MODELS / "wheeze-tiny" / "manifest.json").read_text())
    assert code == 0 and len(result["golden"]) == len(manifest["formats"])
    for replayed, entry in zip(result["golden"], manifest["formats"].values(), strict=True):
        assert replayed["file"] == entry["file"] and replayed["passed"]
        assert replayed["share"] == pytest.approx(entry["rms_share"], rel=0.1, abs=1e-6)


@pytest.mark.parametrize("factor", [None, 1.5])
def test_a_format_that_differs_more_than_at_export_fails(zoo, monkeypatch, factor):
    manifest = json.loads((MODELS / "wheeze-tiny" / "manifest.json").read_text())
    recorded = manifest["formats"]["model_int8.tflite"]["rms_share"]
    share = None if factor is None else factor * recorded

    def replay_formats(folder, formats, *_):
        entries = {each.file: {"rms_share": 0.0} for each in formats if each.kind != "saved_model"}
        entries["serving:serving_default"] = {"rms_share": 0.0}
        entries["model_int8.tflite"] = {"rms_share": share}
        return SimpleNamespace(entries=entries)

    monkeypatch.setattr(verification, "replay_formats", replay_formats)
    code, out, err = zoo("verify", "wheeze-tiny", "--golden")
    assert code == 1 and err.startswith("error: ") and "model_int8.tflite differ" in err
    _, out, _ = zoo("verify", "wheeze-tiny", "--golden", "--json")
    failed = [each["file"] for each in json.loads(out)[0]["golden"] if not each["passed"]]
    assert failed == ["model_int8.tflite"]


def test_predicted_stress_is_that_of_the_device_runtime(zoo, history, tmp_path):
    _, expected, _ = zoo("edge", "hysteresis-rnn", history)
    picture, table = tmp_path / "p.png", tmp_path / "p.csv"
    code, out, err = zoo("predict", "hysteresis-rnn", history, "--out", table, "--plot", picture)
    assert (code, out) == (0, "") and err.endswith(f"table: {table}\npicture: {picture}\n")
    assert "'stretch' begins near 0 and is read as a strain" in err
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    numbers = np.genfromtxt(io.StringIO(expected), delimiter=",", names=True)
    assert list(rows[0]) == ["time_s", "strain", "prediction_mpa"]
    stress = [float(row["prediction_mpa"]) for row in rows]
    np.testing.assert_allclose(stress, numbers["prediction_mpa"], atol=1e-5)
    assert picture.read_bytes().startswith(b"\x89PNG")
    records = json.loads(zoo("predict", "hysteresis-rnn", history, "--json")[1])
    assert [each["prediction_mpa"] for each in records] == stress


def test_measured_stress_stands_beside_the_prediction_of_each_specimen(zoo, history, tmp_path):
    head, *rows = history.read_text().splitlines()
    both = [f"{row},{k},{group}" for group in "ab" for k, row in enumerate(rows)]
    path = tmp_path / "test.csv"
    path.write_text("\n".join([f"{head},stress_mpa,specimen", *both]))
    picture = tmp_path / "p.svg"
    code, out, _ = zoo(
        "predict", "material-maxwell", path, "--group", "specimen", "--plot", picture
    )
    table = list(csv.DictReader(io.StringIO(out)))
    assert code == 0 and picture.exists()
    assert [row["group"] for row in table] == ["a"] * 16 + ["b"] * 16
    assert [float(row["measured_mpa"]) for row in table] == [*range(16)] * 2
    assert [float(row["time_s"]) for row in table[:2]] == [0, 0.05]
    alone = list(csv.DictReader(io.StringIO(zoo("predict", "material-maxwell", history)[1])))
    assert [row["prediction_mpa"] for row in alone] == [row["prediction_mpa"] for row in table[16:]]


def test_predictions_outside_of_training_are_told(zoo, tmp_path):
    path, table = tmp_path / "test.csv", tmp_path / "p.csv"
    path.write_text("time_s,strain\n0,0\n10,-0.2\n20,0\n")
    code, _, err = zoo("predict", "material-vhb4910", path)
    assert code == 0 and "strain to -0.2 (trained from 0 to 2)" in err
    path.write_text("time_s,force_N\n" + "".join(f"{k / 10},{k % 7}\n" for k in range(200)))
    words = ("predict", "material-bouc-wen", path, "--stretch", "force_N", "--out", table)
    code, out, err = zoo(*words)
    assert (code, out) == (2, "") and not table.exists()
    assert "material-bouc-wen has no finite displacement from 0." in err.splitlines()[-1]


def test_clips_cover_a_recording_and_are_as_golden(zoo, recording, tmp_path):
    with np.load(MODELS / "scenes-synthetic" / "golden.npz") as golden:
        expected = golden["probabilities"]
    picture = tmp_path / "p.png"
    code, out, _ = zoo("predict", "scenes-synthetic", recording, "--plot", picture)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0 and picture.exists()
    assert [float(row["start_s"]) for row in rows] == [0, 3, 4.5]
    assert [float(row["end_s"]) for row in rows] == [3, 6, 7.5]
    probabilities = np.array([[float(v) for v in list(row.values())[4:]] for row in rows])
    np.testing.assert_allclose(probabilities[:2], expected[:2], atol=1e-5)
    rows = json.loads(zoo("predict", "scenes-synthetic", recording, "--hop", "1", "--json")[1])
    assert [row["start_s"] for row in rows] == [0, 1, 2, 3, 4, 4.5]


def test_a_folder_is_predicted_file_by_file(zoo, recording, tmp_path):
    alone = zoo("predict", "scenes-synthetic", recording)[1].splitlines()
    (tmp_path / "deep" / ".hidden").mkdir(parents=True)
    for name in ("deep/b.wav", "deep/.hidden/c.wav"):
        shutil.copy(recording, tmp_path / name)
    (tmp_path / "deep" / "a.wav").write_bytes(b"none")
    code, out, err = zoo("predict", "scenes-synthetic", tmp_path)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0 and [row["file"] for row in rows] == [
        *["recording.wav"] * 3,
        "deep/a.wav",
        *["deep/b.wav"] * 3,
    ]
    assert rows[3]["condition"] == "damaged" and "not readable" in rows[3]["reason"]
    lines = out.splitlines()
    assert lines[1:4] == [f"recording.wav,{line}," for line in alone[1:]]
    assert "deep/a.wav: damaged: not readable" in err and " of 3 windows\n" in err
    records = json.loads(zoo("predict", "scenes-synthetic", tmp_path, "--json")[1])
    assert [each["file"] for each in records] == [row["file"] for row in rows]


def test_a_threshold_overrides_that_of_the_manifest(zoo, tmp_path):
    path = tmp_path / "breath.wav"
    with np.load(MODELS / "wheeze-tiny" / "golden.npz") as golden:
        place = int(golden["probabilities"][:, 1].argmax())
        wheeze = float(golden["probabilities"][place, 1])
        soundfile.write(path, golden["waveform"][place], 4000, subtype="FLOAT")
    for threshold, label in ((wheeze - 0.01, "wheeze"), (wheeze + 0.01, "normal")):
        words = ("predict", "wheeze-tiny", path, "--threshold", threshold, "--json")
        (row,) = json.loads(zoo(*words)[1])
        assert row["prediction"] == label and row["wheeze"] == pytest.approx(wheeze, abs=1e-5)


def test_windows_without_sound_have_no_label(zoo, recording):
    sound, rate_hz = soundfile.read(recording, dtype="float32")
    sound[: 3 * rate_hz] = 0
    sound[4 * rate_hz] = np.nan
    soundfile.write(recording, sound, rate_hz, subtype="FLOAT")
    rows = json.loads(zoo("predict", "scenes-synthetic", recording, "--json")[1])
    assert [row["condition"] for row in rows] == ["silent", "not finite", "sound"]
    assert [row["music"] is None for row in rows] == [True, True, False]


def test_a_streaming_model_predicts_hop_by_hop(zoo, recording, tmp_path):
    picture = tmp_path / "p.png"
    code, out, _ = zoo("predict", "hearing-aid", recording, "--plot", picture)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0 and picture.exists()
    assert len(rows) == 7.5 * 16_000 // 256 and float(rows[-1]["time_s"]) == len(rows) * 0.016
    manifest = json.loads((MODELS / "hearing-aid" / "manifest.json").read_text())
    assert list(rows[0])[4:] == manifest["classes"]


def test_a_classifier_explains_a_recording(zoo, recording, tmp_path):
    out = tmp_path / "why.png"
    words = ["explain", "scenes-synthetic", recording, "--out", out]
    code, text, err = zoo(*words)
    assert code == 0 and out.stat().st_size > 10_000 and set(tmp_path.iterdir()) == {recording, out}
    assert text.startswith("0.00 to 3.00 s of 7.50 s, ") and len(text.splitlines()) == 1
    assert err == (
        f"picture: {out}\n"
        "one window of the recording was explained; --start SECONDS or --all explain others\n"
    )
    code, text, _ = zoo(*words, "--json", "--label", "rain", "--start", "4.5")
    result = json.loads(text)
    assert result["label"] == "rain" and result["window_s"] == [4.5, 7.5]
    assert result["times_s"][0] >= 4.4


def test_all_windows_of_a_recording_are_explained(zoo, recording, tmp_path):
    sound, rate_hz = soundfile.read(recording, dtype="float32")
    sound[3 * rate_hz : 6 * rate_hz] = 0.25  # an offset alone is silence
    soundfile.write(recording, sound, rate_hz, subtype="FLOAT")
    words = ["explain", "scenes-synthetic", recording, "--all", "--label", "rain"]
    words += ["--hop", "3", "--out", tmp_path / "why.png"]
    code, text, err = zoo(*words, "--page", tmp_path / "why.html")
    page = (tmp_path / "why.html").read_text()
    assert "recording.wav --label rain --all --hop 3.0" in page
    assert page.count("<img") == 2 and "recording.wav explained" in page
    players = re.findall(r"<li>(.*?)\n<audio", page)  # the window, and what speaks for the class
    assert [text.split(" for ")[0] for text in players] == [
        "The window, 3.00 s",
        "Its evidence",
    ] * 2
    starts = [line.split(" to ")[0] for line in text.splitlines()]
    assert code == 0 and starts == ["0.00", "4.50"]
    assert "3.00 to 6.00 s is silent: not explained" in err
    assert {path.name for path in tmp_path.glob("*.png")} == {"why_1.png", "why_2.png"}


def test_firmware_and_budget_take_a_name(zoo, tmp_path):
    code, out, _ = zoo("firmware", "material-maxwell", "--out", tmp_path, "--json")
    assert code == 0 and {Path(each["file"]).name for each in json.loads(out)} == {
        path.name for path in tmp_path.iterdir()
    }
    code, out, _ = zoo("budget", "material-maxwell", "--steps", "50", "--json")
    cost = json.loads(out)
    assert code in (0, 1) and cost["file_bytes"] > 0
    assert "macs_per_s" not in cost["budget"]  # a material has no limits of sound


def test_a_classifier_of_clips_has_a_budget_of_its_own(zoo):
    words = ("budget", "wheeze-tiny", "--weights", "int8", "--steps", "5")
    code, out, _ = zoo(*words)
    assert code == 0 and "multiply-accumulates a clip" in out and "sound a clip" in out
    cost = json.loads(zoo(*words, "--json")[1])
    manifest = json.loads((MODELS / "wheeze-tiny" / "manifest.json").read_text())
    assert cost["call"] == "clip" and cost["hop_s"] == 4.0 and cost["steps"] == 5
    assert cost["file_bytes"] == manifest["files"]["model_int8.tflite"]["bytes"]
    assert set(cost["budget"]) == {"macs_per_s", "weights_bytes"}


def test_a_material_passes_its_checks_but_not_against_another_law(zoo, tmp_path):
    law = ("--law", "3", "1", "1", "2")  # its true law has E = 1 MPa
    code, out, err = zoo(
        *("certify", "material-maxwell", "--quick", "--json", "--out", tmp_path, *law)
    )
    result = json.loads(out)
    passed = {check["name"]: check["passed"] for check in result["checks"]}
    assert (code, result["passed"]) == (1, False)
    assert passed["self-consistency"] and passed["cycle work"] and not passed["in range"]
    assert err == f"report: {tmp_path / 'report.html'}\n"
    page = (tmp_path / "report.html").read_text()
    assert "zoo certify material-maxwell --law 3.0 1.0 1.0 2.0 --quick" in page


def test_memory_has_a_row_for_each_layer(zoo, tmp_path):
    layers = [keras.layers.SimpleRNN(3, return_sequences=True), keras.layers.GRU(2)]
    keras.Sequential([keras.Input((None, 2)), *layers]).save(tmp_path / "small.v2.keras")
    rows = tmp_path / "rows.csv"
    rows.write_text("a,b\n" + "".join(f"{np.sin(k)},{np.cos(k)}\n" for k in range(8)))
    page = tmp_path / "page"
    code, out, err = zoo(
        *("memory", tmp_path / "small.v2.keras", "--csv", rows, "--out", page, "--json")
    )
    assert code == 0
    assert [(row["cell"], row["width of the state"]) for row in json.loads(out)] == [
        ("SimpleRNNCell", 3),
        ("GRUCell", 2),
    ]
    assert err == f"report: {page / 'report.html'}\n"
    assert "Memory of small.v2<" in (page / "report.html").read_text()


def test_a_wide_table_is_turned_without_its_empty_columns(capsys):
    names = [f"a quantity with a long name {k}" for k in range(5)]
    table = Table(["layer", *names], [["one", 1.0, 2.0, 3.0, None, 5.0], ["two", *[None] * 5]])
    output.print_table(table)
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["layer", "one", "two"]
    assert [" ".join(row.split()) for row in rows] == [
        f"{names[k]} {k + 1} –" for k in (0, 1, 2, 4)
    ]


def test_json_has_no_nan_and_plain_numbers(capsys):
    output.print_json({"a": np.float32(0.5), "b": np.array([1, np.nan]), "c": Path("x"), 3: True})
    assert json.loads(capsys.readouterr().out) == {"a": 0.5, "b": [1, None], "c": "x", "3": True}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("c", "#include"),
        ("fortran", "subroutine material_maxwell_step"),
        ("html", '"name": "material-maxwell"'),
    ],
)
def test_export_writes_source_in_each_language(zoo, tmp_path, language, text):
    out = tmp_path / "step.txt"
    code, _, err = zoo("export", "material-maxwell", f"--{language}", "--out", out)
    assert code == 0 and text in out.read_text().lower()
    assert err.splitlines()[-1] == f"{out}: material_maxwell_step, 1 state variable"


def test_stress_models_are_compared_on_a_test_and_on_the_built_in_splits(zoo, tmp_path):
    # E = 1 MPa; at such a rate the Maxwell solid is nearly elastic.
    rows = [f"{k / 1000},{k / 100},{k / 100}" for k in range(40)]
    path = tmp_path / "test.csv"
    path.write_text("\n".join(["time_s,stretch,stress_mpa", *rows]))
    models = ("material-maxwell", "hysteresis-rnn")
    code, out, _ = zoo("compare", *models, "--csv", path, "--json")
    (error, _) = json.loads(out)["rows"]
    assert code == 0 and (error["split"], error["metric"]) == ("test", "nRMSE")
    assert error["models"]["material-maxwell"] < 0.01 < error["models"]["hysteresis-rnn"]
    table = tmp_path / "table.csv"
    page = tmp_path / "page.html"
    code, out, _ = zoo("compare", *models, "--quick", "--out", table, "--page", page)
    assert code == 0 and "self-consistency" in out
    assert f"compare {' '.join(models)} --quick" in page.read_text()
    written = {
        (row["split"], row["metric"]): row for row in csv.DictReader(io.StringIO(table.read_text()))
    }
    for name in models:
        manifest = json.loads((MODELS / name / "manifest.json").read_text())
        card = manifest["metrics"]["walk"]["nRMSE"]["value"]
        assert float(written["walk", "nRMSE"][name]) == pytest.approx(card, rel=0.5)
    rows = [f"{k / 1000},{k / 100},{10 * k}" for k in range(40)]
    path.write_text("\n".join(["time_s,stretch,stress_kpa", *rows]))
    code, out, err = zoo(
        "compare", *models, "--csv", path, "--stress", "stress_kpa", "--json", "--page", page
    )
    assert code == 0 and "stress converted from kPa to MPa" in err
    assert f"{path.name} --stress stress_kpa --seed" in page.read_text()
    converted = json.loads(out)["rows"][0]["models"]
    assert converted == pytest.approx(error["models"], rel=1e-3)


@pytest.mark.parametrize(
    ("model", "titles", "step_s", "size"),
    [
        ("material-ferrite-3c90", "flux density_T,field_A/m,temperature", 6.25e-8, 0.2),
        ("material-mr-damper", "displacement,force,temperature", 0.02, 5.0),
    ],
)
def test_models_are_compared_as_they_predict(zoo, tmp_path, model, titles, step_s, size):
    loading = size * np.sin(np.arange(500) / 20 + 1)
    response = 300 * np.tanh(loading / size + 0.3)
    rows = zip(np.arange(500) * step_s, loading, response, [25.0] * 500, strict=True)
    path = tmp_path / "test.csv"
    lines = [",".join(map(repr, map(float, row))) for row in rows]
    path.write_text("\n".join([f"time_s,{titles}", *lines]))
    code, out, err = zoo("predict", model, path, "--json")
    assert code == 0 and "rows are the measured past" in err
    predicted, measured = np.array([list(r.values())[-2:] for r in json.loads(out)]).T
    code, out, _ = zoo("compare", model, model, "--csv", path, "--json")
    (error, _) = json.loads(out)["rows"]
    expected = np.sqrt(np.mean((predicted - measured) ** 2) / np.mean(measured**2))
    assert code == 0 and error["models"][model] == pytest.approx(expected, rel=1e-3)


def test_a_model_of_strain_is_not_checked_over_displacements(zoo, tmp_path):
    path = tmp_path / "test.csv"
    path.write_text(
        "time_s,displacement_mm,force_N\n" + "".join(f"{k},{k},{k}\n" for k in range(30))
    )
    code, out, err = zoo("certify", "hysteresis-rnn", "--csv", path, "--out", tmp_path / "run")
    assert (code, out) == (2, "") and not (tmp_path / "run").exists()
    assert "hysteresis-rnn takes strain. Give --gauge-length and --area." in err


def test_what_a_model_does_not_take_is_refused_before_it_is_compared(zoo, tmp_path):
    code, _, err = zoo("compare", "material-maxwell", "material-mr-damper", "--quick")
    assert code == 2 and "takes displacement, the built-in tests are of strain" in err
    path = tmp_path / "test.csv"
    path.write_text("time_s,strain,stress_MPa,oil\n" + "".join(f"{k},{k},1,3\n" for k in range(9)))
    for words in (("predict", "hysteresis-rnn"), ("compare", "hysteresis-rnn", "hysteresis-gru")):
        given = [path] if words[0] == "predict" else ["--csv", path]
        code, _, err = zoo(*words, *given, "--covariate", "oil")
        assert code == 2 and "takes no covariate, got oil" in err and "Traceback" not in err
    code, _, err = zoo("compare", "hysteresis-rnn", "hysteresis-gru", "--csv", path, "--quick")
    assert code == 2 and "--quick thins the built-in paths" in err


def test_classifiers_are_compared_on_labelled_recordings(zoo, tmp_path):
    with np.load(MODELS / "scenes-synthetic" / "golden.npz") as golden:
        clips = dict(zip(golden["cases"].tolist(), golden["waveform"], strict=True))
        probabilities = golden["probabilities"]
    for label, waveform in clips.items():
        (tmp_path / label).mkdir()
        soundfile.write(tmp_path / label / "clip.wav", waveform, 16_000, subtype="FLOAT")
    (tmp_path / "other").mkdir()
    soundfile.write(tmp_path / "other" / "clip.wav", waveform, 16_000, subtype="FLOAT")
    copy = shutil.copytree(MODELS / "scenes-synthetic", tmp_path.with_name("copy"))
    code, out, _ = zoo("compare", "scenes-synthetic", copy, "--data", tmp_path, "--json")
    result = json.loads(out)
    classes = json.loads((copy / "manifest.json").read_text())["classes"]
    true = [row[classes.index(label)] for label, row in zip(clips, probabilities, strict=True)]
    rows = {row["metric"]: row["models"] for row in result["rows"]}
    assert code == 0 and "1 clips of other classes left out" in result["data"]
    assert rows["log loss"]["copy"]["value"] == pytest.approx(-np.log(true).mean(), rel=1e-4)
    assert all(row["copy"] == row["scenes-synthetic"] for row in rows.values())
    assert rows["accuracy"]["copy"]["low"] <= rows["accuracy"]["copy"]["value"]


def test_a_detector_is_compared_at_its_operating_point(zoo, tmp_path):
    with np.load(MODELS / "wheeze-tiny" / "golden.npz") as golden:
        waveforms, wheeze = golden["waveform"], golden["probabilities"][:, 1]
    point = json.loads((MODELS / "wheeze-tiny" / "manifest.json").read_text())["operating_point"]
    says = wheeze >= point["threshold"]
    assert says.any() and (wheeze < 0.5).any()  # by the likeliest class it would say less
    for k, waveform in enumerate(waveforms):
        for label in ("normal", "wheeze"):
            (tmp_path / label).mkdir(exist_ok=True)
            noise = 1e-7 * np.random.default_rng(k).normal(size=(2, 16_000))
            sound = waveform + noise[int(label == "wheeze")]  # no copies
            soundfile.write(tmp_path / label / f"{k}.wav", sound, 4000, subtype="FLOAT")
    words = ("compare", "wheeze-tiny", "wheeze-tiny", "--data", tmp_path, "--json")
    rows = {
        row["metric"]: row["models"]["wheeze-tiny"] for row in json.loads(zoo(*words)[1])["rows"]
    }
    page = tmp_path / "page.html"
    assert zoo(*words, "--page", page)[0] == 0
    assert page.read_text().count(f"{len(says)} of {2 * len(says)} test clips are mis") == 2
    assert rows["sensitivity"]["value"] == pytest.approx(says.mean())
    assert rows["specificity"]["value"] == pytest.approx(1 - says.mean())
    assert rows["accuracy"]["value"] == pytest.approx(0.5)
    assert rows["AUC, wheeze"]["value"] == pytest.approx(0.5, abs=0.26)


MISTAKES = {
    ("describe", "nowhere"): "nowhere: expected a saved model (",
    ("describe", "alexnet_gap", "--seconds", "0.01"): "too small for pooling",
    ("verify", "nowhere"): "nowhere: no such model",
    ("predict", "nowhere", "{csv}"): "nowhere: no such model",
    ("predict", "material-maxwell", "none.csv"): "none.csv: no such file",
    ("predict", "material-maxwell", "{csv}", "--plot", "p.gif"): "--plot must end in .png",
    ("predict", "scenes-synthetic", "{csv}"): "history.csv: ",
    ("predict", "hysteresis-rnn", "{csv}", "--hop", "1"): "is no model of sound: leave out --hop",
    ("predict", "scenes-synthetic", "{csv}", "--stress", "stress"): "the columns of a CSV",
    ("explain", "hysteresis-rnn", "{wav}"): "hysteresis-rnn is no classifier of sound",
    ("explain", "speech-snr", "{wav}"): "no classifier of sound: evidence is for a class",
    ("explain", "scenes-synthetic", "{wav}", "--start", "60"): "`start_s` must lie within",
    ("explain", "scenes-synthetic", "{wav}", "--start", "inf"): "`start_s` must lie within",
    ("explain", "scenes-synthetic", "no.wav"): "no.wav: ",
    ("firmware", "scenes-synthetic", "--out", "c", "--weights", "int4"): "a file for clips, got",
    ("predict", "hearing-aid", "{wav}", "--hop", "1"): "Leave --hop and --threshold out",
    ("predict", "scenes-synthetic", "{folder}", "--plot", "p.png"): "--plot draws one recording",
    ("predict", "scenes-synthetic", "{empty}"): "no recording in this folder",
    ("explain", "scenes-synthetic", "{wav}", "--hop", "1"): "Add --all",
    ("explain", "scenes-synthetic", "{wav}", "--all", "--start", "1"): "Give one of them",
    ("edge", "nowhere"): "nowhere: no such model",
    ("budget", "nowhere"): "nowhere: no such model",
    ("data", "nowhere"): "nowhere",
    ("certify", "scenes-tiny"): "Expected one input (batch, time, 3)",
    ("identify", "--csv", "{csv}"): "no column looks like stress",
    ("identify", "--csv", "{csv}", "--branches", "2"): "The number of branches belongs to a law",
    ("memory", "scenes-tiny"): "(batch, time, features)",
    ("export", "scenes-tiny", "--c"): "no endpoint `step`",
    ("export", "hearing-aid", "--c"): "strain, rate, dt",
    ("export", "{wav}", "--renew"): "no manifest.json",
    ("studio", "--runtime", "{wav}"): "the SHA-512 differs",
    ("studio", "--port", "70000"): "between 0 and 65535",
    ("compare", "hysteresis-rnn"): "two models or more",
    ("compare", "hysteresis-rnn", "nowhere"): "nowhere: no such model",
    ("compare", "scenes-tiny", "wheeze-tiny"): "--data",
    ("compare", "scenes-tiny", "hysteresis-rnn", "--data", "{csv}"): "is no classifier of sound",
}


@pytest.mark.parametrize("words", MISTAKES, ids=" ".join)
def test_a_mistake_is_one_line_and_exit_code_2(words, zoo, history, recording, tmp_path):
    (tmp_path / "empty").mkdir()
    before = set(tmp_path.iterdir())
    places = {"csv": history, "wav": recording, "folder": tmp_path, "empty": tmp_path / "empty"}
    code, out, err = zoo(*(word.format(**places) for word in words))
    assert (code, out) == (2, "")
    assert err.startswith("error: ") and err.count("\n") == 1 and MISTAKES[words] in err
    assert set(tmp_path.iterdir()) == before
