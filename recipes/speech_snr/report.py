"""Report page of a run: errors, estimate against truth, an example over time, training."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recipes.speech_snr.evaluation import Evaluation
from recipes.speech_snr.mixtures import MixtureSettings
from recipes.speech_snr.settings import TIME_CONSTANT_S, Settings
from zoo.data.bank import RATE_HZ
from zoo.data.page_sound import wav_content
from zoo.plots import learning_curves
from zoo.plots.regression import Estimated, estimate_against_truth, estimates_over_time
from zoo.report import QUICK_NOTICE, Report, Sound, Table
from zoo.training import History

LABELS = ("signal-to-noise ratio [dB]", "level [dB(A)]")


def build_report(
    settings: Settings,
    evaluations: tuple[Evaluation, Evaluation],
    metrics: Mapping[str, Mapping[str, Mapping[str, Any]]],
    table: Table,
    history: History,
) -> Report:
    """Build the page.

    Args:
        settings: of the run.
        evaluations: on changing and on steady mixtures.
        metrics: of the manifest.
        table: errors by kind of noise.
        history: of training.
    """
    changing, _ = evaluations
    report = Report(
        f"Signal-to-noise ratio of speech: {settings.name}",
        "A regression of spectrograms that runs hop by hop, on voices and noises that it was not "
        "trained on.",
        provenance={"command": settings.command},
        notices=[QUICK_NOTICE] if settings.quick else [],
    )
    rows = [
        [
            split,
            name,
            entry["value"],
            entry["low"],
            entry["high"],
            entry["baseline"],
            entry["baseline_name"],
        ]
        for split, each in metrics.items()
        for name, entry in each.items()
    ]
    columns = ["mixtures", "metric", "network", "low", "high", "baseline", "what it is"]
    report.section("Errors").table(
        Table(columns, rows, caption="Means over mixtures, with 95 % bootstrap intervals.")
    )
    report.table(table)
    counted = changing.counted
    estimated = [
        Estimated(label, changing.truth[..., k][counted], changing.estimates[..., k][counted])
        for k, label in enumerate(LABELS)
    ]
    report.figure(
        estimate_against_truth(estimated),
        name="estimates",
        caption=f"Estimates of single hops from {TIME_CONSTANT_S:g} s on, against the truth.",
        alt="Median and range of the estimates lie along the diagonal.",
    )
    example = changing.mixtures[0]
    time_s = (1 + np.arange(len(example.snr_db))) * MixtureSettings().hop / RATE_HZ
    over_time = [
        Estimated(label, changing.truth[0, :, k], changing.estimates[0, :, k])
        for k, label in enumerate(LABELS)
    ]
    report.section("Example", f"Speech in {example.noise}.").figure(
        estimates_over_time(time_s, over_time),
        name="example",
        caption="The first of the mixtures in which the noise changes.",
        alt="Truth and estimate of the ratio and of the level over time.",
    )
    wav = wav_content(example.samples, RATE_HZ)
    report.sounds([Sound("The mixture of the figure, at a common peak level", wav)])
    losses = {"loss": history.loss, "val_loss": history.val_loss}
    report.section("Training").figure(
        learning_curves(losses, loss_label="Huber loss of scaled targets [-]"),
        name="learning",
        caption=f"Training ended {history.ended}.",
        alt="Training and validation loss over epochs.",
    )
    return report
