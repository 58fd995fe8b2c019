"""What card and report say of a classifier of one's own sounds."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.convnets.unknown_class import UNKNOWN
from zoo.metrics.familiarity import KEPT
from zoo.progress import say
from zoo.report import Column, Report, Table
from zoo.teaching.fitting import Taught
from zoo.teaching.settings import TeachSettings
from zoo.teaching.unknown import PRIOR_CLIPS

STRANGERS = "unknown sounds, each class a stranger to the others"
_BASE = "Base: "


def manifest_metrics(taught: Taught) -> dict[str, Any]:
    """Accuracy of every head on clips of recordings left out; the chosen one first."""
    choice, trial = taught.choice, taught.trial
    chance = {"baseline": 1 / (len(taught.classes) - 1), "baseline_name": "chance"}
    entries: dict[str, Any] = {}
    if choice.accuracy:
        value = trial.tuned if trial and trial.is_better else choice.accuracy[choice.name]
        entries["accuracy"] = {"value": value, **chance}
    if choice.kept is not None:
        entries["earlier examples that keep their class"] = {"value": choice.kept}
        return {"recordings of the new classes left out": entries}
    for name, value in choice.accuracy.items():
        entries[f"accuracy, head {name}"] = {"value": value}
    if trial is not None:
        entries["accuracy, fine-tuned"] = {"value": trial.tuned}
        entries["accuracy, frozen, on the same parts"] = {"value": trial.frozen}
    metrics = {"recordings left out, the head chosen on them": entries} if entries else {}
    if taught.strangers is not None:
        trial = taught.strangers
        scores = {
            "strangers against members, AUROC": trial.auroc,
            "members that pass": trial.kept,
            "strangers that pass": trial.passed,
        }
        metrics[STRANGERS] = {
            name: {"value": value} for name, value in scores.items() if value is not None
        }
    return metrics


def limits_of(taught: Taught, of_base: dict[str, Any]) -> Sequence[str]:
    """Limits of the classifier, and those of the network of its base."""
    accuracy = (
        "Accuracy is that of cross-validation by recording over few clips, by which the head was "
        "chosen: it is optimistic."
    )
    strangers = (
        "Strangers were measured by the taught classes alone: other sounds may pass more often."
    )
    if taught.choice.kept is not None:  # the head and its threshold are those of earlier classes
        accuracy = (
            "Accuracy is that of cross-validation by recording over few clips of the added classes."
        )
        strangers = "How often strangers pass was not measured again after classes were added."
    if not taught.choice.accuracy:
        accuracy = (
            "Accuracy is not known: no class has two recordings, one to learn and one to ask."
        )
    return [accuracy, strangers, *_limits_of_base(of_base)]


def _limits_of_base(of_base: dict[str, Any]) -> Sequence[str]:
    """Limits of its network: not of its files, nor those of a head that was taught before."""
    limits = [str(each) for each in of_base.get("limits", ()) if ".tflite" not in str(each)]
    if "unknown" in of_base:
        return [each for each in limits if each.startswith(_BASE)]
    return [f"{_BASE}{each}" for each in limits]


def unknown_entry(taught: Taught) -> dict[str, Any]:
    """Entry `unknown` of the manifest."""
    return {
        "class": UNKNOWN,
        "score": "familiarity: cosine between the embedding and that of the nearest example",
        "threshold": taught.head.threshold,
        "calibration": _calibration(taught),
        "share_of_known_that_pass": KEPT,
        "examples": list(taught.examples),
    }


def _calibration(taught: Taught) -> str:
    if taught.choice.kept is not None:
        return "that of the earlier classes"
    count = int(np.isfinite(taught.choice.familiarity).sum())
    return (
        f"{KEPT:.0%} of known sounds pass: {count} clips, each compared with clips of other "
        f"recordings, beside a prior of ESC-10 that counts as {PRIOR_CLIPS}"
    )


def write_report(settings: TeachSettings, taught: Taught) -> None:
    """The page: classes, accuracy of the heads, fine-tuning, the threshold of the unknown."""
    choice, trial = taught.choice, taught.trial
    report = Report(
        settings.paths.name, taught.sentence(), provenance={"command": settings.command}
    )
    counts = ("class", Column("clips", number=",d"), Column("recordings", number=",d"))
    report.section("Classes").table(Table(counts, taught.counts, "What was learnt from."))
    if choice.accuracy:
        heads = Table(
            ("head", Column("accuracy", number=".1%")),
            [*choice.accuracy.items()],
            "On clips of recordings that the head was not fitted to, the mean over the classes.",
        )
        report.section("Heads").table(heads)
    if trial is not None:
        rows = [("frozen", trial.frozen), (f"last {trial.layers} layers trained", trial.tuned)]
        caption = f"On the same recordings left out; standard error of the gain {trial.error:.1%}."
        both = Table(("embedding", Column("accuracy", number=".1%")), rows, caption)
        report.section("Fine-tuning", taught.tuning).table(both)
    text = (
        f"A sound whose embedding has a cosine of less than {taught.head.threshold:.3f} to the "
        f"nearest example is {UNKNOWN!r}. Calibration: {_calibration(taught)}."
    )
    section = report.section("Unknown sounds", text)
    if taught.strangers is not None:
        caption = "Each class in turn as a stranger to the others."
        scores = manifest_metrics(taught)[STRANGERS]
        rows = [(name, entry["value"]) for name, entry in scores.items()]
        section.table(Table(("", Column("value", number=".3f")), rows, caption))
    say(f"report: {report.write(settings.paths.report)[-1]}")
