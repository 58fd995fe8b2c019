"""Where a saved model comes from: shipped with this package, exported on this machine, or unknown.

Hashes and seal of a model folder are written by whoever writes the folder: they show damage, not
who made it. What is known besides is which seals this package ships (`shipped.json`, beside this
file) and which ones this user's own exports wrote (a folder of the user's own).
Publishing a model notes its seal in `shipped.json`; `python -m zoo.provenance` writes that file
anew from the models in `saved_models/`. Standard library only.
"""

import json
import os
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from zoo import files, folders, manifest
from zoo.progress import say

SHIPPED, EXPORTED, UNKNOWN = "shipped", "exported here", "unknown origin"
SHIPPED_FILE = Path(__file__).parent / "shipped.json"
_SAVED_MODELS = Path(__file__).resolve().parents[1] / folders.SAVED_MODELS  # of a checkout
_SEAL_DIGITS = frozenset("0123456789abcdef")


def data_folder() -> Path:
    """Folder of the user's own data of this package (XDG base directory specification 0.8)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    root = Path(base) if os.path.isabs(base) else Path.home() / ".local" / "share"
    return root / "signals-with-memory"


def origin(entries: Mapping[str, Any]) -> str:
    """`SHIPPED`, `EXPORTED` or `UNKNOWN`.

    Args:
        entries: of a manifest from `zoo.manifest.read_manifest`, which has checked the seal.
    """
    seal = entries.get("seal")
    if not isinstance(seal, str) or len(seal) != 64 or not _SEAL_DIGITS.issuperset(seal):
        return UNKNOWN
    if seal in shipped_seals().values():
        return SHIPPED
    return EXPORTED if _export_record(seal).is_file() else UNKNOWN


def has_shipped_name(entries: Mapping[str, Any]) -> bool:
    """Whether a shipped model has the name of this one."""
    return entries.get("name") in shipped_seals()


def require_trust(folder: Path, entries: Mapping[str, Any], trust: bool) -> None:
    """Check that a SavedModel may be opened, which can do what any program can.

    Args:
        folder: of the saved model, for the message.
        entries: its manifest.
        trust: whether the user trusts who made it.

    Raises:
        ValueError: if its origin is not known and the user does not trust it.
    """
    if not trust and origin(entries) == UNKNOWN:
        raise ValueError(
            f"{folder}: a SavedModel of unknown origin is not opened, since opening it can run "
            "any program. If you trust who made it: --trust (in Python trust=True)."
        )


def record_export(seal: str, folder: Path) -> None:
    """Note that this user exported a model, so that it opens without a flag.

    One that was published to `saved_models/` of the checkout is noted as shipped too.

    Args:
        seal: of its manifest.
        folder: of the model, with its name.
    """
    name = folder.resolve().name
    if folder.resolve().parent == _SAVED_MODELS:
        _write_shipped({**shipped_seals(), name: seal})
    try:
        files.write_text(_export_record(seal), json.dumps({"name": name}) + "\n")
    except OSError as error:
        say(
            f"{data_folder()}: cannot be written ({error.strerror}), so the SavedModel of {name} "
            "will need --trust"
        )


def _export_record(seal: str) -> Path:
    return data_folder() / "exported" / f"{seal}.json"


@cache
def shipped_seals() -> Mapping[str, str]:
    """Name -> seal of every model that this version of the package ships."""
    if not SHIPPED_FILE.is_file():
        return {}
    return json.loads(SHIPPED_FILE.read_text(encoding="utf-8"))


def _write_shipped(seals: Mapping[str, str]) -> None:
    files.write_text(SHIPPED_FILE, json.dumps(dict(sorted(seals.items())), indent=1) + "\n")
    shipped_seals.cache_clear()


def seals_of(folder: Path) -> dict[str, str]:
    """Name -> seal of every saved model in a folder, verified.

    Raises:
        ValueError: if a model was changed.
    """
    models = sorted(path.parent for path in folder.glob(f"*/{manifest.NAME}"))
    return {path.name: str(manifest.verify_folder(path)["seal"]) for path in models}


def main() -> int:
    """Write `shipped.json` from the models in `saved_models/` of the checkout.

    Raises:
        ValueError: no models there, or one that was changed.
    """
    seals = seals_of(_SAVED_MODELS)
    if not seals:
        raise ValueError(f"{_SAVED_MODELS}: no saved models. Run this in a checkout.")
    _write_shipped(seals)
    print(f"{SHIPPED_FILE}: seals of {len(seals)} models")
    return 0


if __name__ == "__main__":
    sys.exit(main())
