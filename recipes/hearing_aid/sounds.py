"""What a hearing aid may hear: clips of each class, made from physics or recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from zoo.data.sequences import SceneSequence, scene_sequence
from zoo.data.synthesis import KINDS, SCENES, at_snr, draw_site, scene
from zoo.data.synthesis.scenes import FULL_SCALE_DB_SPL
from zoo.data.synthesis.seeds import log_uniform, stream
from zoo.progress import say

# Wind and vehicles rumble alike, and a hearing aid does the same to both: less of the low bands.
CLASSES = ("quiet", "speech", "speech_in_noise", "noise", "music", "wind_or_vehicle")
NOISES = ("machinery", "rain", "sea")
BEHIND_SPEECH = ("babble", *NOISES, "traffic")  # babble alone is neither noise nor speech
SNR_DB = (-3.0, 9.0)  # above, noise is no matter; below, there is no speech to follow
# What recordings are called elsewhere; a class by its own name is taken as well, others are left.
LABELS = {
    "chainsaw": "noise",
    "crackling_fire": "noise",
    "rain": "noise",
    "sea_waves": "noise",
    **dict.fromkeys(("engine", "helicopter", "train", "vehicle", "wind"), "wind_or_vehicle"),
} | {name: name for name in CLASSES}
# Recordings come at any level: each is played at one drawn from the range of its kind.
KIND_OF = {"noise": "machinery", "wind_or_vehicle": "traffic", "quiet": "quiet_room"}

_LIMITS = (
    "A demonstration, no medical device: never tried on an ear, with its feedback, occlusion and "
    "own voice, nor behind a hearing aid's microphone.",
    f"Level is absolute: a root mean square of 1 is taken as {FULL_SCALE_DB_SPL:g} dB SPL. A "
    "microphone with another sensitivity must be scaled to that.",
    "Babble without a near talker is none of its classes; where two classes sound at once other "
    "than as speech in noise, it was not trained.",
)
_UNTRIED = "Learnt from and measured on synthesis alone: how it does on recordings is not known."

Pool = list[list[np.ndarray]]  # clips (samples,) of each class, in the order of the classes


@dataclass(frozen=True)
class Sounds:
    """Clips to learn from, to choose weights by, and to test on; no recording in two of them.

    Attributes:
        classes: their names.
        train, validation, test: of synthesis, and of recordings where there are any; the test is
            of synthesis alone.
        recorded: as `test`, with recordings in place of synthesis where there are any; empty
            without data.
        licence: of what is learnt from them.
        limits: what is not known of it, and on what it was tested.
    """

    classes: tuple[str, ...]
    train: Pool
    validation: Pool
    test: Pool
    recorded: Pool = field(default_factory=list)
    licence: str = "The sounds are synthetic: weights and data carry the licence of the code."
    limits: tuple[str, ...] = ()


def hearing_aid(
    data: Sequence[Path], *, clips: int, seconds: float, sample_rate_hz: int, seed: int
) -> Sounds:
    """Synthesise, and read the corpora in `data`.

    Args:
        data: folders of corpora, see `zoo.data.corpora`.
        clips: synthetic ones of each class to learn from; a quarter as many for the rest.
        seconds: length of a synthetic clip [s].
        sample_rate_hz: [Hz].
        seed: of everything that is drawn.

    Raises:
        ValueError: a corpus that cannot be used.
    """
    recorded = {part: [[] for _ in CLASSES] for part in _SHARES}
    # before synthesis: a folder that cannot be used costs no waiting
    sources = [_read(folder, recorded, sample_rate_hz, seed) for folder in data]
    make = partial(synthetic, seconds=seconds, sample_rate_hz=sample_rate_hz, seed=seed)
    few = max(2, clips // 4)
    train, validation, test = (make(clips, "train"), make(few, "validation"), make(few, "test"))
    if not data:
        return Sounds(CLASSES, train, validation, test, limits=(*_LIMITS, _UNTRIED))
    for part, pool in recorded.items():
        voices = make(few, f"voices {part}", classes=("speech",))
        _add_speech_in_noise(pool, voices, sample_rate_hz, stream(seed, "mix", part))
    has = [name for name, clips in zip(CLASSES, recorded["test"], strict=True) if clips]
    return Sounds(
        CLASSES,
        _joined(train, recorded["train"]),
        _joined(validation, recorded["validation"]),
        test,
        [real or made for real, made in zip(recorded["test"], test, strict=True)],
        licence="The weights carry the licences of the recordings they were learnt from beside "
        "synthesis; look them up before you use them.",
        limits=(
            *_LIMITS,
            *(f"Recordings from {source}." for source in sources),
            f"In the recorded sequences, {', '.join(has)} are recordings that were not trained on, "
            "played at drawn levels; the other classes are synthetic there too.",
            "Speech in noise there is "
            + ("recorded" if recorded["test"][CLASSES.index("speech")] else "synthetic")
            + " speech mixed into recorded noise.",
        ),
    )


def of_classes(
    classes: tuple[str, ...],
    data: Sequence[Path],
    *,
    clips: int,
    seconds: float,
    sample_rate_hz: int,
    seed: int,
) -> Sounds:
    """Clips for a model of other classes: synthetic scenes by these names, or recordings.

    Raises:
        ValueError: classes that nothing here is of.
    """
    if not data:
        if not set(classes) <= set(SCENES):
            raise ValueError(
                f"There is no synthesis of {', '.join(sorted(set(classes) - set(SCENES)))}. "
                "Give recordings of the model's classes with --data."
            )
        pools = [
            [
                [
                    scene(
                        name, seed=int(each), duration_s=seconds, sample_rate_hz=sample_rate_hz
                    ).samples
                    for each in stream(seed, part, name).integers(1 << 30, size=clips)
                ]
                for name in classes
            ]
            for part in ("fit", "test")
        ]
        limits = ("Measured on synthetic scenes alone.",)
        return Sounds(classes, pools[0], pools[0], pools[1], limits=limits)
    recorded = {part: [[] for _ in classes] for part in _SHARES}
    for folder in data:
        _read(folder, recorded, sample_rate_hz, seed, classes, {name: name for name in classes})
    return Sounds(
        classes,
        recorded["train"],
        recorded["validation"],
        [[] for _ in classes],
        recorded["test"],
        licence="The weights carry the licence of the data they were learnt from.",
        limits=("The sequences may hold recordings that the model was trained on.",),
    )


def synthetic(
    clips: int,
    part: str,
    *,
    seconds: float,
    sample_rate_hz: int,
    seed: int,
    classes: Sequence[str] = CLASSES,
) -> Pool:
    """Clips of each class, each at a place of its own; parts have no place in common."""
    rng = stream(seed, "hearing aid", part)
    pool = []
    for name in CLASSES:
        count = clips if name in classes else 0
        if count:
            say(f"making {count} clips of {name.replace('_', ' ')} ({part})")
        seeds = rng.integers(1 << 30, size=count)
        pool.append([_clip(name, int(each), seconds, sample_rate_hz) for each in seeds])
    return pool


# Kinds of wind or vehicle and how they are drawn: a road is never quite silent between two cars; an
# engine or a rotor close by has its own noise.
_RUMBLES = (
    lambda rng: ("wind", {}),
    lambda rng: ("traffic", {"far_db": rng.uniform(-12, -3)}),
    lambda rng: (
        "machinery",
        {
            "mesh_hz": log_uniform(rng, 15, 90),
            "shaft_hz": rng.uniform(2, 12),
            "lines": 8,
            "noise_db": rng.uniform(-6, 8),
        },
    ),
)


def _clip(name: str, seed: int, seconds: float, sample_rate_hz: int) -> np.ndarray:
    rng = stream(seed, name)
    kind, given = {"quiet": "quiet_room"}.get(name, name), {}
    if name == "speech_in_noise":
        given = {"snr_db": rng.uniform(*SNR_DB), "noise": str(rng.choice(BEHIND_SPEECH))}
    elif name == "noise":
        kind = str(rng.choice(NOISES))
    elif name == "wind_or_vehicle":
        kind, given = _RUMBLES[int(rng.integers(len(_RUMBLES)))](rng)
    made = scene(
        kind,
        seed=seed,
        site=draw_site(seed),
        duration_s=seconds,
        sample_rate_hz=sample_rate_hz,
        **given,
    )
    return made.samples


def sequences(
    pool: Pool, count: int, *, scenes: int, hop: int, sample_rate_hz: int, seed: int, name: str
) -> list[SceneSequence]:
    """Sequences of scenes of 6 to 14 s, the same for the same seed and name."""
    return [
        scene_sequence(
            pool,
            stream(seed, name, k),
            scenes=scenes,
            lasts_s=(6.0, 14.0),
            hop=hop,
            sample_rate_hz=sample_rate_hz,
        )
        for k in range(count)
    ]


_SHARES = ("train", "validation", "test")


def _read(
    folder: Path,
    into: dict[str, Pool],
    sample_rate_hz: int,
    seed: int,
    classes: tuple[str, ...] = CLASSES,
    labels: Mapping[str, str] = LABELS,
) -> str:
    """Add a corpus to the pools, parted by its folds or groups: the last for the test."""
    from zoo.data import corpora, pipeline
    from zoo.data.folds import folds

    corpus = corpora.read(folder)
    index = corpus.index
    index = index[index["label"].astype(str).isin(list(labels))].reset_index(drop=True)
    if index.empty:
        raise ValueError(
            f"{folder} has no sound of a class that is known here: {', '.join(labels)}."
        )
    clips = pipeline.load(index, sample_rate_hz=sample_rate_hz)
    *_, before, last = folds(clips.index, count=4, seed=seed)
    parts = np.where(last.test, "test", np.where(before.test, "validation", "train"))
    for row, part in enumerate(parts):
        name = labels[str(clips.classes[clips.labels[row]])]
        sound = np.array(clips.source[clips.rows[row]], np.float32)
        if classes == CLASSES:
            low, high = KINDS[KIND_OF.get(name, name)].level_db_spl
            level = stream(seed, "level", row).uniform(low, high) - FULL_SCALE_DB_SPL
            sound = _at_level(sound, level)
        into[part][classes.index(name)].append(sound)
    tests = int(np.sum(parts == "test"))
    told = f"{folder.resolve().name}: {len(parts)} recordings, {tests} of them for the test alone"
    say(told)
    origin = folder / "origin.txt"  # where recordings come from and what may be done with them
    return f"{told} ({origin.read_text().strip()})" if origin.is_file() else told


def _at_level(sound: np.ndarray, dbfs: float) -> np.ndarray:
    """At this root mean square [dBFS], lower where peaks would be clipped."""
    gain = 10 ** (dbfs / 20) / max(float(np.sqrt(np.mean(np.square(sound)))), 1e-9)
    return (min(gain, 0.99 / max(float(np.abs(sound).max()), 1e-9)) * sound).astype(np.float32)


def _add_speech_in_noise(
    pool: Pool, voices: Pool, sample_rate_hz: int, rng: np.random.Generator
) -> None:
    """Speech in each recorded noise: recorded speech where there is some, else synthetic."""
    speech = pool[CLASSES.index("speech")] or voices[CLASSES.index("speech")]
    for noise in pool[CLASSES.index("noise")]:
        talk = speech[int(rng.integers(len(speech)))]
        samples = min(len(talk), len(noise))
        talk, behind = talk[:samples], noise[:samples]
        mixed = talk + at_snr(talk, behind, rng.uniform(*SNR_DB))
        pool[CLASSES.index("speech_in_noise")].append(
            (0.99 / max(0.99, float(np.abs(mixed).max())) * mixed).astype(np.float32)
        )


def _joined(first: Pool, second: Pool) -> Pool:
    return [[*a, *b] for a, b in zip(first, second, strict=True)]
