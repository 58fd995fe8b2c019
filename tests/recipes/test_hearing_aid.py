"""The ear from the command line: what is learnt from, the decision that is fitted, mistakes."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from recipes.hearing_aid import decision, sounds, training
from recipes.hearing_aid import experiment as hearing_aid
from recipes.hearing_aid.decision import Heard
from zoo.cli import command
from zoo.edge.decision import Settings

ROOT = Path(__file__).parents[2]
CLASSES = ("quiet", "speech", "music")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nowhere"], "no manifest.json"),
        (["--model", "saved_models/hysteresis-lstm"], "got a model without classes"),
        (["--quick", "--data", "nowhere"], "does not exist"),
    ],
)
def test_a_mistake_is_one_line(arguments, message, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sounds, "synthetic", lambda *a, **k: [[] for _ in sounds.CLASSES])
    with pytest.raises(ValueError, match=message) as raised:
        hearing_aid.main(arguments)
    assert len(str(raised.value).splitlines()) == 1


def test_the_command_is_told_without_places_of_files():
    given = ["--data", "/some/where/esc10", "--data", "voices", "--quick", "--c", "/tmp/c"]
    parser = hearing_aid.parser()
    options = parser.parse_args(given)
    assert command.format_command_line(parser, options) == (
        "python -m recipes.hearing_aid --data esc10 --data voices --quick"
    )
    assert hearing_aid.name_of(options) == "hearing-aid-quick"


@pytest.fixture
def recordings(tmp_path):
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


def test_recordings_are_parted_by_group_and_played_at_levels_of_their_kind(recordings):
    found = sounds.hearing_aid([recordings], clips=2, seconds=0.5, sample_rate_hz=8000, seed=0)
    noise, speech, mixed = (
        sounds.CLASSES.index(name) for name in ("noise", "speech", "speech_in_noise")
    )
    # two synthetic clips of each class, and two of four groups; of speech in noise one a noise
    for number in (noise, speech, mixed):
        assert len(found.train[number]) == 4
        assert len(found.validation[number]) == 3 and len(found.recorded[number]) == 1
        assert len(found.test[number]) == 2
    assert len(found.recorded[sounds.CLASSES.index("music")]) == 2  # synthetic
    level = 20 * np.log10(np.sqrt(np.mean(found.recorded[noise][0] ** 2))) + 100
    assert 58 <= level <= 82
    assert any("Made by a generator." in line for line in found.limits)
    assert any("recorded speech mixed into recorded noise" in line for line in found.limits)


def test_classes_that_nothing_is_of_are_refused():
    with pytest.raises(ValueError, match="no synthesis of yodel"):
        sounds.of_classes(("rain", "yodel"), [], clips=1, seconds=1, sample_rate_hz=8000, seed=0)


def test_examples_carry_a_label_for_every_frame():
    # the level of every class is its number times ten, so that frames tell where they are from
    frames = [[np.full((50, 8), 10.0 * k)] for k in range(6)]
    x, y = training.examples(frames, np.random.default_rng(1), 12)
    np.testing.assert_array_equal(x[..., 0, 0], 10 * y.argmax(axis=-1))
    np.testing.assert_array_equal(y.sum(axis=-1), 1)
    changes = (np.diff(y.argmax(axis=-1), axis=1) != 0).sum(axis=1)
    assert set(changes) == {0, 1}


def test_powers_add():
    np.testing.assert_allclose(training._sum(np.array([-40.0]), np.array([-40.0])), -40 + 3.0103)
    assert training._level(np.array([[-30.0, -200.0]])) == pytest.approx(-33.0103)


def heard(seed: int, nervous: float) -> Heard:
    """Scenes of 8 s in hops of 64 ms; some hops are told wholly wrong."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(6) % 3, 125)
    told = np.where(rng.uniform(size=truth.size) < nervous, rng.integers(3, size=truth.size), truth)
    levels = np.where(truth == 0, -65.0, -35.0) + rng.uniform(-2, 2, truth.size)
    return Heard(truth, np.eye(3)[told], levels, 0.064)


def test_a_fitted_decision_is_steady_where_the_likeliest_class_is_not():
    settings = decision.fit(CLASSES, [heard(0, 0.3), heard(1, 0.3)])
    (rule,) = settings.levels
    assert rule.name == "quiet" and -61 < rule.impossible_above < -59
    other = [heard(2, 0.3), heard(3, 0.3)]
    decided, plain = decision.judged(settings, CLASSES, other), decision.undecided(other)
    assert plain.false_per_min > 100 > 1 >= decided.false_per_min
    assert decided.delay_s(0.9) <= 4
    assert decided.accuracy > 0.75


def test_what_was_decided_is_numbered_as_the_classes():
    scene = heard(0, 0.0)
    programs = decision.decided(Settings(0.01, dwell_s=0.0), CLASSES, scene)
    np.testing.assert_array_equal(programs, scene.truth)
    never = decision.decided(Settings(1e9), CLASSES, scene)
    assert set(never) == {-1}


def test_a_quick_run_goes_from_top_to_bottom(monkeypatch, tmp_path, capsys):
    exported = {}

    def export(out, about, model, *, step, judge, **given):
        exported.update(out=out, about=about, model=model, step=step, **given)
        return {"metrics": {"made up": {"accuracy": {"value": 1.0}}}}

    def report_of(*given):
        from zoo.report import Report

        return Report("made up").section("nothing")

    monkeypatch.setattr("zoo.export.write", export)
    monkeypatch.setattr("recipes.hearing_aid.scores.report_of", report_of)
    exported_to = ["--out", str(tmp_path / "m"), "--reports", str(tmp_path / "r")]
    assert hearing_aid.main(["--quick", *exported_to]) == 0
    about = exported["about"]
    assert about.settings["classes"] == list(sounds.CLASSES)
    assert Settings.from_dict(about.settings["decision"]).enter in decision.ENTER
    assert exported["step"].input["waveform"].shape == (None, 256)
    assert exported["examples"].shape[1] % 256 == 0
    assert any("no medical device" in line for line in about.limits)
    assert (tmp_path / "r" / "m" / "report.html").exists()
