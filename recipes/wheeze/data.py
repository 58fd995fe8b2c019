"""Breaths with and without wheeze, from synthetic patients or a corpus of recordings."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.progress import say

if TYPE_CHECKING:
    import pandas as pd

    from zoo.data.clips import Clips

CLASSES = ("normal", "wheeze")
RATE_HZ = 4_000  # a wheeze ends at 1000 Hz
WARNING = (
    "This is no medical device: it finds a sound, wheeze, not an illness, and was tested on no "
    "clinical question. Asthma itself cannot be learnt here: ICBHI 2017 holds one patient with it."
)


@dataclass(frozen=True)
class Breaths:
    """What is to be learnt from, and what is to be said of it.

    clips: labelled normal or wheeze, with group (patient) and device. title: of the corpus.
    licence, limits: for the card.
    """

    clips: "Clips"
    title: str
    licence: str
    limits: tuple[str, ...]


def synthetic(patients: int, *, seed: int, duration_s: float) -> Breaths:
    """Synthetic patients, half of them with wheeze, behind three stethoscopes.

    Raises:
        ValueError: too few patients to be parted by stethoscope and in folds.
    """
    from zoo.data.synthesis.collection import breath_clips

    if patients < 12:
        raise ValueError(f"--patients must be 12 or more, to be parted. Received: {patients}.")
    say(f"making breath sounds of {patients} patients")
    return Breaths(
        breath_clips(
            patients=patients,
            seed=seed,
            clips_per_patient=4,
            conditions=CLASSES,
            stethoscopes=3,
            duration_s=duration_s,
            sample_rate_hz=RATE_HZ,
        ),
        "synthetic patients",
        "The sounds are synthetic: weights and data carry the licence of the code.",
        ("Learnt from synthetic breath alone: how it does on patients is not known.",),
    )


def recorded(folder: Path, *, layout: str | None = None, rate_hz: int | None = None) -> Breaths:
    """Breaths of a corpus that are marked normal or wheeze; all others are left out.

    Args:
        folder: of the corpus.
        layout: of it, where it is not recognised.
        rate_hz: resample to `RATE_HZ` what was recorded at several rates; only that number will do.

    Raises:
        ValueError: a corpus that cannot be used, in one line.
    """
    from zoo.data import corpora

    corpus = corpora.read(folder, layout)  # before TensorFlow: mistakes cost nothing
    for note in corpus.notes:
        say(note)
    if rate_hz not in (None, RATE_HZ):
        raise ValueError(f"--rate must be {RATE_HZ}, which the model hears. Received: {rate_hz}.")
    index = hf_lung_phases(corpus.index) if corpus.title == "HF_Lung_V1" else corpus.index
    chosen = index["label"].isin(CLASSES)
    found = sorted(set(index["label"][chosen].astype(str)))
    if len(found) < 2:
        every = ", ".join(sorted(set(index["label"].astype(str))))
        raise ValueError(
            f"{folder} must hold breaths labelled normal and wheeze. Found: {every or 'none'}."
        )
    if not chosen.all():
        say(f"{(~chosen).sum()} breaths are marked neither normal nor wheeze and left out")
    index = index[chosen].reset_index(drop=True)
    index["label"] = index["label"].cat.remove_unused_categories()

    from zoo.data import pipeline
    from zoo.data.inspection import look

    rates = sorted({header.sample_rate_hz for header in look(index).headers.values()})
    if len(rates) > 1 and rate_hz is None:
        raise ValueError(
            f"{folder} mixes sample rates, {', '.join(map(str, rates))} Hz: "
            f"say --rate {RATE_HZ} to resample everything to it."
        )
    if rates and rates[0] < RATE_HZ:
        raise ValueError(
            f"Recordings must have {RATE_HZ} Hz or more. {folder} has some at {rates[0]} Hz."
        )
    clips = pipeline.load(index, sample_rate_hz=RATE_HZ)
    if len(clips.damaged):
        first = clips.damaged.iloc[0]
        say(f"{len(clips.damaged)} damaged clips are left out, the first: {first['path']}")
    return Breaths(clips, corpus.title, _licence(corpus.title), _limits(corpus.title))


def hf_lung_phases(index: "pd.DataFrame") -> "pd.DataFrame":
    """Events of HF_Lung_V1 as breaths: each inspiration or expiration is a row.

    It is a wheeze where a wheeze overlaps it, and normal where no event but a breath does; where
    rhonchi, stridor or crackles overlap it without wheeze, it is labelled by them.
    """
    import pandas as pd

    events = index.assign(label=index["label"].astype(str))
    rows = []
    for _, inside in events.groupby("path", sort=False):
        breath = inside["label"].isin(("I", "E"))
        others = inside[~breath]
        for row in inside[breath].to_dict("records"):
            over = (others["start_s"] < row["end_s"]) & (others["end_s"] > row["start_s"])
            heard = set(others["label"][over])
            name = "wheeze" if "Wheeze" in heard else "+".join(sorted(heard)).lower()
            rows.append({**row, "label": name or "normal"})
    phases = pd.DataFrame(rows, columns=list(index.columns))
    return phases.astype(
        {name: "category" for name in ("label", "fold", "group", "device", "source")}
    )


def _licence(title: str) -> str:
    if title == "ICBHI 2017":
        return (
            "Learnt from the ICBHI 2017 respiratory sound database, which is free for research: "
            "so are the weights."
        )
    return (
        f"The weights carry the licence of the data they were learnt from, {title}; look it up "
        "before you use them."
    )


def _limits(title: str) -> tuple[str, ...]:
    limits = [
        f"Learnt from {title} alone: other stethoscopes, places and people may differ.",
        "Breaths marked with crackles, or with crackles and wheeze, were left out: what it says "
        "of them is not known.",
        "It was given one breath at a time, cut out by hand.",
    ]
    if title == "HF_Lung_V1":
        limits.append("Patients are not named there: groups are days, the nearest to one.")
    return tuple(limits)
