"""Scene classifiers on ESC-10 that start from distilled students: folds, then all clips.

The students have heard no clip of ESC-10; in each fold the teacher speaks of training clips only.
"""

import json
import time
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from recipes.embedding.settings import KINDS, SceneSettings
from recipes.embedding.students import build, copy_weights, load_weights, save_weights
from zoo.data.bank import Bank, read_bank, trim_silence
from zoo.distillation import Mixer, MixSettings, Projection, TimeBudget, no_input
from zoo.distillation.distiller import TEACHER_GAIN_DB
from zoo.files import write_text, writing
from zoo.progress import say
from zoo.teachers import load_yamnet

CLIP = 80_000  # samples of a clip, 5 s
LABEL_SMOOTHING = 0.1
BACKGROUND = 0.3


class SceneTrainer(keras.Model):
    """Trains a classifier on labels, and its hidden embedding on the teacher.

    Args:
        mixer: of the training clips.
        teacher: model, or None.
        network: model of `waveform` with the outputs `probabilities` and `embedding`.
        projection: of the teacher's embedding.
        labels: (rows of the mixer's table,) class index.
        settings: of training.
    """

    def __init__(
        self,
        mixer: Mixer,
        teacher: keras.Model | None,
        network: keras.Model,
        projection: Projection,
        labels: np.ndarray,
        settings: SceneSettings,
    ) -> None:
        super().__init__(name="scene_trainer")
        self.mixer, self.teacher, self.network, self.settings = mixer, teacher, network, settings
        self.mean = ops.convert_to_tensor(projection.mean)
        self.matrix = ops.convert_to_tensor(projection.matrix)
        classes = network.output["probabilities"].shape[-1]
        smooth = np.eye(classes)[labels] * (1 - LABEL_SMOOTHING) + LABEL_SMOOTHING / classes
        self.targets = ops.convert_to_tensor(smooth.astype(np.float32))
        self.built = True

    def call(self, x, training: bool = False):
        """Loss (1, 1) of a new batch; `x` does not matter."""
        loud, student_input, rows = self.mixer.draw(self.settings.batch)
        output = self.network(student_input, training=training)
        target = ops.take(self.targets, rows, axis=0)
        loss = -ops.mean(ops.sum(target * ops.log(output["probabilities"] + 1e-7), axis=-1))
        if self.teacher is not None:
            teacher = self.teacher(loud * 10 ** (TEACHER_GAIN_DB / 20), training=False)
            wanted = ops.normalize(ops.matmul(teacher["embedding"] - self.mean, self.matrix))
            cosine = ops.sum(ops.normalize(output["embedding"]) * wanted, axis=-1)
            loss = loss + self.settings.teacher_weight * ops.mean(1 - cosine)
        return ops.reshape(loss, (1, 1))

    def compute_loss(self, x=None, y=None, y_pred=None, *args, **kwargs):
        """The loss itself."""
        return ops.sum(y_pred)


def with_classes(student: keras.Model, classes: int) -> keras.Model:
    """The student with an output of classes beside its embedding; weights are shared."""
    pooled = student.get_layer("dropout").output
    probabilities = keras.layers.Dense(classes, "softmax", name="probabilities")(pooled)
    outputs = {"probabilities": probabilities, "embedding": student.output["embedding"]}
    return keras.Model(student.input, outputs)


def classifier(trained: keras.Model, network: str, classes: int) -> keras.Model:
    """The classifier of whole clips with the weights of a trained network."""
    model = build(network, classes, CLIP, task="multiclass", whole_clips=True, name=network)
    missing = copy_weights(trained, model)
    if missing:
        raise ValueError(f"Expected weights for every layer, got none for {', '.join(missing)}.")
    return model


def train(
    name: str, bank: Bank, chosen: np.ndarray, settings: SceneSettings, label: str
) -> keras.Model:
    """Fine-tune a distilled student on some clips of ESC-10.

    Args:
        name: of the student.
        bank: ESC-10, and other sound for backgrounds.
        chosen: (clips,) mask of the ESC-10 clips to train on; others of ESC-10 are not used.
        settings: of training.
        label: of the run.

    Returns:
        The classifier of whole clips.
    """
    network = settings.students[name]
    used = bank.choose(chosen)
    classes = sorted(set(bank.table.loc[bank.table["kind"] == "esc10", "label"]))
    mix = MixSettings(
        settings.samples,
        {"esc10": 1.0},
        max_speed=1.3,
        second=BACKGROUND,
        snr_db=(5.0, 25.0),
        texture=0.0,
        response_db=3.0,
    )
    mixer = Mixer(used, mix, seed=settings.seed)
    labels = np.array([classes.index(each) for each in mixer.table["label"]])
    with np.load(settings.out / "projection.npz") as stored:
        projection = Projection(stored["mean"], stored["matrix"], 0.0)
    width = projection.matrix.shape[1]
    student = build(network, width, settings.samples, name="student")
    load_weights(student, str(settings.out / f"{name}.npz"))
    model = with_classes(student, len(classes))
    teacher = load_yamnet(settings.teacher, settings.samples) if settings.teacher_weight else None
    trainer = SceneTrainer(mixer, teacher, model, projection, labels, settings)
    trainer.compile(
        keras.optimizers.AdamW(settings.learning_rate, weight_decay=0.02, global_clipnorm=1.0),
        jit_compile=False,
    )
    budget = TimeBudget(settings.seconds, settings.learning_rate, name=label)
    trainer.fit(
        no_input(),
        epochs=1_000_000,
        steps_per_epoch=settings.steps,
        callbacks=[budget],
        verbose=0,
        shuffle=False,
    )
    return classifier(model, network, len(classes))


def predict(model: keras.Model, bank: Bank, rows: Sequence[int]) -> np.ndarray:
    """Probabilities (clips, classes) of whole clips, repeated or cut to 5 s."""
    clips = np.stack([np.resize(bank.clip(row), CLIP) for row in rows])
    parts = [
        ops.convert_to_numpy(model(clips[k : k + 16], training=False)["probabilities"])
        for k in range(0, len(clips), 16)
    ]
    return np.concatenate(parts)


def run(settings: SceneSettings) -> None:
    """Cross-validate every student over ESC-10's folds, then train on all; write as it goes.

    Writes `scenes.json` (accuracy of each run), `scenes.npz` (predictions), and the weights of
    each classifier that is trained on all folds.

    Raises:
        OSError: no bank or teacher there.
    """
    started = time.monotonic()
    whole = Bank.join([read_bank(folder) for folder in settings.bank])
    bank = trim_silence(whole)
    is_scene = (bank.table["kind"] == "esc10").to_numpy()
    fold = bank.table["fold"].to_numpy()
    folds = sorted({int(each) for each in fold[is_scene]})
    classes = sorted(set(bank.table.loc[is_scene, "label"]))
    truth = np.array([classes.index(each) for each in bank.table["label"][is_scene]])
    jobs = [(name, each) for name in settings.students for each in [*folds, 0]]
    # classifiers of all folds first for the first student, so that there is one to ship
    jobs.sort(key=lambda job: (job[0] != next(iter(settings.students)), job[1] == 0))
    results, predictions, longest = {}, {}, settings.seconds + 5
    for name, held_out in jobs:
        if time.monotonic() - started + longest > settings.until:
            say(f"no time for {name}, fold {held_out}")
            continue
        begun = time.monotonic()
        chosen = is_scene & (fold != held_out)
        label = f"{name}-fold{held_out}" if held_out else f"{name}-all"
        keras.utils.set_random_seed(settings.seed)
        model = train(name, bank, chosen, settings, label)
        save_weights(model, str(settings.out / f"scenes-{label}.npz"))
        rows = np.flatnonzero(is_scene & (fold == held_out))
        if held_out:
            probabilities = predict(model, whole, rows.tolist())
            of_row = truth[np.searchsorted(np.flatnonzero(is_scene), rows)]
            results[label] = float((probabilities.argmax(axis=1) == of_row).mean())
            predictions[label] = probabilities
            predictions[f"{label}-truth"] = of_row
            say(f"{label}: {results[label]:.3f}")
        write_text(settings.out / "scenes.json", json.dumps(results))
        with writing(settings.out / "scenes-predictions.npz") as path:
            np.savez(path, **predictions)
        keras.backend.clear_session()
        longest = max(longest, time.monotonic() - begun)


__all__ = ["KINDS", "run", "train"]
