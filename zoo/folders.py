"""Where saved models are: a name such as "scenes-tiny" -> the folder that holds it.

Standard library only: the device runtime `zoo.edge` finds models by the same names.
"""

import os
from pathlib import Path

from zoo import manifest

VARIABLE = "ZOO_MODELS"  # environment variable: a folder of saved models that is searched first
SAVED_MODELS = "saved_models"
_PACKAGE = Path(__file__).parent


def model_roots() -> list[Path]:
    """Folders that are searched for saved models, first to last; not all of them need exist.

    They are the folder that ZOO_MODELS names, `saved_models` in the working folder, and that of the
    installed package or of the checkout.
    """
    named = os.environ.get(VARIABLE)
    roots = [Path(named)] if named else []
    roots += [Path(SAVED_MODELS), _PACKAGE / SAVED_MODELS, _PACKAGE.parent / SAVED_MODELS]
    unique = {root.resolve(): root for root in reversed(roots)}
    return [root for root in roots if unique.pop(root.resolve(), None) is not None]


def list_folders() -> list[Path]:
    """Folders of all saved models, by name; of two with one name, the one that `find` returns."""
    folders: dict[str, Path] = {}
    for root in model_roots():
        for path in root.glob(f"*/{manifest.NAME}"):
            folders.setdefault(path.parent.name, path.parent)
    return [folders[name] for name in sorted(folders)]


def exists(name: str | Path) -> bool:
    """Whether `find` has something to return."""
    try:
        find(name)
    except ValueError:
        return False
    return True


def find(name: str | Path) -> Path:
    """Folder of a saved model.

    Args:
        name: of a folder below one of `model_roots`; or a path: of a saved model, or of any other
            folder or file that is there and has not the name of a saved model.

    Raises:
        ValueError: no such model; the text names the folders searched and the models in them.
    """
    path = Path(name)
    if (path / manifest.NAME).is_file():
        return path
    if str(name) == path.name:  # one word, no path
        for root in model_roots():
            if (root / path / manifest.NAME).is_file():
                return root / path
    if path.exists():
        return path
    known = ", ".join(folder.name for folder in list_folders()) or "none"
    searched = ", ".join(map(str, model_roots()))
    raise ValueError(
        f"{name}: no such model in {searched}. Expected a folder, or one of the models: {known}."
    )
