"""What manifest, card and page say of the class "unknown": threshold, AUROC, false acceptance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.convnets.unknown_class import UNKNOWN
from zoo.crossvalidation.unknown import Familiarity
from zoo.metrics.familiarity import KEPT, StrangerScores, score_strangers, threshold_of
from zoo.report import Column, Report, Table

METRICS = "cross-validation, unknown sounds"
CONFIDENCE = "highest probability"  # score to compare with


@dataclass(frozen=True)
class Unknown:
    """What is known of the unknown.

    Attributes:
        threshold: familiarity below which a sound is unknown.
        familiarity: how well it tells strangers from members, over the folds.
        confidence: likewise the highest probability; None: no strangers.
        members: clips that the threshold comes from.
        strangers: number of strangers.
        titles: corpora that these are from.
    """

    threshold: float
    familiarity: StrangerScores
    confidence: StrangerScores | None
    members: int
    strangers: int
    titles: tuple[str, ...]

    def metrics(self) -> dict[str, dict[str, Any]]:
        """Entries of the manifest: share of members that pass, AUROC, false acceptance."""
        scores, plain = self.familiarity, self.confidence
        entries: dict[str, dict[str, Any]] = {"members that pass": {"value": scores.kept}}
        if plain is not None:
            for name, value, baseline in (
                ("AUROC, strangers against members", scores.auroc, plain.auroc),
                ("false acceptance, strangers that pass", scores.passed, plain.passed),
            ):
                entries[name] = {"value": value, "baseline": baseline, "baseline_name": CONFIDENCE}
        return {METRICS: entries}

    def entry(self) -> dict[str, Any]:
        """Entry `unknown` of the manifest."""
        return {
            "class": UNKNOWN,
            "score": "familiarity: cosine between what the last layer sees and the nearest mean of "
            "a class",
            "threshold": self.threshold,
            "calibration": f"{KEPT:.0%} of {self.members} test clips pass, each compared with the "
            "training clips of its fold",
            "share_of_known_that_pass": KEPT,
        }

    def limit(self) -> str:
        """What the card says."""
        scores = self.familiarity
        if scores.passed is None:
            return f"How often a sound of no class is taken for one was not measured ({UNKNOWN!r})."
        return (
            f"{scores.passed:.0%} of {self.strangers} sounds of no class "
            f"({', '.join(self.titles)}) were not said to be {UNKNOWN!r}; of held-out members "
            f"{scores.kept:.0%}."
        )

    def add_to(self, report: Report) -> None:
        """Add a section to the report page."""
        rows = [
            (name, each["value"], each.get("baseline"))
            for name, each in self.metrics()[METRICS].items()
        ]
        report.section(
            "Unknown sounds",
            f"A sound is {UNKNOWN!r} where its familiarity is below {self.threshold:.3f}: the "
            "cosine between what the last layer sees of it and the nearest mean of a class. "
            f"{self.limit()}",
        ).table(
            Table(
                [Column(""), Column("familiarity", number=".3f"), Column(CONFIDENCE, number=".3f")],
                rows,
                f"Each fold at the threshold that lets {KEPT:.0%} of the other folds' test clips "
                "pass.",
            )
        )


def measure_unknown(
    folds: Sequence[Familiarity],
    confident: Sequence[np.ndarray],
    titles: tuple[str, ...] = (),
    further: Sequence[tuple[np.ndarray, np.ndarray]] = (),
) -> Unknown:
    """Threshold of the unknown, and how well strangers are told from members.

    Args:
        folds: familiarity of test clips and of strangers, by the network of each fold.
        confident: of each fold, the highest probability of each test clip, (clips,).
        titles: corpora of the strangers.
        further: of folds that are not scored, familiarity and highest probability of their test
            clips, which set thresholds.
    """
    known = [each for each, _ in further]
    members = [each.members for each in folds]
    strangers = [each.strangers for each in folds if each.strangers is not None]
    sure = [each.confidence for each in folds if each.confidence is not None]
    return Unknown(
        threshold=threshold_of(np.concatenate([*known, *members])),
        familiarity=score_strangers(members, strangers or None, further=known),
        confidence=score_strangers(confident, sure, further=[each for _, each in further])
        if sure
        else None,
        members=sum(map(len, [*known, *members])),
        strangers=len(strangers[0]) if strangers else 0,
        titles=titles,
    )
