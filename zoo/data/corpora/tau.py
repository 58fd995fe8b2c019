"""TAU Urban Acoustic Scenes 2019, 2020 and 2022 Mobile (Mesaros, Heittola and Virtanen): 10 scenes.

Tab-separated, though named csv. `meta.csv`: filename, scene_label, identifier, source_label.
`evaluation_setup/fold1_{train,test,evaluate}.csv`: filename, and scene_label in train and evaluate.
`audio/{scene}-{city}-{location}-{segment}-{device}.wav`; 2022 has a sub-segment before the device.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from zoo.data.corpora.index import Corpus, make_corpus, read_table

_TABLE = "meta.csv"
_SETUP = "evaluation_setup"
_NAME = r"(?:.*/)?([^-/]+-[^-]+-[^-]+-[^-]+)(-[^-]+)?-([^-.]+)\.\w+$"


def recognise(root: Path) -> bool:
    """Whether the folder has this layout."""
    return (root / _TABLE).is_file() and (root / _SETUP).is_dir()


def read(root: Path) -> Corpus:
    """Index the corpus: fold is train or test of the official setup, group the place recorded.

    Clips in neither are kept without a fold. `source` is the 10 s segment on one device, which is
    shared by the pieces of 1 s that it is cut into in 2022.

    Raises:
        ValueError: a table that cannot be used.
    """
    meta: Any = read_table(
        root / _TABLE,
        separator="\t",
        columns=("filename", "scene_label", "identifier", "source_label"),
    )
    fold: Any = pd.Series(pd.NA, index=meta.index, dtype=object)
    for name in ("train", "test", "evaluate"):
        path = root / _SETUP / f"fold1_{name}.csv"
        if path.is_file():
            listed = read_table(path, separator="\t", columns=("filename",))["filename"]
            fold[meta["filename"].isin(listed)] = "train" if name == "train" else "test"
    parts: Any = meta["filename"].str.extract(_NAME)
    invalid = parts[0].isna()
    if invalid.any():
        raise ValueError(
            f"{root / _TABLE}: expected names like audio/SCENE-CITY-LOCATION-SEGMENT-DEVICE.wav. "
            f"Received: {meta['filename'][invalid].iloc[0]}."
        )
    test_only = set(meta["source_label"][fold == "test"]) - set(
        meta["source_label"][fold == "train"]
    )
    notes = []
    if fold.isna().any():
        notes.append(f"{int(fold.isna().sum()):,} clips are in neither train nor test.")
    if test_only and (fold == "train").any():
        notes.append(f"Devices only in test: {', '.join(sorted(test_only))}.")
    return make_corpus(
        f"TAU Urban Acoustic Scenes {_edition(meta, parts)}",
        root,
        {
            "path": f"{root}/" + meta["filename"],
            "label": meta["scene_label"],
            "fold": fold,
            "group": meta["identifier"],
            "device": meta["source_label"],
            "source": parts[0] + "-" + parts[2],
            "city": meta["identifier"].str.split("-").str[0].astype("category"),
        },
        notes=notes,
    )


def _edition(meta: Any, parts: Any) -> str:
    if parts[1].notna().any():
        return "2022 Mobile"
    devices = set(meta["source_label"])
    if any(device.startswith("s") for device in devices):
        return "2020 Mobile"
    return "2019 Mobile" if len(devices) > 1 else "2019"
