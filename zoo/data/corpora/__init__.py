"""Readers of published sound corpora: each layout becomes the same index of clips."""

from pathlib import Path

from zoo.data.corpora import esc50, folder, hf_lung, icbhi, tau, urbansound8k
from zoo.data.corpora.index import COLUMNS, Corpus

__all__ = ["COLUMNS", "LAYOUTS", "Corpus", "read"]

LAYOUTS = {
    "esc50": esc50,
    "urbansound8k": urbansound8k,
    "tau": tau,
    "icbhi": icbhi,
    "hf_lung": hf_lung,
    "folder": folder,  # last: it matches nearly everything
}


def read(path: str | Path, layout: str | None = None) -> Corpus:
    """Index the corpus in a folder, without opening a recording.

    Args:
        path: the corpus, or a folder that holds just one.
        layout: one of `LAYOUTS`; None: recognised by its files.

    Returns:
        The corpus with its index.

    Raises:
        ValueError: no such folder, no known layout, or a table in it that cannot be read.
    """
    root = Path(path).expanduser().resolve()
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        raise ValueError(f"{path} {what}. Give the folder that a corpus was unpacked into.")
    if layout is not None:
        if layout not in LAYOUTS:
            raise ValueError(f"`layout` must be one of {', '.join(LAYOUTS)}. Received: {layout}.")
        return LAYOUTS[layout].read(root)
    published = [module for name, module in LAYOUTS.items() if name != "folder"]
    inside = sorted(entry for entry in root.iterdir() if entry.is_dir())
    for module in published:
        if module.recognise(root):
            return module.read(root)
    matches = [
        (entry, module) for entry in inside for module in published if module.recognise(entry)
    ]
    if len(matches) == 1:
        (entry, module) = matches[0]
        return module.read(entry)
    if matches:
        raise ValueError(
            f"{path} holds several corpora, {', '.join(entry.name for entry, _ in matches)}: "
            "give one of them, or name the layout."
        )
    if folder.recognise(root):
        return folder.read(root)
    unread = folder.describe_unread(root)
    if unread:
        raise ValueError(f"{path}: {unread}")
    raise ValueError(
        f"{path} has no known layout: expected {', '.join(LAYOUTS)}, the last being class "
        "folders with recordings in them. Give the folder that holds meta, audio or the classes."
    )
