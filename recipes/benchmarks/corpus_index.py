"""Time and memory of indexing 230,350 clips: `python -m recipes.benchmarks.corpus_index`.

Writes a folder with the layout of TAU Urban Acoustic Scenes 2022 Mobile (empty files) and reads it
in a process of its own, so that the measured memory is that of the index.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from zoo.cli import command
from zoo.cli.options import positive_int

CLIPS = 230_350  # of the published corpus
MAX_SECONDS, MAX_PEAK_MB = 10, 500
SCENES = (
    *("airport", "bus", "metro", "metro_station", "park", "public_square", "shopping_mall"),
    *("street_pedestrian", "street_traffic", "tram"),
)
CITIES = ("barcelona", "helsinki", "lisbon", "london", "lyon", "milan", "paris")
DEVICES = ("a", "b", "c", "s1", "s2", "s3", "s4", "s5", "s6")
TEST_DEVICES = ("s4", "s5", "s6")
MEASURE = """
import json, resource, sys, time
from zoo.data import corpora
start = time.perf_counter()
index = corpora.read(sys.argv[1]).index
seconds = time.perf_counter() - start
peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"clips": len(index), "seconds": seconds, "peak_mb": peak_kb / 1024,
                  "index_mb": index.memory_usage(deep=True).sum() / 2**20}))
"""


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.corpus_index",
        description="Time and memory of indexing a large corpus.",
        formatter_class=command.Help,
    )
    parser.add_argument("--clips", type=positive_int, default=CLIPS, help="files to index")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns its exit code."""
    options = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "TAU")
        print(f"writing {options.clips:,} empty files ...", file=sys.stderr)
        write_tau_2022(root, options.clips)
        process = subprocess.run(
            [sys.executable, "-c", MEASURE, str(root)], capture_output=True, text=True, check=True
        )
    result = json.loads(process.stdout)
    print(f"{result['clips']:,} clips in {result['seconds']:.1f} s (aim: under {MAX_SECONDS})")
    print(f"peak memory of the process {result['peak_mb']:.0f} MB (aim: under {MAX_PEAK_MB})")
    print(f"the index alone {result['index_mb']:.0f} MB")
    return 0


def write_tau_2022(root: Path, clips: int) -> None:
    """Write the layout of the corpus with empty files.

    Args:
        root: new folder.
        clips: files to write.
    """
    (root / "audio").mkdir(parents=True)
    setup = root / "evaluation_setup"
    setup.mkdir()
    meta, train, test = [], [], []
    for number in range(clips):
        piece, segment = number % 10, number // 10
        device = DEVICES[segment % len(DEVICES)]
        place = segment // 40
        scene, city = SCENES[place % len(SCENES)], CITIES[place % len(CITIES)]
        name = f"audio/{scene}-{city}-{place}-{segment}-{piece}-{device}.wav"
        (root / name).touch()
        meta.append(f"{name}\t{scene}\t{city}-{place}\t{device}")
        is_train = place % 4 and device not in TEST_DEVICES
        (train if is_train else test).append(f"{name}\t{scene}")
    header = "filename\tscene_label"
    _write_lines(root / "meta.csv", [f"{header}\tidentifier\tsource_label", *meta])
    _write_lines(setup / "fold1_train.csv", [header, *train])
    _write_lines(setup / "fold1_evaluate.csv", [header, *test])
    _write_lines(setup / "fold1_test.csv", ["filename", *(line.split("\t")[0] for line in test)])


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    command.run(main)
