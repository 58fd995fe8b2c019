"""The hearing-aid recipe: clips, examples, the fitted decision, mistakes, a quick run."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from recipes.hearing_aid import __main__ as hearing_aid
from recipes.hearing_aid import (
    decision,
    decision_search,
    experiment,
    final_weights,
    pools,
    training,
)
from recipes.hearing_aid.classes import CLASSES as SOUND_CLASSES
from recipes.hearing_aid.decision_search import HopPredictions
from recipes.hearing_aid.pools import SoundPools
from recipes.hearing_aid.synthetic import ClipSettings
from zoo.edge.decision import DecisionSettings, LevelRule, PairDwell
from zoo.metrics.switching import settled_recalls
from zoo.report import Report

ROOT = Path(__file__).parents[3]
CLASSES = ("quiet", "speech", "music")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nowhere"], "no manifest.json"),
        (["--model", "saved_models/hysteresis-lstm"], "got a model without classes"),
        (["--quick", "--data", "nowhere"], "does not exist"),
        (["--final-weights", "README.md"], "expected --bank and --weights beside it"),
        (["--weights", "README.md"], "--weights: belongs to --bank"),
        (["--train-bank", "recipes"], "--train-bank: belongs to --bank"),
        (["--refit"], "--refit: belongs to --model"),
        (["--bank", "recipes", "--model", "saved_models/hearing-aid"], "--model cannot stand"),
        (["--bank", "recipes", "--data", "recipes"], "--data cannot stand beside it"),
    ],
)
def test_a_mistake_is_one_line(arguments, message, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(pools, "synthesise_clips", lambda *_, **__: [[] for _ in SOUND_CLASSES])
    with pytest.raises(ValueError, match=message) as raised:
        hearing_aid.main(arguments)
    assert len(str(raised.value).splitlines()) == 1


def test_the_command_line_leaves_out_where_files_are_kept():
    given = ["--data", "/some/where/esc10", "--data", "voices", "--quick", "--c", "/tmp/c"]
    settings = hearing_aid.settings_of(hearing_aid.parser().parse_args(given))
    assert settings.command == (
        "python -m recipes.hearing_aid --data PATH/esc10 --data voices --seed 0 --quick"
    )
    assert settings.name == "hearing-aid-quick" and settings.firmware == Path("/tmp/c")
    assert settings.paths.model == Path("runs/hearing-aid-quick/model")
    options = hearing_aid.parser().parse_args(["--model", "some/scenes-tiny", "--publish"])
    published = hearing_aid.settings_of(options).paths
    assert published.model == Path("saved_models/scenes-tiny-streaming")
    assert published.report == Path("runs/scenes-tiny-streaming/report.html")
    options = hearing_aid.parser().parse_args(["--model", "some/hearing-aid", "--refit"])
    assert hearing_aid.settings_of(options).name == "hearing-aid"
    options = hearing_aid.parser().parse_args(["--bank", "a", "b", "--train-bank", "c"])
    assert hearing_aid.settings_of(options).name == "hearing-aid-recorded"


@pytest.fixture
def recording_folder(tmp_path):
    """Class folders: noise and speech of four groups each, and a label that is not known."""
    rng = np.random.default_rng(0)
    lines = ["filename,group"]
    for label in ("noise", "speech", "whistle"):
        (tmp_path / label).mkdir()
        for k in range(4):
            name = f"{label}/{k}.wav"
            soundfile.write(tmp_path / name, 0.01 * (k + 1) * rng.normal(size=8000), 8000)
            lines.append(f"{name},g{k}")
    (tmp_path / "groups.csv").write_text("\n".join(lines))
    (tmp_path / "origin.txt").write_text("Made by a generator.")
    return tmp_path


def test_recordings_are_split_by_group_and_set_to_levels_of_their_class(recording_folder):
    result = pools.hearing_aid_pools([recording_folder], ClipSettings(2, 0.5, 8000, 0))
    noise, speech, mixed = (
        SOUND_CLASSES.index(name) for name in ("noise", "speech", "speech_in_noise")
    )
    # two synthetic clips of each class, and two of four groups; of speech in noise one a noise
    for number in (noise, speech, mixed):
        assert len(result.train[number]) == 4
        assert len(result.validation[number]) == 3 and len(result.recorded[number]) == 1
        assert len(result.test[number]) == 2
    assert len(result.recorded[SOUND_CLASSES.index("music")]) == 2  # synthetic
    level = 20 * np.log10(np.sqrt(np.mean(result.recorded[noise][0] ** 2))) + 100
    assert 58 <= level <= 82
    assert any("Made by a generator." in line for line in result.limits)
    assert any("recorded speech mixed into recorded noise" in line for line in result.limits)


def test_classes_without_clips_are_refused():
    with pytest.raises(ValueError, match="no synthesis of yodel"):
        pools.pools_of_classes(("rain", "yodel"), [], ClipSettings(1, 1.0, 8000, 0))


def test_examples_carry_a_label_for_every_frame():
    # the level of every class is its number times ten, so that frames show their class
    frames = [[np.full((50, 8), 10.0 * k)] for k in range(6)]
    x, y = training.draw_examples(frames, np.random.default_rng(1), 12)
    np.testing.assert_array_equal(x[..., 0, 0], 10 * y.argmax(axis=-1))
    np.testing.assert_array_equal(y.sum(axis=-1), 1)
    changes = (np.diff(y.argmax(axis=-1), axis=1) != 0).sum(axis=1)
    assert set(changes) == {0, 1}


def test_powers_add():
    np.testing.assert_allclose(training._sum(np.array([-40.0]), np.array([-40.0])), -40 + 3.0103)
    assert training._level(np.array([[-30.0, -200.0]])) == pytest.approx(-33.0103)


def predictions(seed: int, error_rate: float) -> HopPredictions:
    """Scenes of 8 s in hops of 64 ms; some hops are classified at random."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(6) % 3, 125)
    wrong = rng.uniform(size=truth.size) < error_rate
    predicted = np.where(wrong, rng.integers(3, size=truth.size), truth)
    levels = np.where(truth == 0, -65.0, -35.0) + rng.uniform(-2, 2, truth.size)
    return HopPredictions(truth, np.eye(3)[predicted], levels, 0.064)


def test_a_fitted_decision_is_steady_where_the_likeliest_class_is_not():
    settings = decision.fit_decision(CLASSES, [predictions(k, 0.3) for k in range(10, 16)])
    (rule,) = settings.levels
    assert rule.name == "quiet" and -61 < rule.impossible_above < -59
    other = [predictions(k, 0.3) for k in range(6)]
    decided = decision.evaluate_decision(settings, CLASSES, other)
    likeliest = decision.evaluate_likeliest(other)
    assert likeliest.false_per_min > 100 > 1 >= decided.false_per_min
    assert decided.delay_s(0.9) <= 4
    assert decided.accuracy > 0.75


def test_even_probabilities_still_give_a_decision_that_selects_programs():
    # the right class is a hundredth ahead of the others: no posterior reaches 0.4
    sequences = []
    for seed in range(3):
        each = predictions(seed, 0.1)
        even = np.where(each.probabilities > 0.5, 0.34, 0.33)
        sequences.append(each._replace(probabilities=even))
    lines = []
    classes = ("music", "noise", "speech")
    settings = decision.fit_decision(classes, sequences[:2], lines.append)
    result = decision.evaluate_decision(settings, classes, sequences[2:])
    assert result.coverage > 0.9 and result.accuracy > 0.7
    assert "the probabilities are so even" in lines[0]


@pytest.mark.parametrize("method", ["average", "hmm"])
def test_many_settings_at_once_decide_as_each_alone(method):
    rng = np.random.default_rng(5)
    base = DecisionSettings(levels=(LevelRule("quiet", impossible_above=-60.0),), method=method)
    settings = [
        dataclasses.replace(base, enter=0.5, leave=0.3, dwell_s=0.5, abstain_below=0.25),
        dataclasses.replace(base, time_constant_s=0.3, weight_per_s=3.0, offsets={"speech": 0.5}),
        dataclasses.replace(
            base,
            enter_by_class={"music": 0.9},
            leave_by_class={"music": 0.6},
            dwell_by_pair=(PairDwell("quiet", "speech", 3.0),),
            changes_per_min=20.0,
        ),
    ]
    sequences = [predictions(seed, 0.5) for seed in range(2)]
    sequences[1] = HopPredictions(*(a[:333] for a in sequences[1][:3]), 0.064)
    sequences = [
        each._replace(probabilities=rng.dirichlet(np.ones(3), len(each.truth)) / 2 + each[1] / 2)
        for each in sequences
    ]
    batch = decision_search.make_batch(CLASSES, sequences, base, 1)
    programs = decision_search.simulate(CLASSES, settings, batch)
    metrics = decision_search.batch_metrics(programs, batch)
    for k, each in enumerate(settings):
        for n, sequence in enumerate(sequences):
            alone = decision.decide_programs(each, CLASSES, sequence)
            np.testing.assert_array_equal(programs[k, n, : len(alone)], alone)
        whole = decision.evaluate_decision(each, CLASSES, sequences)
        assert metrics.accuracy[k] == pytest.approx(whole.accuracy)
        assert metrics.coverage[k] == pytest.approx(whole.coverage)
        assert metrics.false_per_min[k] == pytest.approx(whole.false_per_min)
        longest = [
            np.diff([0, *np.flatnonzero(np.diff(s.truth)) + 1, len(s.truth)]) for s in sequences
        ]
        delays = np.minimum(whole.delays_s, 0.064 * np.concatenate(longest))
        assert metrics.delay_s[k] == pytest.approx(delays.mean())
        parts = [(s.truth, decision.decide_programs(each, CLASSES, s)) for s in sequences]
        recalls = settled_recalls(parts, 3, 0.064)
        assert metrics.settled[k] == pytest.approx(recalls.mean())


@pytest.mark.parametrize("method", ["average", "hmm"])
def test_the_boundary_between_the_speech_classes_is_not_fitted(method):
    classes = ("noise", "speech", "speech_in_noise")
    changed = decision._changed(classes, DecisionSettings(method=method))
    for each in changed:
        assert each.thresholds("speech") == each.thresholds("speech_in_noise")
        assert each.offsets.get("speech", 0) == each.offsets.get("speech_in_noise", 0)
    assert any(each.thresholds("speech") != each.thresholds("noise") for each in changed)


def test_more_false_switches_buy_a_shorter_delay():
    fitted = [predictions(seed, 0.5) for seed in range(2)]
    measured = [predictions(seed, 0.5) for seed in range(2, 4)]
    curves = decision.delay_curves(CLASSES, fitted, measured)
    assert set(curves) == {"average", "hmm"}
    for false_per_min, delay_s in curves.values():
        assert false_per_min[0] <= false_per_min[-1] and delay_s[0] > delay_s[-1] - 1e-9


def test_programs_are_numbered_as_the_classes():
    scene = predictions(0, 0.0)
    programs = decision.decide_programs(DecisionSettings(0.01, dwell_s=0.0), CLASSES, scene)
    np.testing.assert_array_equal(programs, scene.truth)
    never = decision.decide_programs(DecisionSettings(1e9), CLASSES, scene)
    assert set(never) == {-1}


def test_a_quick_run_goes_from_top_to_bottom(monkeypatch, tmp_path, capsys):
    exported = {}

    def export(out, about, endpoints, golden, options, progress):
        exported.update(out=out, about=about, step=endpoints.step, examples=options.examples)
        return {"metrics": {"made up": {"accuracy": {"value": 1.0}}}}

    def build_report(contents):
        return Report(contents.name).section("nothing")

    monkeypatch.setattr("zoo.export.write", export)
    monkeypatch.setattr("recipes.hearing_aid.experiment.build_report", build_report)
    evaluation = property(lambda _: None)  # no files were exported to evaluate
    monkeypatch.setattr("recipes.hearing_aid.evaluation.StepEvaluator.evaluation", evaluation)
    assert hearing_aid.main(["--quick", "--out", str(tmp_path / "run")]) == 0
    assert exported["out"] == tmp_path / "run" / "model"
    about = exported["about"]
    assert about.settings["classes"] == list(SOUND_CLASSES)
    fitted = DecisionSettings.from_dict(about.settings["decision"])
    shared = (*decision.ENTER, *decision.HMM_ENTER, *(each / 6 for each in decision.EVEN_SHARES))
    assert fitted.enter in shared
    assert exported["step"].input["waveform"].shape == (None, 256)
    assert exported["examples"].shape[1] % 256 == 0
    assert any("not a medical device" in line for line in about.limits)
    assert (tmp_path / "run" / "report.html").exists()


def test_figures_come_from_the_weights_that_did_not_learn_from_the_test_sources(tmp_path):
    """Of the shipped weights: cost and validation; of their sibling: all the rest."""
    sibling = {"recorded sequences": {"a": 1}, "validation sequences": {"a": 2}, "step": {"kB": 3}}
    sibling["conditions"] = {"dB": 4}
    final = {"validation sequences": {"a": 5}, "step": {"kB": 6}}
    assert final_weights.final_metrics(final, sibling) == {
        "recorded sequences, weights without test sources": {"a": 1},
        "conditions, weights without test sources": {"dB": 4},
        "validation sequences, weights without test sources": {"a": 2},
        "validation sequences": {"a": 5},
        "step": {"kB": 6},
    }
    for metrics in (sibling, final):
        final_weights.check_test_unheard({"metrics": metrics}, "a model")
    with pytest.raises(ValueError, match="a model: its weights learnt from the test sources"):
        shipped = final_weights.final_metrics(final, sibling)
        final_weights.check_test_unheard({"metrics": shipped}, "a model")
    (tmp_path / "final").write_bytes(b"abc")
    (tmp_path / "sibling").write_bytes(b"")
    note = final_weights.final_note(tmp_path / "final", tmp_path / "sibling")
    # FIPS 180-2, and the hash of nothing
    assert "not of these weights (SHA-256 ba7816bf8f01)" in note
    assert "without the test sources (SHA-256 e3b0c44298fc)" in note


def test_the_measured_weights_and_the_shipped_ones_are_exported_apart(monkeypatch, tmp_path):
    """Nothing but validation sequences is run through the weights that heard the test sources."""
    for name in ("sibling", "final"):
        (tmp_path / name).write_bytes(name.encode())
    mixer: Any = object()
    pools_of = SoundPools(CLASSES, [], [], [], [], limits=("a limit",), mixer=mixer)
    runs, exported = [], {}

    def prepare(settings, model, pools, drawn, history=None):
        runs.append((model, set(drawn.measuring), pools.mixer))
        return SimpleNamespace(trained=model)

    def export(settings, folder, fitted, pools, drawn, complete=lambda metrics: metrics):
        kinds = {kind: {"of": fitted.trained} for kind in (*drawn.measuring, "step")}
        exported[folder.name] = complete(kinds), pools.limits
        return {"metrics": exported[folder.name][0]}

    def drawn_of(settings, pools, model):
        return experiment.Sequences([], {"recorded sequences": [], "validation sequences": []})

    for name, stub in {
        "make_model": lambda settings: ("sibling", pools_of, None),
        "make_sequences": drawn_of,
        "fit_and_prepare": prepare,
        "export": export,
        "metrics_table": lambda metrics: SimpleNamespace(text=lambda: ""),
        "write_report": lambda *_: None,
    }.items():
        monkeypatch.setattr(experiment, name, stub)
    monkeypatch.setattr(experiment.scene_training, "load", lambda path: path.name)
    given = ["--bank", "b", "--weights", str(tmp_path / "sibling"), "--out", str(tmp_path / "run")]
    assert hearing_aid.main([*given, "--final-weights", str(tmp_path / "final")]) == 0
    assert runs == [
        ("sibling", {"recorded sequences", "validation sequences"}, mixer),
        ("final", {"validation sequences"}, None),
    ]
    metrics, limits = exported["model"]
    assert {kind: each["of"] for kind, each in metrics.items()} == {
        "recorded sequences, weights without test sources": "sibling",
        "validation sequences, weights without test sources": "sibling",
        "validation sequences": "final",
        "step": "final",
    }
    assert "not of these weights" in limits[0] and limits[1:] == ("a limit",)
    assert exported["figures"][1] == ("a limit",)
