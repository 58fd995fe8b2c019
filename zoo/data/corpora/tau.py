"""TAU Urban Acoustic Scenes 2019, 2020 and 2022 Mobile (Mesaros, Heittola and Virtanen): 10 scenes.

Tab-separated, though named csv. `meta.csv`: filename, scene_label, identifier, source_label.
`evaluation_setup/fold1_{train,test,evaluate}.csv`: filename, and scene_label in train and evaluate.
`audio/{scene}-{city}-{location}-{segment}-{device}.wav`; 2022 has a sub-segment before the device.
"""

from pathlib import Path

import pandas as pd

from zoo.data.corpora.index import Corpus, corpus, read_table

_TABLE = "meta.csv"
_SETUP = "evaluation_setup"
_NAME = r"(?:.*/)?([^-/]+-[^-]+-[^-]+-[^-]+)(-[^-]+)?-([^-.]+)\.\w+$"


def recognise(root: Path) -> bool:
    """Whether the folder has this layout."""
    return (root / _TABLE).is_file() and (root / _SETUP).is_dir()


def read(root: Path) -> Corpus:
    """Index the corpus: fold is train or test of the official setup, group the place recorded.

    Clips in neither are kept without a fold. `source` is the 10 s segment on one device; the pieces
    of a second that 2022 cut it into share it.
    """
    meta = read_table(
        root / _TABLE,
        separator="\t",
        columns=("filename", "scene_label", "identifier", "source_label"),
    )
    fold = pd.Series(pd.NA, index=meta.index, dtype=object)
    for name in ("train", "test", "evaluate"):
        path = root / _SETUP / f"fold1_{name}.csv"
        if path.is_file():
            listed = read_table(path, separator="\t", columns=("filename",))["filename"]
            fold[meta["filename"].isin(listed)] = "train" if name == "train" else "test"
    parts = meta["filename"].str.extract(_NAME)
    odd = parts[0].isna()
    if odd.any():
        raise ValueError(
            f"{root / _TABLE}: expected names like audio/SCENE-CITY-LOCATION-SEGMENT-DEVICE.wav. "
            f"Received: {meta['filename'][odd].iloc[0]}."
        )
    unseen = set(meta["source_label"][fold == "test"]) - set(meta["source_label"][fold == "train"])
    notes = []
    if fold.isna().any():
        notes.append(f"{int(fold.isna().sum()):,} clips are in neither train nor test.")
    if unseen and (fold == "train").any():
        notes.append(f"Devices only in test: {', '.join(sorted(unseen))}.")
    return corpus(
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


def _edition(meta: pd.DataFrame, parts: pd.DataFrame) -> str:
    if parts[1].notna().any():
        return "2022 Mobile"
    devices = set(meta["source_label"])
    if any(device.startswith("s") for device in devices):
        return "2020 Mobile"
    return "2019 Mobile" if len(devices) > 1 else "2019"
