"""Export a saved stress model again, scored under changed loading."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data import hysteresis
from zoo.data.changed_loading import changed_loading
from zoo.data.maxwell import Material
from zoo.export.renewal import read_about, rebuild_endpoints, renew
from zoo.manifest import read_manifest, verify_folder
from zoo.metrics.regression import Predictor
from zoo.recurrent import predictor
from zoo.stress.robustness import (
    is_robustness_limit,
    robustness_entry,
    robustness_limits,
    score_splits,
)
from zoo.stress.scoring import fit_laws

BASELINE_PATHS = 300  # walks that the laws beside the model are fitted to
SEED = 0


def renew_model(
    folder: str | Path, out: str | Path, progress: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """`zoo.export.renew`; the model of a simulated material is scored under changed loading too.

    Args:
        folder: of the saved model, of stress or of sound.
        out: folder to write.
        progress: takes a line of progress.

    Returns:
        The new manifest.

    Raises:
        ValueError, RuntimeError: as `zoo.export.renew`.
    """
    manifest = read_manifest(Path(folder), unsealed=True)
    if not manifest.get("material"):
        return renew(folder, out, progress=progress)
    verified = verify_folder(Path(folder), unsealed=True)
    endpoints, _ = rebuild_endpoints(Path(folder), verified)
    progress("errors under changed loading")
    stated = read_about(verified, endpoints).limits  # in the words of today
    changes = changed_loading_fields({**verified, "limits": stated}, predictor(endpoints.sequence))
    return renew(folder, out, changes, progress, smaller_integers=True)


def changed_loading_fields(manifest: Mapping[str, Any], predict: Predictor) -> dict[str, Any]:
    """Fields `metrics` and `limits` of a manifest with the errors under changed loading.

    The baselines are the elastic and the linear Maxwell law, fitted to 300 walks.

    Args:
        manifest: of a model of a simulated material.
        predict: x (paths, time, 3) -> stress (paths, time, 1).

    Raises:
        ValueError: the stress is not finite under changed loading.
    """
    material = Material(**manifest["material"])
    laws = fit_laws(hysteresis.split("walk", paths=BASELINE_PATHS, seed=SEED, material=material))
    models = {manifest["name"]: predict, **{name: law.predict for name, law in laws.items()}}
    scores = score_splits(models, changed_loading(material))
    if not np.isfinite([e["nrmse"] for e in scores[manifest["name"]].values()]).all():
        raise ValueError(f"{manifest['name']}: its stress is not finite under changed loading.")
    limits = [limit for limit in manifest["limits"] if not is_robustness_limit(limit)]
    return {
        "metrics": {**manifest["metrics"], **robustness_entry(scores)},
        "limits": [*limits, *robustness_limits(scores)],
    }
