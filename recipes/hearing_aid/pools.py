"""Clips of each class for training, validation and test; sequences of scenes drawn from them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recipes.hearing_aid.classes import CLASSES
from recipes.hearing_aid.recordings import add_speech_in_noise, empty_pools, read_recordings
from recipes.hearing_aid.scene_mixing import SceneMixer
from recipes.hearing_aid.synthetic import ClipPool, ClipSettings, synthesise_clips
from zoo.data.corpora.licences import SYNTHETIC
from zoo.data.sequences import SceneSequence, scene_sequence
from zoo.data.synthesis import SCENES, scene
from zoo.data.synthesis.scenes import FULL_SCALE_DB_SPL
from zoo.data.synthesis.seeds import stream

SCENE_DURATION_S = (6.0, 14.0)
LIMITS = (
    "A demonstration, not a medical device: never tested on an ear, with its feedback, occlusion "
    "and own voice, nor behind a hearing aid's microphone.",
    f"Level is absolute: a root mean square of 1 is taken as {FULL_SCALE_DB_SPL:g} dB SPL. A "
    "microphone with another sensitivity must be scaled to that.",
    "Babble without a near talker belongs to none of its classes. It was not trained on two "
    "classes at once other than speech in noise.",
)
SYNTHETIC_ONLY = (
    "Trained and measured on synthetic sound only: its accuracy on recordings is not known."
)


@dataclass(frozen=True)
class SoundPools:
    """Clips for training, validation and test; no recording is in two of them.

    Attributes:
        classes: their names.
        train: synthetic clips, and recordings where there are any.
        validation: likewise.
        test: synthetic clips only.
        recorded: as `test`, with recordings in place of synthetic clips where there are any; empty
            without data.
        data_licence: licence of the clips, one sentence.
        limits: of what was trained and measured, for the card.
        mixer: draws scenes of the recordings in `recorded`, at given levels and ratios; or None.
    """

    classes: tuple[str, ...]
    train: ClipPool
    validation: ClipPool
    test: ClipPool
    recorded: ClipPool = field(default_factory=list)
    data_licence: str = SYNTHETIC
    limits: tuple[str, ...] = ()
    mixer: SceneMixer | None = None


def hearing_aid_pools(data: Sequence[Path], settings: ClipSettings) -> SoundPools:
    """Synthesise clips of `CLASSES` and add the recordings in `data`.

    Args:
        data: folders of corpora, see `zoo.data.corpora`.
        settings: of the clips.

    Raises:
        ValueError: a corpus that cannot be used.
    """
    recorded = empty_pools(CLASSES)
    # before synthesis, so that a folder that cannot be used is reported at once
    sources = [
        read_recordings(folder, recorded, settings.sample_rate_hz, settings.seed) for folder in data
    ]
    few = max(2, settings.clips // 4)
    train = synthesise_clips(settings, settings.clips, "train")
    validation = synthesise_clips(settings, few, "validation")
    test = synthesise_clips(settings, few, "test")
    if not data:
        return SoundPools(CLASSES, train, validation, test, limits=(*LIMITS, SYNTHETIC_ONLY))
    speech = CLASSES.index("speech")
    for part, pool in recorded.items():
        voices = synthesise_clips(settings, few, f"voices {part}", classes=("speech",))
        add_speech_in_noise(pool, voices[speech], stream(settings.seed, "mix", part))
    return SoundPools(
        CLASSES,
        _merge(train, recorded["train"]),
        _merge(validation, recorded["validation"]),
        test,
        [real or made_up for real, made_up in zip(recorded["test"], test, strict=True)],
        data_licence="recordings beside synthetic sound; look up their licences before you use the "
        "weights.",
        limits=(*LIMITS, *_recording_limits(sources, recorded["test"])),
    )


def _recording_limits(sources: Sequence[str], test: ClipPool) -> tuple[str, ...]:
    recorded = [name for name, clips in zip(CLASSES, test, strict=True) if clips]
    speech = "recorded" if test[CLASSES.index("speech")] else "synthetic"
    return (
        *(f"Recordings from {source}." for source in sources),
        f"In the recorded sequences, {', '.join(recorded)} are recordings that were not trained "
        "on, played at drawn levels; the other classes are synthetic there too.",
        f"Speech in noise there is {speech} speech mixed into recorded noise.",
    )


def pools_of_classes(
    classes: tuple[str, ...], data: Sequence[Path], settings: ClipSettings
) -> SoundPools:
    """Clips for a model of other classes: recordings, or synthetic scenes of these names.

    Args:
        classes: of the model.
        data: folders of corpora; empty: synthetic scenes.
        settings: of the clips.

    Raises:
        ValueError: classes without synthesis and without data.
    """
    if data:
        recorded = empty_pools(classes)
        labels = {name: name for name in classes}
        for folder in data:
            read_recordings(
                folder, recorded, settings.sample_rate_hz, settings.seed, classes, labels
            )
        return SoundPools(
            classes,
            recorded["train"],
            recorded["validation"],
            [[] for _ in classes],
            recorded["test"],
            data_licence="that of the clips that the model was trained on.",
            limits=("The sequences may contain recordings that the model was trained on.",),
        )
    unknown = sorted(set(classes) - set(SCENES))
    if unknown:
        raise ValueError(
            f"There is no synthesis of {', '.join(unknown)}. Give recordings of the model's "
            "classes with --data."
        )
    fit, test = (_scene_pool(classes, part, settings) for part in ("fit", "test"))
    return SoundPools(classes, fit, fit, test, limits=("Measured on synthetic scenes only.",))


def _scene_pool(classes: Sequence[str], part: str, settings: ClipSettings) -> ClipPool:
    """Clips of synthetic scenes by class."""
    return [
        [
            scene(
                name,
                seed=int(seed),
                duration_s=settings.duration_s,
                sample_rate_hz=settings.sample_rate_hz,
            ).samples
            for seed in stream(settings.seed, part, name).integers(1 << 30, size=settings.clips)
        ]
        for name in classes
    ]


@dataclass(frozen=True)
class SequenceSettings:
    """Settings of sequences of scenes.

    Attributes:
        count: sequences.
        scenes: in each.
        hop: samples of a hop; scenes change between two hops.
        sample_rate_hz: [Hz].
        seed: of everything that is drawn.
    """

    count: int
    scenes: int
    hop: int
    sample_rate_hz: int
    seed: int


def draw_sequences(pool: ClipPool, settings: SequenceSettings, name: str) -> list[SceneSequence]:
    """Sequences of scenes of 6 to 14 s, the same for the same seed and name.

    Args:
        pool: clips by class.
        settings: of the sequences.
        name: of the random stream.
    """
    return [
        scene_sequence(
            pool,
            stream(settings.seed, name, number),
            scenes=settings.scenes,
            duration_s=SCENE_DURATION_S,
            hop=settings.hop,
            sample_rate_hz=settings.sample_rate_hz,
        )
        for number in range(settings.count)
    ]


def _merge(first: ClipPool, second: ClipPool) -> ClipPool:
    return [[*a, *b] for a, b in zip(first, second, strict=True)]
