"""Section "Misclassified clips" of a report page: their files, classes and sound."""

from pathlib import Path

import numpy as np

from zoo.crossvalidation.predictions import Predictions
from zoo.data.clips import Clips
from zoo.data.corpora.index import display_name
from zoo.data.cutting import cut
from zoo.data.page_sound import wav_content
from zoo.report import Column, Report, Sound, Table

MAX_LISTED, MAX_HEARD = 20, 8


def add_mistakes(
    report: Report,
    clips: Clips,
    predictions: Predictions,
    decisions: np.ndarray | None = None,
    *,
    duration_s: float,
    heading: str = "Misclassified clips",
) -> None:
    """Add a table of the misclassified clips, the surest mistakes first, and players of some.

    Args:
        report: to add to.
        clips: waveforms of all clips.
        predictions: of the test parts of all folds.
        decisions: (test clips,) class that each was decided to be; None: the likeliest.
        duration_s: that the model hears of a clip [s].
        heading: of the section.

    Raises:
        ValueError: features instead of waveforms.
    """
    p = predictions.probabilities
    decided: np.ndarray = p.argmax(axis=1) if decisions is None else np.asarray(decisions)
    wrong = np.flatnonzero(decided != predictions.labels)
    order = wrong[np.argsort(-p[wrong, decided[wrong]], kind="stable")]
    report.section(
        heading,
        f"{len(wrong)} of {len(p)} test clips are misclassified. The surest mistakes come first; "
        "probabilities are those of the predicted class.",
    )
    if not len(wrong):
        return
    report.table(
        Table(
            ("clip", "true class", "predicted class", Column("probability", number=".2f")),
            [
                (
                    clip_name(clips, int(predictions.rows[k])),
                    clips.classes[predictions.labels[k]],
                    clips.classes[decided[k]],
                    p[k, decided[k]],
                )
                for k in order[:MAX_LISTED]
            ],
            f"The first {MAX_LISTED}." if len(order) > MAX_LISTED else "",
        )
    )
    report.text("As the model hears them, at the same peak level:")
    report.sounds(
        [
            _sound(clips, int(predictions.rows[k]), duration_s, (predictions.labels[k], decided[k]))
            for k in order[:MAX_HEARD]
        ]
    )


def clip_name(clips: Clips, row: int) -> str:
    """File of a clip, with its group, and the seconds where it is a part of its recording."""
    entry = clips.index.iloc[row]
    name = display_name(Path(str(entry["path"])).name)
    group = entry.get("group")
    if isinstance(group, str) and group not in name and group != str(entry["path"]):
        name = f"{name} of {group}"
    start_s = entry.get("start_s", np.nan)
    if np.isnan(start_s):
        return name
    return f"{name}, {start_s:.2f} to {entry['end_s']:.2f} s"


def _sound(
    clips: Clips, row: int, duration_s: float, labels: tuple[np.integer, np.integer]
) -> Sound:
    """A clip as the model hears it; `labels`: true and predicted class."""
    if clips.sample_rate_hz is None:
        raise ValueError("Expected waveforms. Received: clips without a sample rate.")
    length = round(duration_s * clips.sample_rate_hz)
    true, predicted = (clips.classes[int(label)] for label in labels)
    return Sound(
        f"{clip_name(clips, row)}: {true}, taken for {predicted}",
        wav_content(cut(clips.source[clips.rows[row]], length), clips.sample_rate_hz),
    )
