"""Breaths with and without wheeze, of synthetic patients or from a corpus of recordings."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from recipes.wheeze.settings import Settings
from zoo.data import corpora
from zoo.data.clips import Clips
from zoo.data.corpora.licences import Licence, licence_of
from zoo.data.recordings import load_clips, notes_of, sample_rates, title_of
from zoo.data.synthesis.collection import breath_clips
from zoo.progress import say

CLASSES = ("normal", "wheeze")
RATE_HZ = 4_000  # a wheeze ends at 1000 Hz
MIN_PATIENTS = 12
CATEGORIES = ("label", "fold", "group", "device", "source")


@dataclass(frozen=True)
class Breaths:
    """Labelled breaths, and what the card says of them.

    Attributes:
        clips: waveforms labelled normal or wheeze, with group (patient) and device.
        title: of the corpus.
        licence: of weights that are trained on them, and of the recordings.
        limits: of a model that is trained on them.
        notes: remarks on the corpus.
    """

    clips: Clips
    title: str
    licence: Licence
    limits: tuple[str, ...]
    notes: tuple[str, ...] = ()


def load_data(settings: Settings) -> Breaths:
    """Breaths of synthetic patients, or of the corpus in `settings.data`.

    Raises:
        ValueError: a corpus that cannot be used, in one line.
    """
    if settings.data is None:
        patients = MIN_PATIENTS if settings.quick else settings.patients
        return make_synthetic(patients, seed=settings.seed, duration_s=settings.duration_s)
    return read_recordings(settings.data, layout=settings.layout, rate_hz=settings.rate_hz)


def make_synthetic(patients: int, *, seed: int, duration_s: float) -> Breaths:
    """Synthetic patients, half of them with wheeze, recorded with three stethoscopes.

    Raises:
        ValueError: too few patients to be divided by stethoscope and into folds.
    """
    if patients < MIN_PATIENTS:
        raise ValueError(
            f"--patients must be {MIN_PATIENTS} or more, to be divided into folds. "
            f"Received: {patients}."
        )
    say(f"generating breath sounds of {patients} patients")
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
        Licence(),
        ("Trained on synthetic breath alone: its metrics on patients are not known.",),
    )


def read_recordings(
    folder: Path, *, layout: str | None = None, rate_hz: int | None = None
) -> Breaths:
    """Breaths of a corpus that are labelled normal or wheeze; all others are left out.

    Args:
        folder: of the corpus.
        layout: of it, where it is not recognised.
        rate_hz: resample recordings of several rates; `RATE_HZ` is the only rate allowed.

    Raises:
        ValueError: a corpus that cannot be used, in one line.
    """
    corpus = corpora.read(folder, layout)
    for note in corpus.notes:
        say(note)
    if rate_hz not in (None, RATE_HZ):
        raise ValueError(
            f"--rate must be {RATE_HZ}, the sample rate of the model. Received: {rate_hz}."
        )
    index = hf_lung_breaths(corpus.index) if corpus.title == "HF_Lung_V1" else corpus.index
    index = select_classes(index, folder)
    rates = sample_rates(index)
    if len(rates) > 1 and rate_hz is None:
        raise ValueError(
            f"{folder} mixes sample rates, {', '.join(map(str, rates))} Hz: "
            f"say --rate {RATE_HZ} to resample everything to it."
        )
    if rates and rates[0] < RATE_HZ:
        raise ValueError(
            f"Recordings must have {RATE_HZ} Hz or more. {folder} has some at {rates[0]} Hz."
        )
    clips = load_clips(index, sample_rate_hz=RATE_HZ)
    title = title_of(corpus)
    notes = notes_of(corpus, clips)
    return Breaths(clips, title, licence_of(corpus.title), limits_of(title), notes)


def select_classes(index: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Rows labelled normal or wheeze.

    Args:
        index: of a corpus.
        folder: of the corpus, for the message.

    Raises:
        ValueError: one of the two labels does not occur.
    """
    selected = index["label"].isin(CLASSES).to_numpy()
    if len(set(index["label"][selected])) < len(CLASSES):
        labels = ", ".join(sorted(set(index["label"].astype(str))))
        raise ValueError(
            f"{folder} must hold breaths labelled normal and wheeze. Found: {labels or 'none'}."
        )
    if not selected.all():
        say(f"{(~selected).sum()} breaths are labelled neither normal nor wheeze and left out")
    index = index.loc[selected].reset_index(drop=True)
    index["label"] = index["label"].cat.remove_unused_categories()
    return index


def hf_lung_breaths(index: pd.DataFrame) -> pd.DataFrame:
    """Events of HF_Lung_V1 as breaths: one row for each inspiration or expiration.

    A breath is labelled wheeze where a wheeze overlaps it, and normal where no event but a breath
    does; where rhonchi, stridor or crackles overlap it without wheeze, it is labelled by them.
    """
    events = index.assign(label=index["label"].astype(str))
    rows = []
    for _, recording in events.groupby("path", sort=False):
        is_breath = recording["label"].isin(("I", "E"))
        others = recording[~is_breath]
        for row in recording.loc[is_breath].to_dict("records"):
            overlap = (others["start_s"] < row["end_s"]) & (others["end_s"] > row["start_s"])
            sounds = set(others["label"][overlap])
            name = "wheeze" if "Wheeze" in sounds else "+".join(sorted(sounds)).lower()
            rows.append({**row, "label": name or "normal"})
    breaths = pd.DataFrame(rows, columns=list(index.columns))
    return breaths.astype({name: "category" for name in CATEGORIES})


def limits_of(title: str) -> tuple[str, ...]:
    """Limits of a model that is trained on a corpus of this title."""
    left_out = "crackles, or with crackles and wheeze,"
    if title == "HF_Lung_V1":  # there `hf_lung_breaths` takes a wheeze with crackles for a wheeze
        left_out = "crackles, rhonchi or stridor, but without wheeze,"
    limits = (
        f"Trained on {title} alone: other stethoscopes, places and people may differ.",
        f"Breaths labelled with {left_out} were left out: predictions for them are not tested.",
        "Inputs were single breaths, cut out by hand.",
    )
    if title == "HF_Lung_V1":
        limits += ("Patients are not named there: groups are days, the nearest to one.",)
    return limits
