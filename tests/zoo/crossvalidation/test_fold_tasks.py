"""Folds as tasks: the results of folds one after the other, kept, and computed once."""

import pickle
from functools import partial

import keras
import numpy as np
import pytest

from tests.small_models import small_sound_model
from zoo import crossvalidation
from zoo.convnets import split_model
from zoo.crossvalidation import (
    Evaluators,
    FamiliarityEvaluator,
    Predictions,
    TrainingSettings,
    fold_tasks,
)
from zoo.data.folds import make_folds
from zoo.data.synthesis.collection import scene_clips
from zoo.export.precision import PrecisionResult
from zoo.tasks import Outcome, Task, Workers
from zoo.tasks.execution import resolve


def build(seed):
    keras.utils.set_random_seed(seed)
    return small_sound_model("small", 2, sample_rate_hz=8000, duration_s=0.5)


def evaluate_files(model, train, test):
    return {"float32": PrecisionResult(np.full((len(test), 2), 0.5), 123, 0.25)}


def evaluate_robustness(model, test):
    return {"softer": Predictions(np.zeros(len(test), int), np.full((len(test), 2), 0.5), test)}


@pytest.fixture
def ran(monkeypatch):
    """Tasks run here, as TensorFlow takes seconds to start elsewhere; names of those that ran."""
    names = []

    def run_tasks(tasks, workers, *, common, is_done):
        for task in tasks:
            if not is_done(task):
                names.append(task.name)
                sent = pickle.loads(pickle.dumps({**common, **task.arguments}))
                resolve(task.function)(**sent)
        return [Outcome(task) for task in tasks]

    monkeypatch.setattr(fold_tasks, "run_tasks", run_tasks)
    return names


def test_folds_as_tasks_give_the_results_of_folds_in_turn_and_are_computed_once(tmp_path, ran):
    clips = scene_clips(
        sites=4, seed=0, scenes=("rain", "speech"), duration_s=0.5, sample_rate_hz=8000
    )
    features = clips.with_features(split_model(build(0))[0])
    folds = make_folds(clips.index, count=2)
    settings = TrainingSettings(epochs=1, steps_per_epoch=2, checkpoints=tmp_path)
    familiarity = FamiliarityEvaluator(features, strangers=features[np.arange(2)])
    evaluators = Evaluators(evaluate_files, evaluate_robustness, familiarity)
    arguments = (partial(build, 0), features, folds, settings, evaluators)
    serial = crossvalidation.cross_validate(*arguments)
    for path in tmp_path.iterdir():
        path.unlink()
    first = crossvalidation.cross_validate(*arguments, workers=Workers(2))
    again = crossvalidation.cross_validate(*arguments, workers=Workers(1))
    for results in (first, again):
        for one, other in zip(serial, results, strict=True):
            assert one.name == other.name
            assert one.history.loss == other.history.loss
            for part in ("test", "baseline", "validation"):
                for field in ("labels", "probabilities", "rows"):
                    np.testing.assert_array_equal(
                        *(getattr(getattr(each, part), field) for each in (one, other))
                    )
            assert other.files["float32"].bytes == 123
            assert one.familiarity is not None and other.familiarity is not None
            for field in ("members", "strangers", "confidence"):
                np.testing.assert_array_equal(
                    *(getattr(each.familiarity, field) for each in (one, other))
                )
            assert np.shape(other.familiarity.strangers) == (2,)
            assert other.robustness["softer"].rows.tolist() == one.test.rows.tolist()
    assert ran == [fold.name for fold in folds]
    damaged = next(tmp_path.glob("fold-1-*.fold.npz"))
    damaged.write_bytes(damaged.read_bytes()[:-1])
    key = damaged.name.split("-")[-1].removesuffix(".fold.npz")
    assert not fold_tasks._is_whole(Task("fold 1", "", {}, damaged), key)
    other_seed = TrainingSettings(1, 2, seed=1)
    keys = {
        fold_tasks.experiment_key(partial(build, 0), features, *facts)
        for facts in ((settings,), (other_seed,), (settings, folds[0].test.tolist()))
    }
    assert len(keys) == 3


def test_what_cannot_be_sent_is_refused_in_one_line(tmp_path):
    with pytest.raises(ValueError, match="cannot be sent to another process"):
        fold_tasks.run_folds("m:f", ["fold 1"], {"build": lambda: None}, "", tmp_path, Workers())
