"""tensorflow-io's decoders beside libsndfile: agreement, speed, behaviour on damaged files.

    python -m recipes.benchmarks.audio_decoders [--seconds 5] [--repeats 10]

The decoders run in a process of their own, since a damaged file may crash it or never return.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import soundfile

from zoo.cli import command
from zoo.cli.options import positive_float, positive_int

RATE_HZ = 44_100
TIMEOUT_S = 20
# name -> suffix, encoding of libsndfile
ENCODINGS = {
    "WAV 16": ("wav", "PCM_16"),
    "WAV 24": ("wav", "PCM_24"),
    "WAV 32": ("wav", "PCM_32"),
    "WAV float": ("wav", "FLOAT"),
    "FLAC 16": ("flac", "PCM_16"),
    "FLAC 24": ("flac", "PCM_24"),
    "Vorbis": ("ogg", "VORBIS"),
    "MP3": ("mp3", "MPEG_LAYER_III"),
}


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.audio_decoders",
        description="tensorflow-io's decoders beside libsndfile, on whole and damaged files.",
        formatter_class=command.Help,
    )
    parser.add_argument("--seconds", type=positive_float, default=5.0, help="length of the sound")
    parser.add_argument("--repeats", type=positive_int, default=10, help="decodings to time")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Decode every encoding, whole and damaged, and print a line each; returns the exit code."""
    options = parser().parse_args(arguments)
    worker = Worker()
    with tempfile.TemporaryDirectory() as folder:
        for name, (suffix, encoding) in ENCODINGS.items():
            whole = Path(folder, f"whole.{suffix}")
            write_sound(whole, options.seconds, encoding)
            result = worker.run(compare_decoders, whole, encoding, options.repeats)
            print(f"{name:10} whole      {result}")
            for fault, content in damaged_copies(whole.read_bytes()).items():
                path = Path(folder, f"damaged.{suffix}")
                path.write_bytes(content)
                print(f"{name:10} {fault:10} {worker.run(try_decoder, path, encoding)}", flush=True)
    worker.stop()
    return 0


class Worker:
    """A process that decodes; it is started again when a file crashed or blocked it."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def run(self, function: Callable[..., str], *arguments: object) -> str:
        """Result of the function, or what happened to the process."""
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=context)
            self._pool.submit(_load_decoders).result()
        try:
            return self._pool.submit(function, *arguments).result(timeout=TIMEOUT_S)
        except BrokenProcessPool:
            self.stop()
            return "ENDS THE PROCESS"
        except TimeoutError:
            self.stop()
            return f"HAS NOT RETURNED after {TIMEOUT_S} s"

    def stop(self) -> None:
        """End the process."""
        if self._pool is not None:
            for process in list((self._pool._processes or {}).values()):
                process.kill()
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None


def _load_decoders() -> None:
    """Import tensorflow-io and load its native library."""
    # Here, since only the worker process needs them.
    import tensorflow as tf
    import tensorflow_io as tfio

    tfio.audio.resample(tf.zeros(100), 2, 1)


def _decode(path: Path, encoding: str) -> np.ndarray:
    """(frames, channels), decoded by tensorflow-io."""
    # Here, since only the worker process needs them.
    import tensorflow as tf
    import tensorflow_io as tfio

    content = tf.io.read_file(str(path))
    dtypes = {"PCM_16": tf.int16, "PCM_24": tf.int32}  # int32 is refused for 32 bits
    if path.suffix == ".wav":
        return tfio.audio.decode_wav(content, dtype=dtypes.get(encoding, tf.float32)).numpy()
    if path.suffix == ".flac":
        return tfio.audio.decode_flac(content, dtype=dtypes[encoding]).numpy()
    if path.suffix == ".ogg":
        return tfio.audio.decode_vorbis(content).numpy()
    return tfio.audio.decode_mp3(content).numpy()


def compare_decoders(path: Path, encoding: str, repeats: int) -> str:
    """Largest difference, frames and times of both decoders in a line; runs in the worker.

    Args:
        path: of a file that is not damaged.
        encoding: libsndfile's name.
        repeats: decodings to time.
    """
    decoded = _decode(path, encoding)
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    if not np.isfinite(decoded).all():
        return "not finite: it reads integers as floats"
    if decoded.dtype.kind == "i":
        decoded = decoded / -float(np.iinfo(decoded.dtype).min)
    frames = min(len(expected), len(decoded))
    return (
        f"largest difference {np.abs(decoded[:frames] - expected[:frames]).max():.0e}, "
        f"{len(decoded) - len(expected):+d} frames, "
        f"{_time_ms(lambda: _decode(path, encoding), repeats):.1f} ms, "
        f"libsndfile {_time_ms(lambda: soundfile.read(path, dtype='float32'), repeats):.1f} ms"
    )


def _time_ms(function: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return 1e3 * (time.perf_counter() - start) / repeats


def try_decoder(path: Path, encoding: str) -> str:
    """What tensorflow-io makes of a damaged file, in a line; runs in the worker."""
    try:
        return f"reads {len(_decode(path, encoding))} frames"
    except Exception as error:  # any kind is reported by its name
        return f"error: {type(error).__name__}"


def write_sound(path: Path, seconds: float, encoding: str) -> None:
    """Write a tone in noise.

    Args:
        path: of the file.
        seconds: length [s].
        encoding: libsndfile's name.
    """
    rng = np.random.default_rng(0)
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    sound = 0.4 * np.sin(2 * np.pi * 440 * time_s) + 0.05 * rng.standard_normal(len(time_s))
    soundfile.write(path, sound, RATE_HZ, subtype=encoding)


def damaged_copies(content: bytes) -> dict[str, bytes]:
    """Kind of damage -> content of the file."""
    hole = bytearray(content)
    hole[len(content) // 2 : len(content) // 2 + 200] = bytes(200)
    ones, zeros = bytearray(content), bytearray(content)
    ones[20:44], zeros[20:44] = b"\xff" * 24, bytes(24)
    one_byte = bytearray(content)
    if content.startswith(b"RIFF"):
        one_byte[32] = 0  # frames of no bytes
    else:
        one_byte[22] = 255  # in FLAC, more samples than there are
    return {
        "cut short": content[: len(content) // 2],
        "one byte": bytes(one_byte),
        "hole": bytes(hole),
        "header 255": bytes(ones),
        "header 0": bytes(zeros),
        "empty": b"",
    }


if __name__ == "__main__":
    command.run(main)
