"""ESC-50 and its subset ESC-10 (Piczak 2015): 2000 clips of 5 s, 50 classes, 5 folds by source.

`meta/esc50.csv`: filename, fold, target, category, esc10, src_file, take.
`audio/{fold}-{clip}-{take}-{target}.wav`.
"""

from pathlib import Path

from zoo.data.corpora.index import Corpus, make_corpus, read_table

_TABLE = Path("meta", "esc50.csv")


def recognise(root: Path) -> bool:
    """Whether the folder has this layout."""
    return (root / _TABLE).is_file()


def read(root: Path) -> Corpus:
    """Index the corpus; the column `esc10` marks the clips of ESC-10."""
    table = read_table(
        root / _TABLE,
        separator=",",
        columns=("filename", "fold", "target", "category", "esc10", "src_file", "take"),
    )
    esc10 = table["esc10"].str.lower() == "true"
    notes = ()
    if not esc10.all() and esc10.any():
        notes = (f"{int(esc10.sum())} clips are ESC-10's: index[index['esc10']].",)
    return make_corpus(
        "ESC-10" if esc10.all() else "ESC-50",
        root,
        {
            "path": f"{root / 'audio'}/" + table["filename"],
            "label": table["category"],
            "fold": table["fold"],
            "group": table["src_file"],
            "source": table["src_file"],
            "esc10": esc10,
        },
        notes=notes,
    )
