"""Scenes of recordings that were not trained on, to fit the decision to and to measure on."""

from collections.abc import Sequence

import numpy as np
from keras import ops

from recipes.hearing_aid.classes import BOUNDARY_SNR_DB, CLASSES
from recipes.hearing_aid.pools import LIMITS, SoundPools
from recipes.hearing_aid.scene_bank import pools_bank, scene_sources
from recipes.hearing_aid.scene_mixing import SceneMix, SceneMixer
from recipes.hearing_aid.synthetic import ClipPool
from zoo.data.bank import Bank
from zoo.progress import say

CLIPS, HOPS = 24, 900  # of each class; of a clip, 14.4 s


def bank_pools(
    bank: Bank, *, seed: int, clips: int = CLIPS, hops: int = HOPS, trained: Sequence[Bank] = ()
) -> SoundPools:
    """Pools for fitting the decision and for measuring; no recording is in both or was trained on.

    Args:
        bank: sound bank.
        seed: of the scenes.
        clips: of each class.
        hops: of a clip.
        trained: banks that were only trained on; their licences count.

    Raises:
        ValueError: a source without clips in one of the parts.
    """
    pools: dict[str, ClipPool] = {}
    mixer: SceneMixer | None = None
    for number, part in enumerate(("validation", "test")):
        sources = scene_sources(bank, (part,), seed)
        mixer = SceneMixer(
            pools_bank(sources), SceneMix(hops=hops, change=0.0), seed=seed + 1 + number
        )
        say(f"making scenes of recordings that were not trained on ({part})")
        pools[part] = [_draw(mixer, k, clips) for k in range(len(CLASSES))]
    licences, sources = (
        sorted({str(each) for part in (bank, *trained) for each in part.table[name]} - {""})
        for name in ("licence", "source")
    )
    return SoundPools(
        CLASSES,
        [[] for _ in CLASSES],
        pools["validation"],
        [[] for _ in CLASSES],
        pools["test"],
        data_licence=f"recordings of {', '.join(sources)}, under {', '.join(licences)}.",
        limits=(
            *LIMITS,
            "The recorded sequences are made of speakers, pieces of music and recordings that were "
            "in no part of the training of the weights measured on them, through drawn rooms and "
            "microphones.",
            f"Speech counts as speech from {BOUNDARY_SNR_DB:g} dB above its background on, below "
            "that as speech in noise. The sequences have 14 dB or more, or 10 dB or less: in "
            "between either is right.",
        ),
        mixer=mixer,
    )


def _draw(mixer: SceneMixer, number: int, clips: int) -> list[np.ndarray]:
    drawn: ClipPool = [
        list(ops.convert_to_numpy(mixer.draw_class(number, 4))) for _ in range(-(-clips // 4))
    ]
    return [np.asarray(clip, np.float32) for part in drawn for clip in part][:clips]
