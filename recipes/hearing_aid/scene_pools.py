"""Scenes of recordings that were not trained on, to fit the decision to and to measure on."""

import numpy as np
from keras import ops

from recipes.hearing_aid.classes import CLASSES
from recipes.hearing_aid.pools import LIMITS, SoundPools
from recipes.hearing_aid.scene_bank import pools_bank, scene_sources
from recipes.hearing_aid.scene_mixing import SceneMix, SceneMixer
from recipes.hearing_aid.synthetic import ClipPool
from zoo.data.bank import Bank
from zoo.progress import say

CLIPS, HOPS = 24, 900  # of each class; of a clip, 14.4 s


def bank_pools(bank: Bank, *, seed: int, clips: int = CLIPS, hops: int = HOPS) -> SoundPools:
    """Pools for fitting the decision and for measuring; no recording is in both or was trained on.

    Args:
        bank: sound bank.
        seed: of the scenes.
        clips: of each class.
        hops: of a clip.

    Raises:
        ValueError: a source without clips in one of the parts.
    """
    pools, counts = {}, {}
    for number, part in enumerate(("validation", "test")):
        sources = scene_sources(bank, (part,), seed)
        counts[part] = {name: len(each) for name, each in sources.items()}
        mixer = SceneMixer(
            pools_bank(sources), SceneMix(hops=hops, change=0.0), seed=seed + 1 + number
        )
        say(f"making scenes of recordings that were not trained on ({part})")
        pools[part] = [_draw(mixer, k, clips) for k in range(len(CLASSES))]
    licences = sorted(set(bank.table["licence"].astype(str)) - {""})
    sources = sorted(set(bank.table["source"].astype(str)) - {""})
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
            "in no part of the training, through drawn rooms and microphones.",
            "Speech counts as speech from 14 dB above its background on, as speech in noise up to "
            "10 dB; in between either is right, and nothing was trained or measured there.",
        ),
    )


def _draw(mixer: SceneMixer, number: int, clips: int) -> list[np.ndarray]:
    drawn: ClipPool = [
        list(ops.convert_to_numpy(mixer.draw_class(number, 4))) for _ in range(-(-clips // 4))
    ]
    return [np.asarray(clip, np.float32) for part in drawn for clip in part][:clips]
