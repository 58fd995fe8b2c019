"""Entries of a manifest that streaming needs: name of the step file, sample rate."""

from collections.abc import Mapping
from typing import Any


def step_file_name(manifest: Mapping[str, Any], weights: str) -> str:
    """Name of the TFLite step file whose weights have this precision.

    Args:
        manifest: of the model folder.
        weights: such as "float32" or "int8".

    Raises:
        ValueError: no such file; the text names the precisions that there are.
    """
    return _file_name(manifest, weights, "step", "a step file", "a model that streams")


def is_clip_classifier(manifest: Mapping[str, Any]) -> bool:
    """Whether a model classifies whole clips of sound: it has classes and takes no steps.

    Args:
        manifest: of the model folder.
    """
    return "classes" in manifest and "step" not in manifest["signatures"]


def clip_file_name(manifest: Mapping[str, Any], weights: str) -> str:
    """Name of the TFLite file for whole clips whose weights have this precision.

    Args:
        manifest: of the model folder.
        weights: such as "float32" or "int8".

    Raises:
        ValueError: no such file; the text names the precisions that there are.
    """
    return _file_name(
        manifest, weights, "serving_default", "a file for clips", "a classifier of whole clips"
    )


def _file_name(
    manifest: Mapping[str, Any], weights: str, endpoint: str, kind: str, model: str
) -> str:
    files: dict[str, str] = {
        str(entry.get("weights")): str(entry.get("file"))
        for entry in manifest["formats"].values()
        if entry.get("endpoint") == endpoint and str(entry.get("file")).endswith(".tflite")
    }
    if weights not in files:
        known = ", ".join(sorted(files)) or f"none: it is not {model}"
        raise ValueError(f"Expected weights of {kind}, got {weights!r}. There are: {known}.")
    return files[weights]


def sample_rate_hz(manifest: Mapping[str, Any]) -> int:
    """Sample rate of a sound model [Hz].

    Args:
        manifest: of the model folder.

    Raises:
        ValueError: a manifest without a valid sample rate.
    """
    try:
        rate = manifest["front_end"]["sample_rate_hz"]
        if rate > 0 and rate == int(rate):
            return int(rate)
    except (KeyError, TypeError, ValueError, OverflowError):
        pass
    raise ValueError(
        "Expected a positive whole number as `front_end.sample_rate_hz` of the manifest. Export "
        "the model again."
    )
