"""Networks on the measured data sets of the board, fold by fold, under one budget."""

import dataclasses
import time

import keras
import numpy as np

from recipes.materials.board_scores import BY, FoldScores, LawResult, with_covariates_of
from recipes.materials.measured_sets import MeasuredSet, counted
from zoo import presets
from zoo.data.split import Split
from zoo.progress import say
from zoo.recurrent import predictor
from zoo.stress.fitting import fit_model
from zoo.training import Budget

UNITS = 16
EPOCHS = 20  # a twentieth of the steps each; the best on validation is kept
VALIDATION = 5  # every fifth learnt path chooses the weights, and is not trained on


def fit_network(data_set: MeasuredSet, name: str, steps: int, seed: int = 0) -> LawResult:
    """Train a recurrent network on every fold of a data set.

    Each path counts alike: samples are weighted by one over the mean square of their path's
    response. Of the learnt paths every fifth, or where there are fewer than five the last, chooses
    the weights.

    Args:
        data_set: tests and folds.
        name: one of `zoo.presets.RECURRENT`, or that with `BY`.
        steps: batches of each fold.
        seed: of weights and batches.
    """
    begin, data_set = time.perf_counter(), with_covariates_of(data_set, name)
    preset = presets.recurrent(name.removesuffix(BY), layers=1, units=UNITS)
    parameters = 0

    def fit_fold(learn: tuple[int, ...]) -> np.ndarray:
        nonlocal parameters
        paths = relative(data_set.data).select(learn)
        chosen = np.arange(len(learn)) % VALIDATION == VALIDATION - 1
        if len(learn) == 1:  # nothing else to choose by
            train = validation = paths
        else:
            chosen[-1] |= not chosen.any()
            train, validation = paths.select(~chosen), paths.select(chosen)
        keras.utils.set_random_seed(seed)
        model = preset.build(train.x, train.y, train.weight)
        parameters = model.count_params()
        budget = Budget(EPOCHS, max(1, steps // EPOCHS), preset.learning_rate)
        history = fit_model(model, train, validation, budget, seed=seed, compiled=preset.compiled)
        history.require_whole(name, preset.learning_rate)
        return np.asarray(predictor(model)(data_set.data.x))[..., 0]

    scores = FoldScores(data_set)
    for fold in data_set.folds:
        scores.add(fold, fit_fold(fold.learn))
        say(f"{fold.name}: done")
    return scores.result(name, parameters, time.perf_counter() - begin, starts=1)


def relative(data: Split) -> Split:
    """The same paths with weights by which each counts alike, whatever its size.

    Args:
        data: measured paths.
    """
    weight = np.zeros(data.x.shape[:2], np.float32)
    squares = []
    for path in range(len(data.x)):
        keep = counted(data, path)
        squares.append(float(np.mean(np.square(data.y[path, keep], dtype=np.float64))) or 1.0)
        weight[path, keep] = 1.0
    typical = float(np.exp(np.mean(np.log(squares))))
    return dataclasses.replace(
        data, weight=weight * (typical / np.array(squares, np.float32))[:, None]
    )
