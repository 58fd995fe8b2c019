"""Other clips as background noise: data augmentation by sounds that were really recorded."""

from dataclasses import replace

import numpy as np

from zoo.data.clips import Clips, Source
from zoo.data.cutting import cut


class BackgroundSource:
    """Clips of a source, each with another one behind it; see `zoo.data.clips.Source`.

    y = x + g b, where b is the other clip, cut or repeated to the length of x, and g sets the ratio
    of their mean powers. A silent clip stays as it is.

    Args:
        source: of the clips.
        rows: of the source to use, in order.
        others: (clips,) number in `rows` of the background; a clip's own number: none.
        snr_db: (clips,) ratio of the mean power of clip and background [dB].
    """

    trailing = ()

    def __init__(
        self, source: Source, rows: np.ndarray, others: np.ndarray, snr_db: np.ndarray
    ) -> None:
        self.source, self.rows, self.others, self.snr_db = source, rows, others, snr_db
        self.lengths = source.lengths[rows]

    def __getitem__(self, row: int) -> np.ndarray:
        """Clip (samples,) float32."""
        clip = np.asarray(self.source[self.rows[row]])
        if self.others[row] == row:
            return clip
        background = cut(np.asarray(self.source[self.rows[self.others[row]]]), len(clip), at=0.5)
        power, noise = (float(np.mean(np.square(x, dtype=np.float64))) for x in (clip, background))
        if noise == 0:
            return clip
        gain = np.sqrt(power / noise) * 10 ** (-self.snr_db[row] / 20)
        return (clip + gain * background).astype(np.float32)


def add_backgrounds(
    clips: Clips,
    parts: np.ndarray,
    *,
    share: float = 0.3,
    snr_db: tuple[float, float] = (5.0, 25.0),
    seed: int = 0,
) -> Clips:
    """The same clips, a share of them with another clip behind it.

    Labels are those of the foreground. The other clip is of the same part and of another class, so
    that no clip of a test part is mixed into a training clip.

    Args:
        clips: waveforms.
        parts: (clips,) number of the part of each, such as of the fold that tests on it.
        share: of the clips that get a background; 0 to 1.
        snr_db: lowest and highest ratio of the mean power of clip and background [dB].
        seed: of choice and ratio.

    Raises:
        ValueError: a share out of range, or one number of a part for each clip is not given.
    """
    if not 0 <= share <= 1 or parts.shape != (len(clips),):
        raise ValueError(
            "`share` must lie between 0 and 1, and `parts` must hold a number for each of the "
            f"{len(clips)} clips. Received: {share}, parts of shape {parts.shape}."
        )
    rng = np.random.default_rng(seed)
    others = np.arange(len(clips))
    for number in np.flatnonzero(rng.random(len(clips)) < share):
        candidates = (parts == parts[number]) & (clips.labels != clips.labels[number])
        if candidates.any():
            others[number] = rng.choice(np.flatnonzero(candidates))
    ratios_db = rng.uniform(*snr_db, len(clips))
    source = BackgroundSource(clips.source, clips.rows, others, ratios_db)
    return replace(clips, source=source, rows=np.arange(len(clips)))
