"""Switching metrics of either half of the held-out sources by the decision fitted to the other."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recipes.hearing_aid.decision import (
    HopPredictions,
    decide_programs,
    fit_decision,
    predict_sequences,
)
from recipes.hearing_aid.evaluation import make_predictor
from recipes.hearing_aid.final_weights import check_test_unheard
from recipes.hearing_aid.halves.settings import Settings
from recipes.hearing_aid.pools import SequenceSettings, draw_sequences
from recipes.hearing_aid.scene_pools import bank_pools
from zoo.convnets import front_end_of, streaming_model
from zoo.data.bank import Bank, read_bank
from zoo.manifest import read_manifest
from zoo.metrics.switching import (
    SETTLE_S,
    pool_metrics,
    scene_errors,
    settled_recalls,
    switching_metrics,
)
from zoo.models import load
from zoo.progress import say
from zoo.report import Column, Table

SEQUENCES, SCENES = 24, 10  # to measure on, of each half; scenes of each
FITTED = 2  # sequences to fit to, for each one to measure on


def predictions_of_halves(
    folder: Path, bank: Bank, *, seed: int, clips: int, sequences: int = FITTED * SEQUENCES
) -> tuple[tuple[str, ...], list[list[HopPredictions]]]:
    """Classes of a model, and its predictions on sequences of either half of the held-out sources.

    Args:
        folder: of the model.
        bank: sound bank.
        seed: of the scenes.
        clips: of each class.
        sequences: of each half.

    Raises:
        ValueError: a folder without a model, weights that learnt from the test sources, a bank
            without a source.
    """
    check_test_unheard(read_manifest(folder), str(folder))
    model = load(folder).keras
    front_end = front_end_of(model)
    pools = bank_pools(bank, seed=seed, clips=clips)
    settings = SequenceSettings(
        sequences, SCENES, front_end.hop, round(front_end.sample_rate_hz), seed
    )
    predict = make_predictor(model, streaming_model(model))
    halves = [
        predict_sequences(draw_sequences(part, settings, name), predict)
        for name, part in (("validation", pools.validation), ("test", pools.recorded))
    ]
    return pools.classes, halves


def halves_table(classes: Sequence[str], halves: Sequence[Sequence[HopPredictions]]) -> Table:
    """Switching metrics of each half with the decision fitted to the other, and of both.

    Args:
        classes: names.
        halves: predictions on two sets of sequences, of different sources; all are fitted to, the
            first `SEQUENCES` of each measured on.
    """
    decisions = [fit_decision(classes, each, say, refine=False) for each in halves]
    halves = [each[:SEQUENCES] for each in halves]
    programs = [
        [decide_programs(decision, classes, each) for each in measured]
        for decision, measured in zip(decisions, halves[::-1], strict=True)
    ]
    parts = {"second half": (halves[1], programs[0]), "first half": (halves[0], programs[1])}
    parts["both"] = [*halves[1], *halves[0]], [*programs[0], *programs[1]]
    rows = [_row(name, classes, *part) for name, part in parts.items()]
    names = [Column(name.replace("_", " "), number=".2f") for name in ("balanced", *classes)]
    columns = [
        Column("likeliest class", number=".2f"),
        Column("false a minute", number=".2f"),
        Column("never found", number=".3f"),
        Column("median delay [s]", number=".2f"),
        Column("nine in ten [s]", number=".2f"),
        Column("wrong with known boundaries", number=".3f"),
    ]
    return Table(
        ("measured on", *names, *columns),
        rows,
        "From 2 s after each change on, the decision fitted to the other half; delays from the "
        "change on. Last: scenes whose mean probabilities from 2 s on are highest for another "
        "class, which a decision can hardly mend.",
    )


def _row(
    name: str,
    classes: Sequence[str],
    predictions: Sequence[HopPredictions],
    programs: Sequence[np.ndarray],
) -> tuple:
    hop_s, truths = predictions[0].hop_s, [each.truth for each in predictions]

    def recalls(decided: Sequence[np.ndarray]) -> np.ndarray:
        return settled_recalls(list(zip(truths, decided, strict=True)), len(classes), hop_s)

    of_class = recalls(programs)
    likeliest = recalls([each.probabilities.argmax(axis=1) for each in predictions])
    pairs = zip(truths, programs, strict=True)
    metrics = pool_metrics([switching_metrics(truth, each, hop_s) for truth, each in pairs])
    delays = [metrics.delay_s(share) for share in (0.5, 0.9)]
    skip = round(SETTLE_S / hop_s)
    wrong = [scene_errors(each.truth, each.probabilities, skip) for each in predictions]
    return (
        name,
        float(np.nanmean(of_class)),
        *of_class.tolist(),
        float(np.nanmean(likeliest)),
        metrics.false_per_min,
        metrics.missed_share,
        *[each if np.isfinite(each) else None for each in delays],
        float(np.mean(np.concatenate(wrong))),
    )


def run(settings: Settings) -> None:
    """Measure and print.

    Raises:
        ValueError: a folder without a model, a bank without a source.
        OSError: no bank there.
    """
    bank = Bank.join([read_bank(folder) for folder in settings.bank])
    predictions = predictions_of_halves(
        settings.model, bank, seed=settings.seed, clips=settings.clips
    )
    print(halves_table(*predictions).text())
