"""Scenes from the command line: folds that do not leak, scores, a page, mistakes in one line."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import soundfile

from recipes.scenes import experiment as scenes
from recipes.scenes import scores as scenes_scores
from recipes.scenes.scores import FileScore
from zoo import crossvalidation, presets
from zoo.convnets import ConvNet, sound_model
from zoo.crossvalidation import FoldResult, Plan, Told
from zoo.data.cache import Store
from zoo.data.folds import folds, groups_of
from zoo.data.synthesis.collection import scene_clips
from zoo.export.precision import Precise
from zoo.spectrogram import FrontEnd, Spectrogram, Standardize, Trim
from zoo.training import History

ROOT = Path(__file__).parents[2]
SMALL = ConvNet(
    filters=(4, 6),
    kernels=((3, 3), (3, 3)),
    strides=((2, 2), (1, 1)),
    paddings=((1, 1), (1, 1)),
    groups=(1, 1),
    pools=((2, 2), (2, 2)),
    separable=(False, False),
    normalisation="batch",
    dense=(),
)
RNG = np.random.default_rng(0)


def small(name, classes, *, sample_rate_hz, duration_s):
    keras.utils.set_random_seed(0)
    front = FrontEnd(sample_rate_hz=sample_rate_hz, window_s=0.032, hop_s=0.016, mels=16)
    layers = [
        Spectrogram(front, name="spectrogram"),
        Trim(name="trim"),
        Standardize(name="normalise"),
    ]
    samples = round(duration_s * sample_rate_hz)
    return sound_model(SMALL, layers, classes, samples=samples, name=name)


@pytest.fixture(scope="module")
def clips():
    return scene_clips(
        sites=5, seed=0, scenes=("rain", "speech"), duration_s=0.5, sample_rate_hz=8000
    )


def corpus(root: Path, rates: dict[str, int]) -> Path:
    """Class folders of two short recordings each, at a rate of their own."""
    for name, rate in rates.items():
        (root / name).mkdir(parents=True)
        for k in range(2):
            noise = 0.1 * RNG.normal(size=rate // 4)
            soundfile.write(root / name / f"{k}.wav", noise, rate, subtype="PCM_16")
    return root


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "recipes.scenes", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_a_folder_that_is_not_there_is_one_line_and_exit_code_2(tmp_path):
    done = run("--data", str(tmp_path / "nowhere"))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "does not exist" in line


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ({"rain": 8000}, "one class only, rain"),
        ({"rain": 8000, "sea": 16_000}, "mixes sample rates, 8000, 16000 Hz: say with --rate"),
    ],
)
def test_a_corpus_that_cannot_be_learnt_from_is_refused(rates, message, tmp_path):
    options = scenes.parser().parse_args(["--data", str(corpus(tmp_path / "c", rates))])
    with pytest.raises(ValueError, match=message):
        scenes.loaded(options)


def test_mixed_rates_are_resampled_when_asked(tmp_path):
    folder = corpus(tmp_path / "c", {"rain": 8000, "sea": 16_000})
    options = scenes.parser().parse_args(["--data", str(folder), "--rate", "8000"])
    clips, about = scenes.loaded(options)
    assert clips.sample_rate_hz == 8000
    np.testing.assert_array_equal(clips.source.lengths, [2000] * 4)
    assert about["duration_s"] == 0.25


def test_no_group_teaches_chooses_and_tests_at_once(clips):
    for fold in folds(clips.index, count=3):
        train, validation = crossvalidation.parted(clips, np.flatnonzero(fold.train), seed=0)
        parts = (train, validation, np.flatnonzero(fold.test))
        assert sorted(np.concatenate(parts)) == list(range(len(clips)))
        groups = [set(groups_of(clips.index)[part]) for part in parts]
        assert all(groups) and sum(map(len, groups)) == 5


def test_a_single_group_cannot_be_parted(clips):
    one = np.flatnonzero(groups_of(clips.index) == groups_of(clips.index)[0])
    with pytest.raises(ValueError, match=r"two groups .* Received: 1"):
        crossvalidation.parted(clips, one, seed=0)


def test_the_linear_baseline_hears_which_of_two_is_louder(clips):
    model = small("small", 2, sample_rate_hz=8000, duration_s=0.5)
    features = clips.through(model.get_layer("spectrogram"))
    for row in np.flatnonzero(clips.labels == 1):
        features.source[row][:] += 60  # decibels
    told = crossvalidation.spectral_baseline(features, np.arange(6), np.arange(6, 10))
    np.testing.assert_array_equal(told.probabilities.argmax(axis=1), told.labels)


def made_up(clips) -> list[FoldResult]:
    """Two folds told with 0.99 in one class, and that right in 80 % of the clips."""
    labels = clips.labels
    wrong = np.arange(len(labels)) % 5 == 4
    said = np.where(np.eye(2)[np.where(wrong, 1 - labels, labels)] > 0, 0.99, 0.01)
    history = History(loss=[1.0], val_loss=[1.0], learning_rate=[1e-3], seconds=[1.0])
    halves = np.arange(5), np.arange(5, 10)
    return [
        FoldResult(
            f"fold {k}",
            test=Told(labels[rows], said[rows], rows),
            baseline=Told(labels[rows], np.eye(2)[labels[rows]], rows),
            validation=Told(labels, said, np.arange(10)),
            history=history,
        )
        for k, rows in enumerate(halves, 1)
    ]


def test_scores_are_those_of_all_folds_calibrated(clips):
    scores = scenes_scores.scores_of(made_up(clips), clips)
    assert scores.figures["accuracy"].value == pytest.approx(0.8)
    assert scores.baseline_figures["accuracy"] == 1.0
    assert scores.by_fold == {"fold 1": 0.8, "fold 2": 0.8}
    # the temperature that makes 0.99 of it 0.8, in closed form
    assert scores.temperature == pytest.approx(np.log(99) / np.log(4), rel=1e-4)
    assert scores.reliability["as trained"].ece == pytest.approx(0.99 - 0.8, rel=1e-6)
    assert scores.reliability["calibrated"].ece == pytest.approx(0, abs=1e-4)
    assert scores.threshold is None  # every clip is told with the same confidence, 80 % right
    text = scenes_scores.table_of(scores).text()
    assert "linear baseline" in text and "accuracy, fold 2" in text


def test_files_are_judged_on_the_clips_of_all_folds(clips):
    results = made_up(clips)
    for result, seconds in zip(results, (0.001, 0.003), strict=True):
        turned = result.test.probabilities.copy()
        turned[0] = turned[0, ::-1]  # one clip of five told otherwise, a right one
        result.files["float32"] = Precise(result.test.probabilities, 4000, seconds)
        result.files["int8"] = Precise(turned, 1000, seconds)
    results[1].files["float16"] = results[1].files["float32"]  # could not be made in one fold
    scores = scenes_scores.scores_of(results, clips)
    assert scores.files == {
        "float32": FileScore(pytest.approx(0.8), 1.0, 4000, pytest.approx(2.0)),
        "int8": FileScore(pytest.approx(0.6), pytest.approx(0.8), 1000, pytest.approx(2.0)),
    }
    metrics = scenes_scores.metrics_of(scores)
    told = metrics["cross-validation, int8 file"]["accuracy"]
    assert (told["value"], told["baseline"]) == (pytest.approx(0.6), pytest.approx(0.8))
    assert "int8" in scenes_scores.files_table(scores).text()


def test_the_page_shows_every_figure(clips):
    results = made_up(clips)
    scores = scenes_scores.scores_of(results, clips)
    table = scenes_scores.table_of(scores)
    page = scenes_scores.report_of("small", "scenes", scores, results, table, clips.classes, "make")
    html = page.html()
    for name in ("confusion", "reliability", "abstaining", "learning_1", "learning_2"):
        assert f'id="{name}"' in html
    assert "Not in every fold" in html


def test_a_temperature_in_the_last_layer_divides_the_logits():
    model = small("small", 3, sample_rate_hz=8000, duration_s=0.5)
    x = RNG.normal(size=(4, 4000)).astype(np.float32)
    before = np.log(model(x)["probabilities"])
    scenes.sharpen(model, 0.25)
    expected = np.exp(4 * before) / np.exp(4 * before).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model(x)["probabilities"], expected, rtol=1e-4)


def test_training_behind_the_front_end_trains_the_whole(clips, tmp_path, capsys):
    sounds = np.stack([clips.source[row] for row in clips.rows])
    sounds[::2, 1500:] = 0  # which the front end trims
    source = Store(sounds.ravel(), np.full(len(sounds), sounds.shape[1]))
    clips = replace(clips, source=source, rows=np.arange(len(sounds)))
    model = small("small", 2, sample_rate_hz=8000, duration_s=0.5)
    features = scenes.seen(clips, model, 0.5, without=["speeds"])
    plan = Plan(epochs=1, steps=2, checkpoints=tmp_path)
    network, history = crossvalidation.train_network(
        model, features, np.arange(8), np.arange(8, 10), plan, "fold 1"
    )
    assert len(history.loss) == 1 and len(list(tmp_path.glob("fold-1-*.npz"))) == 1
    told = crossvalidation.ask(network, features, np.arange(10))
    waveforms = np.concatenate([x for x, _ in clips.all_batches(10)])
    np.testing.assert_allclose(model(waveforms)["probabilities"], told.probabilities, atol=1e-5)
    bands = np.stack([features.source[row] for row in range(8)])
    mean = model.get_layer("normalise").mean
    np.testing.assert_allclose(mean[:, 0], bands.mean(axis=(0, 1, 3)), rtol=1e-4)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_no_fold_is_calibrated_by_its_own_test_part_and_none_loses_clips_to_that(
    count, clips, monkeypatch
):
    learnt = []

    def train(model, features, train, watched, plan, name):
        learnt.append(train)
        return model, History(loss=[1.0])

    def ask(network, features, rows):
        return Told(features.labels[rows], np.full((len(rows), 2), 0.5), rows)

    monkeypatch.setattr(crossvalidation, "train_network", train)
    monkeypatch.setattr(crossvalidation, "ask", ask)
    front = FrontEnd(sample_rate_hz=8000, window_s=0.032, hop_s=0.016, mels=16)
    features = clips.through(Spectrogram(front))
    chosen = folds(clips.index, count=3)[:count]
    results = crossvalidation.cross_validate(lambda: None, features, chosen, Plan(1, 1))
    for fold, result, rows in zip(chosen, results, learnt, strict=True):
        calibrating = set(result.validation.rows)
        assert calibrating and not calibrating & set(result.test.rows)
        if count > 1:
            np.testing.assert_array_equal(rows, np.flatnonzero(fold.train))
        else:
            assert not calibrating & set(rows)


@pytest.mark.parametrize("without", [(), ("shifts", "company", "equaliser", "masks")])
def test_what_is_left_out_is_not_done(without):
    options = scenes.parser().parse_args(["--without", *without] if without else [])
    plan = scenes.plan_of(options)
    changes = crossvalidation._changes(plan, (None, 30, 16, 1), 2)
    assert (changes is None) == bool(without)


def test_company_is_among_what_is_done():
    plan = Plan(1, 1, company=1.0, shifts=False, masks=False, equaliser=0.0)
    changes = crossvalidation._changes(plan, (None, 30, 16, 1), 2)
    x, labels = np.zeros((2, 30, 16, 1), np.float32), np.zeros(2, np.int32)
    y, _ = changes(x, labels, np.array([1, 2], np.int32))
    assert np.all(y > 0.4)  # decibels: two as loud, or one ten times softer


def test_a_checkpoint_of_another_experiment_is_not_taken_up(clips):
    front = FrontEnd(sample_rate_hz=8000, window_s=0.032, hop_s=0.016, mels=16)
    heard = clips.through(Spectrogram(front))
    plans = [Plan(2, 3), Plan(2, 3, company=0.5), Plan(2, 3, seed=1), Plan(2, 4)]
    plain, trimming = (
        crossvalidation.fixed(keras.Sequential([Spectrogram(front, name="spectrogram"), *more]))
        for more in ([], [Trim(name="trim")])
    )
    names = {crossvalidation._told_apart(plan, heard, plain) for plan in plans}
    names.add(crossvalidation._told_apart(plans[0], heard[np.arange(5)], plain))
    names.add(crossvalidation._told_apart(plans[0], heard, trimming))
    assert len(names) == 6
    same = Plan(2, 3, checkpoints=Path("elsewhere"))
    assert crossvalidation._told_apart(same, heard, plain) in names


def test_a_threshold_is_judged_on_the_clips_that_did_not_choose_it(clips):
    results = made_up(clips)
    sure = np.array([[0.99, 0.01], [0.6, 0.4]])
    for result, wrong in zip(results, (0, 1), strict=True):
        # twenty clips to choose by: the sure ones right, of the others every second
        labels = np.tile([0, 0, 0, 1], 5)
        said = sure[[0, 0, 1, 1] * 5]
        result.validation.__dict__.update(labels=labels, probabilities=said)
        # of five to test on three sure ones, of which `wrong` are wrong
        told = sure[[0, 0, 0, 1, 1]]
        truth = np.array([int(wrong > 0), 0, 0, 0, 0])
        result.test.__dict__.update(labels=truth, probabilities=told)
    scores = scenes_scores.scores_of(results, clips)
    assert scores.answered == (pytest.approx(0.6), pytest.approx(5 / 6))
    assert 0.9 < scores.threshold <= 1
    assert "it then answers 60%, of which 83% are right" in scenes_scores.abstaining(scores)


def test_the_experiment_runs_from_top_to_bottom(monkeypatch, tmp_path, capsys):
    exported = {}

    def export(out, about, model, **given):
        exported.update(out=out, about=about, model=model, **given)

    monkeypatch.setattr(presets, "sound", small)
    monkeypatch.setattr("zoo.export.write", export)
    given = ["--out", str(tmp_path / "m"), "--reports", str(tmp_path / "r"), "--rate", "8000"]
    given += ["--without", "speeds", "masks"]
    assert scenes.main(["--quick", "--epochs", "1", "--folds", "1", *given]) == 0
    page = (tmp_path / "r" / "m" / "report.html").read_text()
    assert 'id="explanation_1"' in page and "Occlusion maps" in page
    assert "accuracy" in capsys.readouterr().out
    about = exported["about"]
    assert {clip.shape for clip in exported["golden"].values()} == {(8000,)}
    assert about.metrics["cross-validation"]["accuracy"]["baseline"] is not None
    assert about.provenance == (
        "Made by `python -m recipes.scenes --rate 8000 --folds 1 --epochs 1 --without speeds masks "
        "--quick`."
    )
    assert "what lies more than 60 dB below the loudest moment is cut off" in about.description
    assert exported["front"] == "normalise"
