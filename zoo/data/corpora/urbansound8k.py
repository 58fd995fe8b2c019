"""UrbanSound8K (Salamon, Jacoby and Bello 2014): 8732 slices up to 4 s, 10 classes, 10 folds.

`metadata/UrbanSound8K.csv`: slice_file_name, fsID, start, end, salience, fold, classID, class.
`audio/fold{1..10}/{fsID}-{classID}-{occurrence}-{slice}.wav`; rates and channels vary.
"""

from pathlib import Path
from typing import Any

from zoo.data.corpora.index import Corpus, make_corpus, read_table

_TABLE = Path("metadata", "UrbanSound8K.csv")


def recognise(root: Path) -> bool:
    """Whether the folder has this layout."""
    return (root / _TABLE).is_file()


def read(root: Path) -> Corpus:
    """Index the corpus. A slice is a whole file: its `start` and `end` lie in the original."""
    table: Any = read_table(
        root / _TABLE,
        separator=",",
        columns=("slice_file_name", "fsID", "start", "end", "salience", "fold", "class"),
    )
    return make_corpus(
        "UrbanSound8K",
        root,
        {
            "path": f"{root / 'audio'}/fold" + table["fold"] + "/" + table["slice_file_name"],
            "label": table["class"],
            "fold": table["fold"],
            "group": table["fsID"],
            "source": table["fsID"],
            "salience": table["salience"].map({"1": "foreground", "2": "background"}),
        },
        notes=("Use its ten folds: other splits put slices of one recording into both parts.",),
    )
