"""tensorflow-io's decoders beside libsndfile: agreement, speed, and what damaged files do to them.

python -m recipes.benchmarks.audio_decoders [--seconds 5] [--repeats 10]

They run in a process of their own, which a damaged file may end or keep for ever.
"""

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

RATE_HZ = 44_100
PATIENCE_S = 20
KINDS = {
    "WAV 16": ("wav", "PCM_16"),
    "WAV 24": ("wav", "PCM_24"),
    "WAV 32": ("wav", "PCM_32"),
    "WAV float": ("wav", "FLOAT"),
    "FLAC 16": ("flac", "PCM_16"),
    "FLAC 24": ("flac", "PCM_24"),
    "Vorbis": ("ogg", "VORBIS"),
    "MP3": ("mp3", "MPEG_LAYER_III"),
}


def main() -> int:
    """Run every kind, whole and damaged, and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="length of the sound")
    parser.add_argument("--repeats", type=int, default=10, help="decodings to time")
    options = parser.parse_args()
    if options.seconds <= 0 or options.repeats < 1:
        print("error: --seconds must be positive and --repeats 1 or more", file=sys.stderr)
        return 2
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    decoder = Decoder()
    with tempfile.TemporaryDirectory() as folder:
        for name, (suffix, subtype) in KINDS.items():
            whole = Path(folder, f"whole.{suffix}")
            _write(whole, options.seconds, subtype)
            print(f"{name:10} whole      {decoder.run(_compare, whole, subtype, options.repeats)}")
            for fault, content in _damaged(whole.read_bytes()).items():
                path = Path(folder, f"damaged.{suffix}")
                path.write_bytes(content)
                print(f"{name:10} {fault:10} {decoder.run(_try, path, subtype)}", flush=True)
    decoder.stop()
    return 0


class Decoder:
    """A process that decodes, begun anew when a file has ended it or holds it up."""

    def __init__(self) -> None:
        self.pool = None

    def run(self, function, *arguments) -> str:
        """What the function says, or what became of the process."""
        if self.pool is None:
            self.pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
            self.pool.submit(_prepare).result()
        try:
            return self.pool.submit(function, *arguments).result(timeout=PATIENCE_S)
        except BrokenProcessPool:
            self.stop()
            return "ENDS THE PROCESS"
        except TimeoutError:
            self.stop()
            return f"HAS NOT RETURNED after {PATIENCE_S} s"

    def stop(self) -> None:
        """End the process."""
        if self.pool is not None:
            for process in list((self.pool._processes or {}).values()):
                process.kill()
            self.pool.shutdown(wait=False, cancel_futures=True)
        self.pool = None


def _prepare() -> None:
    """Import, and load the native library."""
    import tensorflow as tf
    import tensorflow_io as tfio

    tfio.audio.resample(tf.zeros(100), 2, 1)


def _decode(path: Path, subtype: str):
    import tensorflow as tf
    import tensorflow_io as tfio

    content = tf.io.read_file(str(path))
    whole = {"PCM_16": tf.int16, "PCM_24": tf.int32}  # it refuses int32 for 32 bits
    if path.suffix == ".wav":
        return tfio.audio.decode_wav(content, dtype=whole.get(subtype, tf.float32)).numpy()
    if path.suffix == ".flac":
        return tfio.audio.decode_flac(content, dtype=whole[subtype]).numpy()
    if path.suffix == ".ogg":
        return tfio.audio.decode_vorbis(content).numpy()
    return tfio.audio.decode_mp3(content).numpy()


def _compare(path: Path, subtype: str, repeats: int) -> str:
    import numpy as np
    import soundfile

    theirs = _decode(path, subtype)
    ours, _ = soundfile.read(path, dtype="float32", always_2d=True)
    if not np.isfinite(theirs).all():
        return "not finite, for it takes integers for floats"
    if theirs.dtype.kind == "i":
        theirs = theirs / -float(np.iinfo(theirs.dtype).min)
    shared = min(len(ours), len(theirs))
    return (
        f"furthest {np.abs(theirs[:shared] - ours[:shared]).max():.0e}, "
        f"{len(theirs) - len(ours):+d} frames, "
        f"{_milliseconds(lambda: _decode(path, subtype), repeats):.1f} ms, "
        f"libsndfile {_milliseconds(lambda: soundfile.read(path, dtype='float32'), repeats):.1f} ms"
    )


def _milliseconds(run, repeats: int) -> float:
    began = time.perf_counter()
    for _ in range(repeats):
        run()
    return 1e3 * (time.perf_counter() - began) / repeats


def _try(path: Path, subtype: str) -> str:
    try:
        return f"reads {len(_decode(path, subtype))} frames"
    except Exception as error:
        return f"error: {type(error).__name__}"


def _write(path: Path, seconds: float, subtype: str) -> None:
    import numpy as np
    import soundfile

    draw = np.random.default_rng(0)
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    sound = 0.4 * np.sin(2 * np.pi * 440 * time_s) + 0.05 * draw.standard_normal(len(time_s))
    soundfile.write(path, sound, RATE_HZ, subtype=subtype)


def _damaged(content: bytes) -> dict[str, bytes]:
    middle = bytearray(content)
    middle[len(content) // 2 : len(content) // 2 + 200] = bytes(200)
    ones, zeros = bytearray(content), bytearray(content)
    ones[20:44], zeros[20:44] = b"\xff" * 24, bytes(24)
    byte = bytearray(content)
    if content.startswith(b"RIFF"):
        byte[32] = 0  # frames of no bytes
    else:
        byte[22] = 255  # in FLAC, more samples than there are
    return {
        "cut short": content[: len(content) // 2],
        "one byte": bytes(byte),
        "hole": bytes(middle),
        "header 255": bytes(ones),
        "header 0": bytes(zeros),
        "empty": b"",
    }


if __name__ == "__main__":
    sys.exit(main())
