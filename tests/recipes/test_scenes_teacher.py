"""Scenes with a teacher: what it hears, what it says of whom, what is left of it."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from recipes.scenes import __main__ as command_line
from recipes.scenes import copies, distillation, experiment, teacher
from recipes.scenes.data import SceneData
from recipes.scenes.distillation import DistillingTrainer, Strength
from recipes.scenes.settings import Settings
from tests.small_models import small_sound_model
from zoo.crossvalidation import predict
from zoo.data.cache import ClipStore
from zoo.data.clips import Clips
from zoo.data.corpora.licences import licence_of
from zoo.data.folds import Fold
from zoo.data.speed import rows_of_all_copies
from zoo.data.synthesis.collection import scene_clips

RATE_HZ = 8000


@pytest.fixture(scope="module")
def clips() -> Clips:
    return scene_clips(
        sites=4, seed=0, scenes=("rain", "speech"), duration_s=0.5, sample_rate_hz=RATE_HZ
    )


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return small_sound_model("small", 2, sample_rate_hz=RATE_HZ, duration_s=0.5)


def halves(count: int) -> list[Fold]:
    first = np.arange(count) < count // 2
    return [Fold("fold 1", train=~first, test=first), Fold("fold 2", train=first, test=~first)]


@pytest.fixture(scope="module")
def features(clips, model) -> Clips:
    parts = halves(len(clips))
    plain = copies.compute_features(clips, model, 0.5, ("speeds",), parts=parts)
    return copies.join_mixtures(plain, copies.compute_mixtures(clips, model, 0.5, parts=parts))


@pytest.fixture(scope="module")
def embeddings(features) -> np.ndarray:
    rng = np.random.default_rng(0)
    direction = 3 * np.eye(2, 12)[features.labels]
    return (direction + rng.normal(size=(len(features), 12))).astype(np.float32)


def fake_teacher(monkeypatch, tmp_path) -> teacher.AveragedTeacher:
    """A teacher of one second at 32 kHz whose embedding is the waveform that reaches it."""
    waveform = keras.Input((16_000,))
    heard = keras.Model(waveform, {"embedding": keras.layers.Identity()(waveform)})
    monkeypatch.setattr(teacher, "load_yamnet", lambda file, samples: heard)
    monkeypatch.setattr(teacher, "EMBEDDING", 16_000)
    file = tmp_path / "teacher.tflite"
    file.write_bytes(b"weights")
    return teacher.AveragedTeacher(file, 32_000, 32_000)


def test_the_teacher_hears_16_khz_at_one_level(monkeypatch, tmp_path):
    hears = fake_teacher(monkeypatch, tmp_path)
    time_s = np.arange(32_000) / 32_000
    tone = 0.01 * np.sin(2 * np.pi * 1000 * time_s)
    above = 0.01 * np.sin(2 * np.pi * 12_000 * time_s)  # which 16 kHz cannot hold
    heard = hears(tf.constant(np.stack([tone, tone + above]), tf.float32)).numpy()
    # -14 dB over its loudest moments: an amplitude of sqrt(2) 10^(-14 / 20)
    expected = np.sqrt(2) * 10 ** (-14 / 20) * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    np.testing.assert_allclose(heard, [expected, expected], atol=2e-4)


def test_embeddings_are_kept_for_the_next_run(monkeypatch, tmp_path, clips):
    hears = fake_teacher(monkeypatch, tmp_path)
    runs = []

    def compute(front):
        runs.append(front)
        return clips.with_features(lambda x: x[:, :3])

    first = teacher.compute_embeddings(hears, compute, tmp_path / "run" / "clips")
    again = teacher.compute_embeddings(hears, compute, tmp_path / "run" / "clips")
    assert runs == [hears] and first.shape == (len(clips), 3)
    np.testing.assert_array_equal(first, again)
    teacher.compute_embeddings(hears, compute, tmp_path / "run" / "others")
    assert len(runs) == 2


def test_mixtures_stay_inside_the_test_part_of_a_fold(clips):
    """Clips of one half are a tone, of the other another one: no mixture holds both."""
    time_s = np.arange(RATE_HZ // 2) / RATE_HZ
    first = np.arange(len(clips)) < len(clips) // 2
    tones = [np.sin(2 * np.pi * (500 if k else 2000) * time_s) for k in first]
    source = copies.JoinedSource(
        [replace(clips, source=np_source(tones), rows=np.arange(len(clips)))]
    )
    silent = replace(clips, source=source, rows=np.arange(len(clips)))

    def share_below_1_khz(x: tf.Tensor) -> tf.Tensor:
        power = tf.abs(tf.signal.rfft(x)) ** 2
        return tf.reduce_sum(power[:, :500], axis=1, keepdims=True) / tf.reduce_sum(
            power, axis=1, keepdims=True
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copies, "noise_augmentation", lambda rate_hz: None)
        mixed = copies.compute_mixtures(silent, share_below_1_khz, 0.5, parts=halves(len(clips)))
    shares = np.array([mixed.source[row][0] for row in mixed.rows])
    expected = np.tile(first, copies.MIXTURES)
    np.testing.assert_allclose(shares, expected, atol=1e-3)


def np_source(waveforms):
    """A source of waveforms of one length."""
    data = np.concatenate(waveforms).astype(np.float32)
    return ClipStore(data, np.full(len(waveforms), len(waveforms[0])))


def test_a_fold_hears_nothing_of_what_its_test_clips_are_like(features, embeddings, clips):
    train = np.flatnonzero(halves(len(clips))[0].train)
    rows = rows_of_all_copies(features.index, train)
    assert len(rows) == len(train) * (1 + copies.NOISY_COPIES + copies.MIXTURES)
    spoiled = np.full_like(embeddings, np.nan)
    spoiled[rows] = embeddings[rows]
    whole, part = (
        DistillingTrainer(each).make_targets(features, rows) for each in (embeddings, spoiled)
    )
    for name in ("labels", "probabilities", "embeddings"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(part, name))


def test_labels_count_for_clips_and_the_teacher_alone_for_mixtures_and_other_sound(
    features, embeddings
):
    rows = np.arange(len(features))
    other = np.stack([3 * np.eye(12)[0], 3 * np.eye(12)[1]]).astype(np.float32)
    trainer = DistillingTrainer(embeddings, features[np.arange(2)], other, Strength(share=0.25))
    targets = trainer.make_targets(features, rows)
    mixed = features.index["mixed"].to_numpy(bool)
    count = len(features)
    p = targets.probabilities
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
    own = p[np.flatnonzero(~mixed), features.labels[~mixed]]
    assert (own >= 0.75).all()  # three quarters of the label itself
    assert (p[:count][mixed].argmax(axis=1) == features.labels[mixed]).mean() > 0.8
    assert p[count:].argmax(axis=1).tolist() == [0, 1]
    # clips of a class may be mixed with each other; mixtures and other sound have no class
    assert set(targets.labels[:count][~mixed]) == {0, 1}
    alone = np.concatenate([targets.labels[:count][mixed], targets.labels[count:]])
    assert len(set(alone)) == len(alone) and alone.min() >= 2


def test_the_loss_is_that_of_its_formula():
    s, t = np.array([[3.0, 0.0]], np.float32), np.array([[0.0, 2.0]], np.float32)
    # orthogonal: 1 - cos = 1; mean square (9 + 4) / 2
    expected = 0.5 * (1 + 0.5 * 6.5)
    assert float(distillation.EmbeddingLoss(0.5)(t, s)) == pytest.approx(expected, rel=1e-6)


def test_a_network_learns_from_the_teacher_and_keeps_its_own_output(
    clips, model, features, embeddings
):
    train = np.flatnonzero(halves(len(clips))[0].train)
    test = np.flatnonzero(halves(len(clips))[0].test)
    training = experiment.training_settings(Settings(quick=True, epochs=3))
    training = replace(training, checkpoints=None)
    trainer = DistillingTrainer(embeddings, features[np.arange(4)], embeddings[:4])
    network, history = trainer(model, features, train, test, training, "fold 1")
    assert list(network.output) == list(model.output) == ["probabilities"]
    assert not any(distillation.TEACHER in layer.name for layer in model.layers)
    p = predict(network, features, test)
    labels = np.eye(2)[p.labels] * 0.9 + 0.05
    entropy = float(-(labels * np.log(p.probabilities)).sum(axis=1).mean())
    assert history.val_loss[-1] == pytest.approx(entropy, rel=1e-3)  # without the teacher's part
    assert len(history.loss) == 3 and history.loss[-1] < history.loss[0]
    assert trainer.__name__ != replace(trainer, strength=Strength(share=0.1)).__name__


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--teacher-sound", "."], "--teacher-sound needs --teacher"),
        (["--teacher", "README.md", "--mixup", "0.2"], "leave out --frozen and --mixup"),
    ],
)
def test_options_that_do_not_go_together_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        command_line.main(given)


def test_the_card_names_the_teacher_and_what_it_heard(clips):
    data = SceneData(clips, "ESC-10", 5.0, licence_of("ESC-10"), ())
    alone = distillation.add_terms(data, ())
    assert alone.licence == data.licence
    (limit,) = alone.limits
    assert "YAMNet (Plakal and Ellis 2019, Apache-2.0)" in limit and "without labels" not in limit
    urban = distillation.add_terms(data, ("UrbanSound8K",))
    assert urban.licence.weights == "LicenseRef-non-commercial"
    assert "without labels of UrbanSound8K" in urban.limits[0]
