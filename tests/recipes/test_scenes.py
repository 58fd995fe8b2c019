"""Scenes from the command line: scores, a page, mistakes in one line."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recipes.scenes import __main__ as command_line
from recipes.scenes import copies, experiment, pretraining, report, unknown
from recipes.scenes import data as scene_data
from recipes.scenes import scores as scene_scores
from recipes.scenes.data import SceneData
from recipes.scenes.scores import FileScore
from recipes.scenes.settings import Settings
from tests.small_models import small_sound_model
from zoo import presets
from zoo.convnets import embedding_model, split_model, standardize_of
from zoo.crossvalidation import Familiarity, FoldResult, Predictions, predict
from zoo.crossvalidation.strangers import METRICS
from zoo.data.other_sound import read_strangers
from zoo.data.speed import add_speeds, rows_of_all_copies
from zoo.data.synthesis.collection import scene_clips
from zoo.export.precision import PrecisionResult
from zoo.metrics.familiarity import prototypes_of
from zoo.training import History

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(0)


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


def test_strangers_are_other_recordings_of_other_classes(tmp_path):
    own = corpus(tmp_path / "own", {"rain": 8000, "sea": 8001})
    settings = Settings(data=own, rate_hz=8000)
    data = scene_data.load_data(settings)
    other = corpus(tmp_path / "other", {"rain": 8002, "wind": 8003})
    strangers, titles = read_strangers([other], data.clips, 0.25)
    assert strangers is not None and set(strangers.index["label"]) == {"wind"}
    assert titles == ("the folder other",)
    assert read_strangers([], data.clips, 0.25) == (None, ())
    with pytest.raises(ValueError, match=r"--strangers: all 4 clips are of classes"):
        read_strangers([own], data.clips, 0.25)


def fold_of(members, strangers=None, confidence=None):
    """A fold of four clips whose highest probability is 0.9."""
    rows = np.arange(4)
    sure = Predictions(rows % 2, np.array([[0.9, 0.1]] * 4), rows)
    familiarity = Familiarity(members, strangers, confidence)
    return FoldResult("fold 1", sure, sure, sure, History(), familiarity=familiarity)


def test_the_unknown_is_measured_beside_the_highest_probability():
    result = fold_of(
        np.array([0.7, 0.8, 0.9, 1.0]), np.array([0.1, 0.75]), confidence=np.array([0.95, 0.5])
    )
    rule = unknown.unknown_of([result], ("others",))
    assert rule is not None
    assert rule.threshold == pytest.approx(0.715)  # 5 % of the way through 0.7, 0.8, 0.9, 1.0
    metrics = rule.metrics()[METRICS]
    area = metrics["AUROC, strangers against members"]
    assert (area["value"], area["baseline"]) == (7 / 8, 0.5)
    passed = metrics["false acceptance, strangers that pass"]
    assert (passed["value"], passed["baseline"]) == (0.5, 0.5)
    assert "50% of 2 sounds of no class (others)" in rule.limit()
    assert unknown.unknown_of([replace(result, familiarity=None)]) is None


def test_prototypes_are_of_the_clips_as_recorded(clips):
    model = small_sound_model("small", 2, sample_rate_hz=8000, duration_s=0.5)
    front, rows = split_model(model)[0], np.arange(len(clips))
    features = add_speeds(clips, (0.5, 2.0)).with_features(front, duration_s=0.5)
    assert len(features) == 3 * len(clips)
    rule = unknown.unknown_of([fold_of(np.array([0.7, 0.8]))])
    assert rule is not None
    whole = unknown.with_unknown(model, features, rows, rule)
    _, _, stored, threshold = whole.layers[-1].get_weights()
    embeddings = embedding_model(model)(clips.to_array(duration_s=0.5)).numpy()
    np.testing.assert_allclose(stored.T, prototypes_of(embeddings, clips.labels, 2), atol=1e-4)
    assert threshold == pytest.approx(rule.threshold)


def test_frozen_layers_need_other_sound():
    with pytest.raises(ValueError, match="--frozen needs --pretrain"):
        command_line.main(["--frozen"])


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
def test_a_corpus_that_cannot_be_used_is_refused(rates, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        scene_data.load_data(Settings(data=corpus(tmp_path / "c", rates)))


def test_mixed_rates_are_resampled_when_asked(tmp_path):
    folder = corpus(tmp_path / "c", {"rain": 8000, "sea": 16_000})
    settings = Settings(data=folder, rate_hz=8000)
    data = scene_data.load_data(settings)
    assert data.clips.sample_rate_hz == 8000
    np.testing.assert_array_equal(data.clips.source.lengths, [2000] * 4)
    assert data.duration_s == 0.25
    assert (
        scene_data.load_data(Settings(data=folder, rate_hz=8000, duration_s=0.1)).duration_s == 0.1
    )


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (Settings(), "scenes-synthetic"),
        (Settings(quick=True), "scenes-synthetic-quick"),
        (Settings(data=Path("some/ESC10")), "scenes-esc10"),
        (Settings(model="alexnet_gap"), "scenes-synthetic-gap"),
        (Settings(model="residual_tiny_causal"), "scenes-synthetic-tiny-causal"),
        (Settings(name="scenes-tiny", quick=True), "scenes-tiny"),
    ],
)
def test_a_run_is_named_by_data_and_network(settings, name):
    assert settings.paths.name == name
    assert settings.paths.report == Path("runs") / name / "report.html"
    published = replace(settings, publish=True)
    assert published.paths.model == Path("saved_models") / name


def two_folds(clips) -> list[FoldResult]:
    """Two folds predicted with 0.99 in one class, correctly in 80 % of the clips."""
    labels = clips.labels
    is_wrong = np.arange(len(labels)) % 5 == 4
    predicted = np.where(is_wrong, 1 - labels, labels)
    probabilities = np.where(np.eye(2)[predicted] > 0, 0.99, 0.01)
    history = History(loss=[1.0], val_loss=[1.0], learning_rate=[1e-3], seconds=[1.0])
    halves = np.arange(5), np.arange(5, 10)
    return [
        FoldResult(
            f"fold {k}",
            test=Predictions(labels[rows], probabilities[rows], rows),
            baseline=Predictions(labels[rows], np.eye(2)[labels[rows]], rows),
            validation=Predictions(labels, probabilities, np.arange(10)),
            history=history,
        )
        for k, rows in enumerate(halves, 1)
    ]


def test_scores_are_those_of_all_folds_calibrated(clips):
    scores = scene_scores.compute_scores(two_folds(clips), clips)
    assert scores.metrics["accuracy"].value == pytest.approx(0.8)
    assert scores.baseline_metrics["accuracy"] == 1.0
    assert scores.by_fold == {"fold 1": 0.8, "fold 2": 0.8}
    # The temperature that makes 0.99 of it 0.8 is ln 99 / ln 4 = 3.3; the prior of ten clips draws
    # it towards 1: 10 z (s(z) - 0.8) = ln T with z = ln 99 / T.
    z = np.log(99) / scores.temperature
    assert 10 * z * (1 / (1 + np.exp(-z)) - 0.8) == pytest.approx(
        np.log(scores.temperature), rel=1e-3
    )
    assert scores.reliability["as trained"].ece == pytest.approx(0.99 - 0.8, rel=1e-6)
    expected = 1 / (1 + np.exp(-z)) - 0.8
    assert scores.reliability["calibrated"].ece == pytest.approx(expected, abs=1e-4)
    point = scores.operating_point  # 4 of 5 right in either class, half of the clips each
    assert point is not None and point.prior == 0.5
    assert point.sensitivity.value + point.specificity.value == pytest.approx(1.6)
    assert point.threshold == pytest.approx(0.5, abs=1e-3)
    assert scores.threshold is None  # every clip has the same confidence, 80 % are correct
    text = report.metrics_table(scores).text()
    assert "linear baseline" in text and "accuracy, fold 2" in text


def test_a_fold_without_validation_predictions_is_refused(clips):
    results = [replace(result, validation=None) for result in two_folds(clips)]
    with pytest.raises(ValueError, match="fold 1 has no validation predictions"):
        scene_scores.compute_scores(results, clips)


def test_devices_are_scored_where_two_of_them_recorded_two_groups(clips):
    test = Predictions(clips.labels, np.full((10, 2), 0.5), np.arange(10))
    groups = np.arange(10) // 2
    for devices, expected in (
        ("aaaaaabbbb", {"a": 6, "b": 4}),
        ("aaaaaaaabb", {}),  # one group on b has no interval, and a alone is no comparison
        ("aaaaaaaaaa", {}),
    ):
        index = clips.index.assign(device=list(devices))
        rows = scene_scores.rows_by_device(replace(clips, index=index), test, groups)
        assert {name: len(each) for name, each in rows.items()} == expected


def test_files_are_scored_on_the_clips_of_all_folds(clips):
    results = two_folds(clips)
    for result, seconds in zip(results, (0.001, 0.003), strict=True):
        changed = result.test.probabilities.copy()
        changed[0] = changed[0, ::-1]  # one clip of five predicted otherwise, a correct one
        result.files["float32"] = PrecisionResult(result.test.probabilities, 4000, seconds)
        result.files["int8"] = PrecisionResult(changed, 1000, seconds)
    results[1].files["float16"] = results[1].files["float32"]  # could not be made in one fold
    scores = scene_scores.compute_scores(results, clips)
    assert scores.files == {
        "float32": FileScore(pytest.approx(0.8), 1.0, 4000, pytest.approx(2.0)),
        "int8": FileScore(pytest.approx(0.6), pytest.approx(0.8), 1000, pytest.approx(2.0)),
    }
    metrics = scene_scores.manifest_metrics(scores)
    entry = metrics["cross-validation, int8 file"]["accuracy"]
    assert (entry["value"], entry["baseline"]) == (pytest.approx(0.6), pytest.approx(0.8))
    assert metrics["cross-validation"]["accuracy"]["baseline_name"] == "linear, on band statistics"
    assert "int8" in report.files_table(scores).text()


def test_the_page_shows_every_figure(clips):
    results = two_folds(clips)
    scores = scene_scores.compute_scores(results, clips)
    data = SceneData(clips, "scenes", 0.5, "", ())
    html = report.make_report(Settings(), data, scores, results).html()
    for name in ("confusion", "reliability", "risk_coverage", "learning_1", "learning_2"):
        assert f'id="{name}"' in html
    assert "No confidence threshold reaches" in html
    wrong = int((scores.decisions != scores.test.labels).sum())
    assert f"{wrong} of {len(scores.test.labels)} test clips are misclassified" in html
    assert html.count("<audio") == min(wrong, 8)
    assert "Smoke run" not in html
    notes = ("3 clips: clipped.",)
    data = SceneData(clips, "scenes", 0.5, "", (), notes)
    html = report.make_report(Settings(quick=True), data, scores, results).html()
    assert "Smoke run" in html and "3 clips: clipped." in html


def test_two_classes_are_decided_at_a_threshold_that_other_clips_chose():
    labels, p = np.array([0, 0, 0, 1]), np.array([0.1, 0.2, 0.3, 0.4])
    part = Predictions(labels, np.stack([1 - p, p], axis=1), np.arange(4))
    decisions = scene_scores.decide([part], [part], 2)
    np.testing.assert_array_equal(decisions, labels)  # by the likeliest class all would be 0


def test_long_recordings_are_cut_into_windows(tmp_path):
    for name in ("rain", "sea"):
        (tmp_path / "c" / name).mkdir(parents=True)
        for k in range(2):
            noise = 0.1 * RNG.normal(size=12 * 1000)
            soundfile.write(tmp_path / "c" / name / f"{k}.wav", noise, 1000)
    data = scene_data.load_data(Settings(data=tmp_path / "c"))
    assert data.duration_s == 5.0 and len(data.clips) == 12
    np.testing.assert_array_equal(data.clips.source.lengths, [5000] * 12)
    assert "12 of 4 clips" in data.limits[-1] and data.title == "the folder c"
    whole, _ = soundfile.read(tmp_path / "c" / "rain" / "0.wav", dtype="float32")
    rain = data.clips[np.asarray(data.clips.index["path"]) == str(tmp_path / "c/rain/0.wav")]
    for row, start in zip(rain.rows, (0, 5000, 7000), strict=True):
        np.testing.assert_array_equal(rain.source[row], whole[start : start + 5000])


def test_a_temperature_in_the_last_layer_divides_the_logits():
    model = small_sound_model("small", 3, sample_rate_hz=8000, duration_s=0.5)
    x = RNG.normal(size=(4, 4000)).astype(np.float32)
    before = np.log(model(x)["probabilities"])
    experiment.scale_logits(model, 0.25)
    expected = np.exp(4 * before) / np.exp(4 * before).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model(x)["probabilities"], expected, rtol=1e-4)


def test_augmentations_that_are_left_out_are_off():
    default = experiment.training_settings(Settings()).augmentation
    assert default.time_shift and default.masks and default.same_class and default.equaliser_db
    without = Settings(without=("shifts", "same-class", "equaliser", "masks"))
    left = experiment.training_settings(without).augmentation
    assert not (left.time_shift or left.masks or left.same_class or left.equaliser_db)


def test_former_names_are_read():
    options = command_line.parser().parse_args(["--without", "company", "--model", "alexnet_tiny"])
    assert options.without == ["same-class"] and options.model == "residual_tiny"


def test_copies_at_other_speeds_and_in_noise_are_left_out_when_asked(clips):
    model = small_sound_model("small", 2, sample_rate_hz=8000, duration_s=0.5)
    counts = [
        len(experiment.compute_features(clips, model, 0.5, without, parts=()))
        for without in ((), ("speeds",), ("noise",), ("speeds", "noise"))
    ]
    speeds, noisy = 1 + len(copies.SPEEDS), copies.NOISY_COPIES
    assert counts == [10 * (speeds + noisy), 10 * (1 + noisy), 10 * speeds, 10]


def test_a_threshold_is_measured_on_clips_that_did_not_choose_it(clips):
    results = two_folds(clips)
    levels = np.array([[0.99, 0.01], [0.6, 0.4]])
    for result, wrong in zip(results, (0, 1), strict=True):
        # twenty clips to choose by: the confident ones correct, of the others every second
        labels = np.tile([0, 0, 0, 1], 5)
        probabilities = levels[[0, 0, 1, 1] * 5]
        result.validation.__dict__.update(labels=labels, probabilities=probabilities)
        # of five test clips three confident ones, of which `wrong` are wrong
        probabilities = levels[[0, 0, 0, 1, 1]]
        labels = np.array([int(wrong > 0), 0, 0, 0, 0])
        result.test.__dict__.update(labels=labels, probabilities=probabilities)
    scores = scene_scores.compute_scores(results, clips)
    assert scores.selective == (pytest.approx(0.6), pytest.approx(5 / 6))
    assert 0.9 < scores.threshold <= 1
    assert "coverage is then 60% and the accuracy 83%" in report.describe_abstention(scores)


def test_the_experiment_runs_from_top_to_bottom(monkeypatch, tmp_path, capsys):
    exported = {}

    def export(out, about, endpoints, golden, options, progress):
        model, front = endpoints.sequence, options.front
        exported.update(out=out, about=about, model=model, golden=golden, front=front)

    monkeypatch.setattr(presets, "sound", small_sound_model)
    monkeypatch.setattr("zoo.export.write", export)
    other = corpus(tmp_path / "other", {"sea": 8000, "wind": 8000})
    given = ["--out", str(tmp_path / "m"), "--rate", "8000", "--without", "speeds", "masks"]
    given += ["--pretrain", str(other), "--frozen"]
    assert command_line.main(["--quick", "--epochs", "1", "--folds", "1", *given]) == 0
    page = (tmp_path / "m" / "report.html").read_text()
    assert 'id="explanation_1"' in page and "Explanations" in page
    assert "accuracy" in capsys.readouterr().out
    assert exported["out"] == tmp_path / "m" / "model"
    assert not (tmp_path / "m" / "checkpoints").exists()  # the run was not interrupted
    about = exported["about"]
    assert about.name == "scenes-synthetic-quick"
    assert {clip.shape for clip in exported["golden"].values()} == {(8000,)}
    assert about.metrics["cross-validation"]["accuracy"]["baseline"] is not None
    assert about.provenance == (
        "Made by `python -m recipes.scenes --rate 8000 --pretrain PATH/other --frozen --folds 1 "
        "--epochs 1 --without speeds masks --seed 0 --quick`."
    )
    assert "Pre-trained on the folder other, without recordings that are in both." in about.limits
    assert about.licence == "LicenseRef-unknown"
    assert about.training["trained"] == "the last layer alone, behind pre-trained ones"
    assert "frames more than 60 dB below the loudest are cut off" in about.description
    assert exported["front"] == standardize_of(exported["model"]).name


def test_features_of_a_large_corpus_go_into_files(monkeypatch, tmp_path):
    clips = scene_clips(sites=1, seed=0, scenes=("rain", "speech"), duration_s=0.5)
    model = presets.sound("residual_tiny", 2, sample_rate_hz=16_000, duration_s=0.5)
    monkeypatch.setattr(copies, "MAX_CLIPS_AT_SPEEDS", 1)
    monkeypatch.setattr(copies, "MAX_CLIPS_IN_NOISE", 1)
    kept = experiment.compute_features(clips, model, 0.5, parts=(), cache=tmp_path)
    plain = experiment.compute_features(clips, model, 0.5, parts=())
    assert len(list(tmp_path.rglob("*.shard"))) == 1
    np.testing.assert_allclose(kept.source[1], plain.source[1], atol=0.04)  # half precision, dB


def with_groups(root: Path, groups: dict[str, str]) -> Path:
    """A folder of class folders at 8 kHz: file -> group."""
    for name in groups:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / name, 0.1 * RNG.normal(size=2000), 8000)
    lines = [f"{name},{group}" for name, group in groups.items()]
    (root / "groups.csv").write_text("\n".join(["filename,group", *lines]) + "\n")
    return root


def test_recordings_of_the_corpus_itself_are_not_pretrained_on(tmp_path):
    main = with_groups(tmp_path / "main", {"dog/a.wav": "11", "rain/b.wav": "12"})
    first = with_groups(
        tmp_path / "first", {"siren/a.wav": "11", "siren/c.wav": "13", "drill/d.wav": "14"}
    )
    second = with_groups(tmp_path / "second", {"siren/e.wav": "15", "rain/f.wav": "12"})
    data = scene_data.load_data(Settings(data=main))
    other = pretraining.read_other_sound([first, second], data, None)
    assert other.left_out == 2 and other.clips.classes == ("drill", "siren")
    assert sorted(other.clips.index["group"].astype(str)) == ["13", "14", "15"]
    assert other.titles == ("the folder first", "the folder second")
    with pytest.raises(ValueError, match="two classes or more"):
        pretraining.read_other_sound([second], data, None)
    # a teacher hears sound without its labels, of one folder too
    other = pretraining.read_other_sound([second], data, None, is_labelled=False)
    assert other.clips.classes == ("siren",) and other.left_out == 1
    with pytest.raises(ValueError, match=r"--teacher-sound .* Received: none .* 2 clips"):
        pretraining.read_other_sound([main], data, None, is_labelled=False)


def test_a_network_begins_with_pretrained_weights_but_for_the_last_layer(clips, monkeypatch):
    monkeypatch.setattr(presets, "sound", small_sound_model)
    other = pretraining.OtherSound(clips, ("scenes",), 0)
    model = small_sound_model("small", 2, sample_rate_hz=8000, duration_s=0.5)
    first = model.get_layer("conv1").get_weights()[0]
    training = replace(experiment.training_settings(Settings(quick=True)), checkpoints=None)
    start = pretraining.pretrain(model, other, 0.5, training)
    assert np.abs(start["conv1"][0] - first).max() > 1e-4
    built = experiment.build_model(
        "small", 3, sample_rate_hz=8000, duration_s=0.5, seed=0, start=start
    )
    names = [layer.name for layer in built.layers if layer.weights]
    assert {*names[1:-1], pretraining.STANDARDIZE} == {*start}  # all but the last layer
    for name, weights in start.items():
        layer = standardize_of(built) if name == "standardize" else built.get_layer(name)
        for got, expected in zip(layer.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(got, expected)
    changed = {name: [2 * each for each in weights] for name, weights in start.items()}
    assert pretraining.hash_weights(changed) != pretraining.hash_weights(start)


def test_the_last_layer_alone_is_fitted_by_logistic_regression(clips):
    model = small_sound_model("small", 2, sample_rate_hz=8000, duration_s=0.5)
    features = experiment.compute_features(clips, model, 0.5, ("noise",), parts=())
    standardize_of(model).adapt(features.all_batches(8))
    before = [layer.get_weights() for layer in model.layers[:-1]]
    rows, monitored = np.arange(8), np.arange(8, 10)
    settings = experiment.training_settings(Settings())
    network, history = pretraining.fit_last_layer(
        model, features, rows, monitored, settings, "fold 1"
    )
    for layer, weights in zip(model.layers[:-1], before, strict=True):
        for got, expected in zip(layer.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(got, expected)
    assert len(history.loss) == len(history.val_loss) == 1 and history.loss[0] < np.log(2)
    # at the optimum the mean probability of a class is its share in the clips and their copies
    copies = features[rows_of_all_copies(features.index, rows)]
    p = predict(network, copies, np.arange(len(copies))).probabilities
    np.testing.assert_allclose(p.mean(axis=0), np.bincount(copies.labels) / len(copies), atol=1e-3)


def test_weights_inherit_the_terms_of_what_they_were_pretrained_on(clips):
    data = SceneData(clips, "ESC-10", 5.0, scene_data.licence_of("ESC-10"), ())
    assert pretraining.add_terms(data, ["ESC-10"]).licence.weights == "Apache-2.0"
    both = pretraining.add_terms(data, ["UrbanSound8K", "ESC-10"]).licence
    assert both.weights == "LicenseRef-non-commercial"
    assert "CC BY-NC (Salamon" in both.data and both.data.startswith("ESC-10, CC BY (Piczak 2015)")
