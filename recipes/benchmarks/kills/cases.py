"""What is killed: the resumable part of each recipe, small enough to be run many times.

Each function runs to the end in a folder, from wherever an earlier run in it was stopped, and
returns text that must be the same whether it was stopped or not.
"""

import functools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from recipes.materials.leaderboard import run_trial, trial_experiment
from recipes.materials.settings import LeaderboardSettings
from zoo import crossvalidation, presets
from zoo.checkpoints import hash_arrays
from zoo.convnets import split_model
from zoo.crossvalidation import AugmentationSettings, TrainingSettings
from zoo.data import hysteresis
from zoo.data.clips import Clips
from zoo.data.folds import make_folds
from zoo.data.synthesis.collection import scene_clips
from zoo.files import write_text
from zoo.identification.measured import fit_csv, identification_entry
from zoo.identification.settings import IdentificationSettings
from zoo.leaderboard import Trial, trial_file
from zoo.stress.experiment import Experiment
from zoo.stress.fitting import fit_model
from zoo.training import Budget

EPOCHS = 4
CLIP_S, RATE_HZ = 0.5, 8_000
BOARD = LeaderboardSettings(models=("rnn",), seeds=1, epochs=EPOCHS, steps_per_epoch=6, quick=True)


def train_hysteresis(folder: Path) -> str:
    """An LSTM as `recipes.hysteresis` trains it, with its checkpoint."""
    train, validation = (hysteresis.split("walk", paths=16, seed=seed) for seed in (1, 2))
    keras.utils.set_random_seed(0)
    model = presets.recurrent("lstm", 1, 4).build(train.x, train.y, None)
    history = fit_model(
        model,
        train,
        validation,
        Budget(epochs=EPOCHS, steps_per_epoch=10),
        seed=0,
        checkpoint=folder / "run.npz",
    )
    return f"{hash_arrays(*model.get_weights())} {history.loss} {history.ended}"


@functools.cache
def board_experiment() -> Experiment:
    """Paths of the trial: made once, since they take twice the time of the training."""
    return trial_experiment(BOARD, 0)


def run_board_trial(folder: Path) -> str:
    """A trial of the leaderboard: its file but for the time it took."""
    settings = replace(BOARD, out=folder)
    path = trial_file(settings.trials, Trial("rnn", 0))
    if not path.exists():  # as run_trials does
        run_trial(settings, "rnn", 0, board_experiment())
    return json.dumps({**json.loads(path.read_text()), "seconds": 0})


def cross_validate_scenes(folder: Path) -> str:
    """Two folds of a scene classifier, each with its checkpoint."""
    scenes = ("rain", "speech")
    clips = scene_clips(sites=4, seed=0, scenes=scenes, duration_s=CLIP_S, sample_rate_hz=RATE_HZ)

    def build() -> keras.Model:
        keras.utils.set_random_seed(0)
        return presets.sound(
            "residual_tiny", len(clips.classes), sample_rate_hz=RATE_HZ, duration_s=CLIP_S
        )

    return _cross_validate(build, clips, _training(folder))


def cross_validate_wheeze(folder: Path) -> str:
    """Two folds of the wheeze detector, each with its checkpoint."""
    scenes = ("rain", "speech")  # as many samples as a second of breath at 4 kHz
    clips = scene_clips(sites=4, seed=1, scenes=scenes, duration_s=0.5, sample_rate_hz=8000)

    def build() -> keras.Model:
        keras.utils.set_random_seed(0)
        return presets.wheeze(duration_s=1.0, detector="lines")

    training = _training(folder, AugmentationSettings(time_shift=False, equaliser_db=0.0))
    return _cross_validate(build, clips, training)


def _training(folder: Path, augmentation: AugmentationSettings | None = None) -> TrainingSettings:
    return TrainingSettings(
        epochs=EPOCHS,
        steps_per_epoch=3,
        augmentation=augmentation or AugmentationSettings(),
        checkpoints=folder / "checkpoints",
    )


def _cross_validate(
    build: Callable[[], keras.Model], clips: Clips, training: TrainingSettings
) -> str:
    features = clips.with_features(split_model(build())[0])
    folds = make_folds(clips.index, count=2)
    results = crossvalidation.cross_validate(build, features, folds, training)
    return " ".join(
        f"{hash_arrays(result.test.probabilities)} {result.history.loss}" for result in results
    )


def identify(folder: Path) -> str:
    """Constants of a law from a measured test, which has no checkpoint, and their table."""
    steps = np.arange(1, 40)
    strain = 0.5 * np.sin(0.3 * steps)
    stress = 2 * strain + 0.3 * np.cos(0.3 * steps)
    rows = [f"{0.1 * n:.6g},{a:.6g},{b:.6g}" for n, a, b in zip(steps, strain, stress, strict=True)]
    test = folder / "test.csv"
    write_text(test, "\n".join(["time_s,strain,stress_mpa", *rows]))
    settings = IdentificationSettings(
        csv=(test,), law="relaxation", starts=2, out=folder / "result", command=""
    )
    entry = identification_entry(fit_csv(settings).result)
    return json.dumps(entry, sort_keys=True, default=str)


RUN: dict[str, Callable[[Path], str]] = {
    "hysteresis": train_hysteresis,
    "leaderboard": run_board_trial,
    "scenes": cross_validate_scenes,
    "wheeze": cross_validate_wheeze,
    "identify": identify,
}
# What a case needs and does not resume, with NumPy alone: made before the first fork.
PREPARE: dict[str, Callable[[], object]] = {"leaderboard": board_experiment}
