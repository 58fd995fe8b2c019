"""Wheeze from the command line: nothing leaks, scores by hand, mistakes in one line."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import soundfile

from recipes.wheeze import __main__ as command_line
from recipes.wheeze import baselines, calibration, report
from recipes.wheeze import data as wheeze_data
from recipes.wheeze import folds as wheeze_folds
from recipes.wheeze import scores as wheeze_scores
from recipes.wheeze.data import Breaths
from recipes.wheeze.folds import FoldResult
from recipes.wheeze.settings import Settings
from zoo import crossvalidation, presets
from zoo.crossvalidation import Predictions, TrainingSettings
from zoo.data import corpora
from zoo.data.corpora.licences import Licence
from zoo.data.folds import Fold, group_keys
from zoo.data.synthesis.collection import breath_clips
from zoo.edge.labels import LabelRule
from zoo.metrics.calibration import LogisticScaling
from zoo.training import History

ROOT = Path(__file__).parents[2]
ICBHI = ROOT.parent / "shared" / "data" / "icbhi"
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def clips():
    return breath_clips(
        patients=12,
        seed=0,
        clips_per_patient=2,
        conditions=wheeze_data.CLASSES,
        stethoscopes=3,
        duration_s=2.0,
    )


@pytest.fixture(scope="module")
def features(clips):
    model = presets.wheeze(duration_s=2.0)
    return wheeze_folds.compute_features(clips, model, duration_s=2.0)


def icbhi(root: Path, cycles: list[tuple[str, str]], rate: int = 4000) -> Path:
    """Recordings by name, each with one cycle of 0.5 s and its marks."""
    root.mkdir()
    for stem, marks in cycles:
        noise = 0.1 * RNG.normal(size=rate // 2)
        soundfile.write(root / f"{stem}.wav", noise, rate, subtype="PCM_16")
        (root / f"{stem}.txt").write_text(f"0.0\t0.5\t{marks[0]}\t{marks[1]}\n")
    return root


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "recipes.wheeze", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_a_folder_that_is_not_there_is_one_line_and_exit_code_2(tmp_path):
    done = run("--data", str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert [line for line in done.stderr.splitlines() if line.startswith("error:")] == [
        done.stderr.splitlines()[-1]
    ]
    assert "does not exist" in done.stderr and "Traceback" not in done.stderr


def test_a_corpus_of_one_class_is_refused(tmp_path):
    folder = icbhi(
        tmp_path / "c", [("101_1b1_Al_sc_Meditron", "00"), ("102_1b1_Al_sc_AKGC417L", "10")]
    )
    with pytest.raises(ValueError, match=r"normal and wheeze. Found: crackle, normal"):
        wheeze_data.read_recordings(folder)


def test_mixed_rates_are_refused_unless_resampling_is_asked_for(tmp_path):
    folder = icbhi(tmp_path / "c", [("101_1b1_Al_sc_Meditron", "00")])
    icbhi(tmp_path / "d", [("102_1b1_Al_sc_Meditron", "01")], rate=8000)
    for file in (tmp_path / "d").iterdir():
        file.rename(folder / file.name)
    with pytest.raises(ValueError, match="mixes sample rates, 4000, 8000 Hz: say --rate 4000"):
        wheeze_data.read_recordings(folder)
    with pytest.raises(ValueError, match="must be 4000"):
        wheeze_data.read_recordings(folder, rate_hz=8000)
    assert wheeze_data.read_recordings(folder, rate_hz=4000).clips.sample_rate_hz == 4000


def test_events_of_hf_lung_become_breaths():
    events = [
        ("a", 0.0, 1.0, "I"),
        ("a", 1.1, 2.5, "E"),
        ("a", 1.2, 1.6, "Wheeze"),
        ("a", 2.4, 2.6, "D"),
        ("a", 3.0, 4.0, "I"),
        ("a", 3.5, 3.6, "Rhonchi"),
        ("b", 0.0, 1.0, "E"),
    ]
    index = pd.DataFrame(
        [(p, on, off, x, "train", "day", "steth", p) for p, on, off, x in events],
        columns=["path", "start_s", "end_s", "label", "fold", "group", "device", "source"],
    )
    breaths = wheeze_data.hf_lung_breaths(index)
    assert breaths["label"].tolist() == ["normal", "wheeze", "rhonchi", "normal"]
    assert breaths["start_s"].tolist() == [0.0, 1.1, 3.0, 0.0]


def check_leaks(division: str, index: pd.DataFrame, folds: list) -> None:
    """No window, patient or, where a device is left out, device stands on both sides."""
    patient = group_keys(index)
    device = index["device"].astype(object).to_numpy()
    recording = index["source"].astype(str).to_numpy()
    for fold in folds:
        assert fold.train.any() and fold.test.any()
        assert not (fold.train & fold.test).any()
        for column in (patient, recording, *([device] if "other devices" in division else [])):
            assert not set(column[fold.train]) & set(column[fold.test]), (division, fold.name)


def test_no_window_patient_or_device_leaks(clips, features):
    divisions = wheeze_folds.divide_patients(clips.index, Settings(), 0)
    assert list(divisions) == [
        "folds by patient",
        *(f"stethoscope-{k}, from other devices" for k in (1, 2, 3)),
    ]
    for division, folds in divisions.items():
        check_leaks(division, clips.index, folds)
        for fold in folds:
            train, validation = crossvalidation.split_validation(
                features.network, np.flatnonzero(fold.train), seed=0
            )
            parts = (train, validation, np.flatnonzero(fold.test))
            people = [set(group_keys(clips.index)[part]) for part in parts]
            assert all(people) and not set.intersection(*people)
            assert sum(map(len, people)) == len(set.union(*people))
    tested = np.sum([fold.test for fold in divisions["folds by patient"]], axis=0)
    assert (tested == 1).all()


@pytest.mark.skipif(not ICBHI.is_dir(), reason="the ICBHI recordings are not here")
def test_nothing_leaks_in_recordings():
    index = corpora.read(ICBHI).index
    index = index[index["label"].isin(wheeze_data.CLASSES)].reset_index(drop=True)
    divisions = wheeze_folds.divide_patients(index, Settings(data=ICBHI), 0)
    assert len(divisions["folds by patient"]) == 5
    for division, folds in divisions.items():
        check_leaks(division, index, folds)


def test_an_official_division_that_leaks_comes_second_to_one_that_does_not(tmp_path, capsys):
    stems = [f"{p}_{k}_Al_sc_Meditron" for p in (101, 102, 103, 156) for k in ("1b1", "2b1")]
    folder = icbhi(tmp_path / "c", [(stem, "01" if "2b1" in stem else "00") for stem in stems])
    part = {stem: "test" if stem.startswith(("103", "156_1")) else "train" for stem in stems}
    (folder / "official_split.txt").write_text("".join(f"{s}\t{p}\n" for s, p in part.items()))
    index = corpora.read(folder).index
    divisions = wheeze_folds.divide_patients(index, Settings(data=folder), 0)
    assert list(divisions) == ["official division, leak-free", "official division, with its leaks"]
    check_leaks("", index, divisions["official division, leak-free"])
    (fold,) = divisions["official division, with its leaks"]
    assert fold.leaking == ("156",)
    assert "156" in capsys.readouterr().err


def test_folds_without_one_of_the_labels_in_their_tests_are_refused(tmp_path):
    """Before anything is trained: no AUC can be computed of them."""
    stems = [f"{p}_{k}_Al_sc_Meditron" for p in (101, 102, 103) for k in ("1b1", "2b1")]
    folder = icbhi(tmp_path / "c", [(stem, "01" if "101" in stem else "00") for stem in stems])
    part = {stem: "test" if stem.startswith("103") else "train" for stem in stems}
    (folder / "official_split.txt").write_text("".join(f"{s}\t{p}\n" for s, p in part.items()))
    index = corpora.read(folder).index
    message = "official division, leak-free: .* Received: 0 of 2 with wheeze"
    with pytest.raises(ValueError, match=message):
        wheeze_folds.divide_patients(index, Settings(data=folder), 0)


def test_what_was_left_out_is_said_as_it_was_read():
    """Wheezes with crackles are wheezes of HF_Lung_V1 (`hf_lung_breaths`), but not of ICBHI."""
    (of_hf_lung,) = (x for x in wheeze_data.limits_of("HF_Lung_V1") if "left out" in x)
    (of_icbhi,) = (x for x in wheeze_data.limits_of("ICBHI 2017") if "left out" in x)
    assert "stridor, but without wheeze, were left out" in of_hf_lung
    assert "crackles and wheeze, were left out" in of_icbhi


def test_both_tone_baselines_rise_with_a_tone_and_one_of_them_not_with_hum():
    spectrograms = RNG.normal(size=(3, 50, 128))
    spectrograms[1, 20:30, 60] += 30  # comes and goes
    spectrograms[2, :, 60] += 30
    tone, changing = baselines.tonality(spectrograms)
    assert tone[1] > tone[0] + 10 and tone[2] > tone[0] + 10
    assert changing[1] > changing[0] + 10 and abs(changing[2] - changing[0]) < 2


def two_folds(clips) -> list[FoldResult]:
    """Two folds of six patients: a perfect network, a constant baseline and a reversed one."""
    labels = clips.labels
    wheeze = 0.2 + 0.6 * labels
    probabilities = np.stack([1 - wheeze, wheeze], axis=1)
    history = History(loss=[1.0], val_loss=[1.0], learning_rate=[1e-3], seconds=[1.0])
    halves = np.arange(12), np.arange(12, 24)
    return [
        FoldResult(
            f"fold {k}",
            test=Predictions(labels[rows], probabilities[rows], rows),
            validation=Predictions(labels[other], probabilities[other], other),
            baselines={"nothing": np.zeros(12), "contrary": 1.0 - labels[rows]},
            history=history,
        )
        for k, (rows, other) in enumerate((halves, halves[::-1]), 1)
    ]


def test_scores_of_a_network_that_is_always_correct(clips):
    scores = wheeze_scores.compute_scores(two_folds(clips), clips)
    for level, count in ((scores.breaths, 24), (scores.patients, 12)):
        assert len(level.labels) == count and level.labels.mean() == 0.5
        assert {name: each.value for name, each in level.metrics.items()} == dict.fromkeys(
            ("AUC", "sensitivity", "specificity", "ICBHI score"), 1.0
        )
    assert scores.baselines["nothing"].value == 0.5 and scores.baselines["contrary"].value == 0.0
    assert scores.best_baseline == "nothing" and scores.gain.value == 0.5
    assert set(scores.by_device) == {"stethoscope-1", "stethoscope-2", "stethoscope-3"}
    metrics = wheeze_scores.manifest_metrics({"folds": scores}, {})
    assert metrics["folds, breaths"]["AUC"]["baseline_name"] == "nothing"
    point = scores.operating_point
    assert point is not None and point.prior == 0.5
    assert point.threshold == pytest.approx(0.5, abs=1e-4)  # the scores 0.2 and 0.8 are symmetric
    assert (point.sensitivity.value, point.specificity.low) == (1.0, 1.0)
    # A fold of six patients, three of either label, is scaled towards Platt's targets 4/5 and 1/5,
    # which its scores 0.8 and 0.2 are; all twelve towards 7/8, logit 0.8 = ln 4 to ln 7 at most.
    fitted = scores.calibration
    assert fitted is not None and fitted.uncalibrated_log_loss == pytest.approx(-np.log(0.8))
    assert fitted.log_loss.value == pytest.approx(-np.log(0.8), rel=1e-4)
    assert 1 < fitted.scaling.slope < np.log(7) / np.log(4)


def test_changed_breaths_are_scored_at_the_threshold_of_breaths_as_recorded(clips):
    results = two_folds(clips)
    for fold in results:  # all probabilities lower: nothing reaches the threshold of 0.5
        p = fold.test.probabilities[:, 1] / 4
        changed = dataclasses.replace(fold.test, probabilities=np.stack([1 - p, p], axis=1))
        fold.robustness.update({"as recorded": fold.test, "softer": changed})
    scores = wheeze_scores.compute_scores(results, clips)
    softer = scores.robustness["softer"]
    assert (softer.auc, softer.sensitivity, softer.specificity) == (1.0, 0.0, 1.0)
    assert scores.robustness["as recorded"].sensitivity == 1.0
    metrics = wheeze_scores.manifest_metrics({"folds": scores}, {})["folds, changed breaths"]
    assert metrics["sensitivity, softer"] == {
        "value": 0.0,
        "baseline": 1.0,
        "baseline_name": "as recorded",
    }
    assert "softer" in report.robustness_table(scores).text()


def test_the_exported_model_gives_calibrated_probabilities():
    model = keras.models.Sequential(
        [keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid", name="there")]
    )
    x = RNG.normal(size=(5, 3)).astype("float32")
    before = keras.ops.convert_to_numpy(model(x))[:, 0]
    scaling = LogisticScaling(slope=2.5, offset=-1.2)
    calibration.scale_output(model, scaling)
    after = keras.ops.convert_to_numpy(model(x))[:, 0]
    np.testing.assert_allclose(after, scaling.apply(before), rtol=1e-4)


def test_the_page_shows_every_figure_and_the_warning(clips):
    results = {"folds by patient": two_folds(clips)}
    scores = {name: wheeze_scores.compute_scores(each, clips) for name, each in results.items()}
    html = report.make_report(
        Settings(quick=True),
        Breaths(clips, "patients", Licence(), (), ("2 clips: clipped.",)),
        scores,
        results,
        {"seed 1": next(iter(scores.values())).breaths.metrics["AUC"]},
    ).html()
    assert "no medical device" in html
    assert "Smoke run" in html and "2 clips: clipped." in html
    headline = next(iter(scores.values()))
    wrong = int((headline.breaths.decisions != headline.breaths.labels).sum())
    assert f"{wrong} of {len(headline.breaths.labels)} test clips are misclassified" in html
    assert "Other seeds" in html
    for name in ("roc_folds_by_patient", "patients", "devices", "learning_folds_by_patient_fold_1"):
        assert f'id="{name}"' in html


def test_a_threshold_is_chosen_without_the_patients_that_it_is_tested_on(clips):
    results = two_folds(clips)
    patient = group_keys(clips.index)
    # the first fold's own test patients stand in its validation part too, with scores reversed
    own, other = results[0].test, results[0].validation
    reversed_scores = own.probabilities[:, ::-1]
    results[0].validation.__dict__.update(
        labels=np.concatenate([other.labels, own.labels]),
        probabilities=np.concatenate([other.probabilities, reversed_scores]),
        rows=np.concatenate([other.rows, own.rows]),
    )
    threshold = wheeze_scores.select_threshold(results[0], results[:1], patient)
    assert threshold == pytest.approx(0.5)  # halfway between 0.2 and 0.8


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (Settings(), "wheeze-synthetic"),
        (Settings(data=Path("data/ICBHI"), quick=True), "wheeze-icbhi-quick"),
        (Settings(name="wheeze-tiny"), "wheeze-tiny"),
    ],
)
def test_a_run_is_named_by_its_data(settings, name):
    assert settings.paths.model == Path("runs") / name / "model"


def test_the_height_of_tones_is_shipped_as_the_baseline_ranks_it(features, clips):
    parts = np.arange(len(clips)) % 2 == 0
    fold = Fold("half", train=parts, test=~parts)
    (result,) = wheeze_folds.evaluate_folds(
        lambda: presets.wheeze(duration_s=2.0), features, [fold], TrainingSettings(1, 1)
    )
    height = result.baselines["tone that comes and goes"]
    slope, centre = 0.5, 14.0  # of the probability as built
    expected = 1 / (1 + np.exp(-slope * (height - centre)))
    np.testing.assert_allclose(result.test.probabilities[:, 1], expected, atol=1e-4)
    assert not result.history.loss  # nothing was trained


def test_the_experiment_runs_from_top_to_bottom_and_resumes(monkeypatch, tmp_path, capsys):
    exported = {}

    def export(out, about, endpoints, golden, options, progress):
        model, front = endpoints.sequence, options.front
        exported.update(out=out, about=about, model=model, golden=golden, front=front)

    monkeypatch.setattr("zoo.export.write", export)
    given = ["--quick", "--duration", "2", "--detector", "lines"]
    given += ["--checkpoint", str(tmp_path / "c")]
    given += ["--out", str(tmp_path / "m")]
    assert command_line.main(given) == 0
    output = capsys.readouterr()
    assert "no medical device" in output.err
    assert "baseline: tone that comes and goes" in output.out
    assert (tmp_path / "m" / "report.html").exists()
    assert exported["out"] == tmp_path / "m" / "model"
    about = exported["about"]
    assert any("no medical device" in limit for limit in about.limits)
    assert "AUC" in about.metrics["folds by patient, breaths"]
    rule = LabelRule.from_manifest(about.settings)
    assert rule.positive == "wheeze"
    at = rule.threshold
    assert [rule.label(np.array([1 - p, p])) for p in (at, at - 1e-6)] == ["wheeze", "normal"]
    assert about.provenance == (
        "Made by `python -m recipes.wheeze --duration 2.0 --detector lines --seed 0 --quick`."
    )
    weights = exported["model"].get_weights()
    assert command_line.main(given) == 0  # nothing is left to train
    for now, before in zip(exported["model"].get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, before)
