"""What the manifest of a model folder says of streaming: its step file, its sample rate."""

from collections.abc import Mapping
from typing import Any


def step_file(manifest: Mapping[str, Any], weights: str) -> str:
    """Name of the TFLite step file whose weights have this precision.

    Raises:
        ValueError: there is none; the text names those there are.
    """
    files = {
        entry.get("weights"): entry.get("file")
        for entry in manifest["formats"].values()
        if entry.get("endpoint") == "step" and str(entry.get("file")).endswith(".tflite")
    }
    if weights not in files:
        known = ", ".join(sorted(map(str, files))) or "none: it is not a model that streams"
        raise ValueError(f"Expected weights of a step file, got {weights!r}. There are: {known}.")
    return files[weights]


def sample_rate_hz(manifest: Mapping[str, Any]) -> int:
    """Rate of the sound that a model hears [Hz].

    Raises:
        ValueError: the manifest does not say it.
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
