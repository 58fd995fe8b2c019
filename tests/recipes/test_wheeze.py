"""Wheeze from the command line: nothing leaks, scores by hand, mistakes in one line."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from recipes.wheeze import baselines as wheeze_baselines
from recipes.wheeze import data as wheeze_data
from recipes.wheeze import experiment as wheeze
from recipes.wheeze import folds as wheeze_folds
from recipes.wheeze import report as wheeze_report
from recipes.wheeze import scores as wheeze_scores
from recipes.wheeze.folds import Judged
from zoo import crossvalidation, presets
from zoo.data import corpora
from zoo.data.folds import groups_of
from zoo.data.synthesis.collection import breath_clips
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
def heard(clips):
    model = presets.wheeze(duration_s=2.0)
    return wheeze_folds.heard(clips, model, duration_s=2.0)


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


def options(*arguments):
    return wheeze.parser().parse_args(list(arguments))


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
        wheeze_data.recorded(folder)


def test_mixed_rates_are_refused_unless_resampling_is_asked_for(tmp_path):
    folder = icbhi(tmp_path / "c", [("101_1b1_Al_sc_Meditron", "00")])
    icbhi(tmp_path / "d", [("102_1b1_Al_sc_Meditron", "01")], rate=8000)
    for file in (tmp_path / "d").iterdir():
        file.rename(folder / file.name)
    with pytest.raises(ValueError, match="mixes sample rates, 4000, 8000 Hz: say --rate 4000"):
        wheeze_data.recorded(folder)
    with pytest.raises(ValueError, match="must be 4000"):
        wheeze_data.recorded(folder, rate_hz=8000)
    assert wheeze_data.recorded(folder, rate_hz=4000).clips.sample_rate_hz == 4000


def test_phases_of_hf_lung_become_breaths():
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
    phases = wheeze_data.hf_lung_phases(index)
    assert phases["label"].tolist() == ["normal", "wheeze", "rhonchi", "normal"]
    assert phases["start_s"].tolist() == [0.0, 1.1, 3.0, 0.0]


def leaks(division: str, index: pd.DataFrame, folds: list) -> None:
    """No window, patient or, where a device is left out, device stands on both sides."""
    patient = groups_of(index)
    device = index["device"].astype(object).to_numpy()
    recording = index["source"].astype(str).to_numpy()
    for fold in folds:
        assert fold.train.any() and fold.test.any()
        assert not (fold.train & fold.test).any()
        for column in (patient, recording, *([device] if "other devices" in division else [])):
            assert not set(column[fold.train]) & set(column[fold.test]), (division, fold.name)


def test_no_window_patient_or_device_leaks(clips, heard):
    found = wheeze.divisions(clips.index, options(), 0)
    assert list(found) == [
        "folds by patient",
        *(f"stethoscope-{k}, from other devices" for k in (1, 2, 3)),
    ]
    for division, folds in found.items():
        leaks(division, clips.index, folds)
        for fold in folds:
            train, validation = crossvalidation.parted(
                heard.features, np.flatnonzero(fold.train), seed=0
            )
            parts = (train, validation, np.flatnonzero(fold.test))
            people = [set(groups_of(clips.index)[part]) for part in parts]
            assert all(people) and not set.intersection(*people)
            assert sum(map(len, people)) == len(set.union(*people))
    tested = np.sum([fold.test for fold in found["folds by patient"]], axis=0)
    assert (tested == 1).all()


@pytest.mark.skipif(not ICBHI.is_dir(), reason="the ICBHI recordings are not here")
def test_nothing_leaks_in_recordings():
    index = corpora.read(ICBHI).index
    index = index[index["label"].isin(wheeze_data.CLASSES)].reset_index(drop=True)
    found = wheeze.divisions(index, options("--data", str(ICBHI)), 0)
    assert len(found["folds by patient"]) == 5
    for division, folds in found.items():
        leaks(division, index, folds)


def test_an_official_division_that_leaks_comes_second_to_one_that_does_not(tmp_path, capsys):
    stems = [f"{p}_{k}_Al_sc_Meditron" for p in (101, 102, 103, 156) for k in ("1b1", "2b1")]
    folder = icbhi(tmp_path / "c", [(stem, "01" if "2b1" in stem else "00") for stem in stems])
    part = {stem: "test" if stem.startswith(("103", "156_1")) else "train" for stem in stems}
    (folder / "official_split.txt").write_text("".join(f"{s}\t{p}\n" for s, p in part.items()))
    index = corpora.read(folder).index
    found = wheeze.divisions(index, options("--data", str(folder)), 0)
    assert list(found) == ["official division, leak-free", "official division, with its leaks"]
    leaks("", index, found["official division, leak-free"])
    (fold,) = found["official division, with its leaks"]
    assert fold.leaking == ("156",)
    assert "156" in capsys.readouterr().err


def test_logistic_regression_is_that_of_scipy_and_parts_what_can_be_parted():
    labels = np.arange(60) % 3 == 0
    x = RNG.normal(size=(60, 4)) + labels[:, None] * np.array([3.0, 0, 0, 0])
    score = wheeze_baselines.logistic_regression(x, labels)(x)
    assert score[labels].mean() > 0 > score[~labels].mean()
    # where the loss is least, the weighted mean of features and of probability balance
    p = 1 / (1 + np.exp(-score))
    share = np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())
    assert share @ (p - labels) == pytest.approx(0, abs=1e-4)


def test_the_tone_baselines_hear_a_tone_and_one_of_them_not_hum():
    decibels = RNG.normal(size=(3, 50, 128))
    decibels[1, 20:30, 60] += 30  # comes and goes
    decibels[2, :, 60] += 30
    peak, changing = wheeze_baselines.tonality(decibels)
    assert peak[1] > peak[0] + 10 and peak[2] > peak[0] + 10
    assert changing[1] > changing[0] + 10 and abs(changing[2] - changing[0]) < 2


def made_up(clips) -> list[Judged]:
    """Two folds of six patients: a network that is always right, a baseline that always says no."""
    labels = clips.labels
    history = History(loss=[1.0], val_loss=[1.0], learning_rate=[1e-3], seconds=[1.0])
    halves = np.arange(12), np.arange(12, 24)
    return [
        Judged(
            f"fold {k}",
            test=rows,
            probability=0.2 + 0.6 * labels[rows],
            validation=other,
            validation_probability=0.2 + 0.6 * labels[other],
            baselines={"nothing": np.zeros(12), "contrary": 1.0 - labels[rows]},
            history=history,
        )
        for k, (rows, other) in enumerate((halves, halves[::-1]), 1)
    ]


def test_scores_of_a_network_that_is_always_right(clips):
    scores = wheeze_scores.scores_of(made_up(clips), clips)
    for level, count in ((scores.breaths, 24), (scores.patients, 12)):
        assert len(level.labels) == count and level.labels.mean() == 0.5
        assert {name: each.value for name, each in level.figures.items()} == dict.fromkeys(
            ("AUC", "sensitivity", "specificity", "ICBHI score"), 1.0
        )
    assert scores.baselines["nothing"].value == 0.5 and scores.baselines["contrary"].value == 0.0
    assert scores.gain[0] == "nothing" and scores.gain[1].value == 0.5
    assert set(scores.by_device) == {"stethoscope-1", "stethoscope-2", "stethoscope-3"}
    metrics = wheeze_scores.metrics_of({"folds": scores}, {})
    assert metrics["folds, breaths"]["AUC"]["baseline_name"] == "nothing"


def test_the_page_shows_every_figure_and_the_warning(clips):
    results = {"folds by patient": made_up(clips)}
    scores = {name: wheeze_scores.scores_of(each, clips) for name, each in results.items()}
    html = wheeze_report.report_of(
        "patients",
        scores,
        results,
        {"seed 1": next(iter(scores.values())).breaths.figures["AUC"]},
        "make",
    ).html()
    assert "no medical device" in html
    assert "With other seeds" in html
    for name in ("roc_folds_by_patient", "patients", "devices", "learning_folds_by_patient_fold_1"):
        assert f'id="{name}"' in html


def test_the_experiment_runs_from_top_to_bottom_and_resumes(monkeypatch, tmp_path, capsys):
    exported = {}

    def export(out, about, model, **given):
        exported.update(out=out, about=about, model=model, **given)

    monkeypatch.setattr("zoo.export.write", export)
    given = ["--quick", "--duration", "2", "--checkpoint", str(tmp_path / "c")]
    given += ["--out", str(tmp_path / "m"), "--reports", str(tmp_path / "r")]
    assert wheeze.main(given) == 0
    said = capsys.readouterr()
    assert "no medical device" in said.err
    assert "baseline: tone that comes and goes" in said.out
    assert (tmp_path / "r" / "m" / "report.html").exists()
    about = exported["about"]
    assert any("no medical device" in limit for limit in about.limits)
    assert "AUC" in about.metrics["folds by patient, breaths"]
    assert about.provenance == "Made by `python -m recipes.wheeze --duration 2.0 --quick`."
    weights = exported["model"].get_weights()
    assert wheeze.main(given) == 0  # nothing is left to train
    for now, before in zip(exported["model"].get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, before)
