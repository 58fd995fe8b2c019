"""Figures of weights that never heard the test sources, on the card of weights that did.

A model that is measured leaves sources out of its training; once the figures are taken, the model
to ship may learn from these sources too. What is then known of it is what the figures say of its
sibling, and what both reach on the validation sources, which neither has learnt from.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

VALIDATION = "validation sequences"
STEP = "step"  # cost of the files
OF_SIBLING = "weights without test sources"


def final_metrics(of_final: Mapping[str, Any], of_sibling: Mapping[str, Any]) -> dict[str, Any]:
    """Metrics of a manifest: the sibling's, and those of the final weights on validation sources.

    Args:
        of_final: metrics of the final weights, on `VALIDATION` and of the step files.
        of_sibling: metrics of the weights without test sources, on `VALIDATION` and all others.

    Returns:
        Kind -> metrics, as `recipes.hearing_aid.metrics.manifest_metrics` returns them; kinds of
        the sibling say `OF_SIBLING`.
    """
    sibling = {f"{kind}, {OF_SIBLING}": each for kind, each in of_sibling.items() if kind != STEP}
    return {**sibling, VALIDATION: of_final[VALIDATION], STEP: of_final[STEP]}


def check_test_unheard(manifest: Mapping[str, Any], name: str) -> None:
    """Check that the weights of a model did not learn from the test sources.

    Args:
        manifest: of the model.
        name: of the model, for the message.

    Raises:
        ValueError: they did.
    """
    if any(kind.endswith(OF_SIBLING) for kind in manifest.get("metrics", {})):
        raise ValueError(
            f"{name}: its weights learnt from the test sources, which say nothing of it then. "
            "Give the model of its figures, such as runs/hearing-aid-recorded/figures."
        )


def final_note(final: Path, sibling: Path) -> str:
    """What a card says of the figures, one paragraph.

    Args:
        final: weights that are shipped.
        sibling: weights that are measured.
    """
    return (
        "The figures of recorded sequences and conditions are not of these weights "
        f"({short_hash(final)}) but of weights trained without the test sources "
        f"({short_hash(sibling)}); these then learnt from the test sources too. On the validation "
        "sequences both are measured: neither learnt from their sources, to which the decision of "
        "each was fitted."
    )


def short_hash(path: Path) -> str:
    """First 12 digits of the SHA-256 of a file.

    Raises:
        OSError: no such file.
    """
    return f"SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
