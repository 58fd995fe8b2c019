"""Time and memory of indexing 230,350 clips: `python -m recipes.benchmarks.corpus_index`.

Fakes the folder of TAU Urban Acoustic Scenes 2022 Mobile (empty files) and reads it in a process of
its own, so that the memory counted is that of the index.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

_SCENES = ("airport", "bus", "metro", "metro_station", "park", "public_square", "shopping_mall")
_SCENES += ("street_pedestrian", "street_traffic", "tram")
_CITIES = ("barcelona", "helsinki", "lisbon", "london", "lyon", "milan", "paris")
_DEVICES = ("a", "b", "c", "s1", "s2", "s3", "s4", "s5", "s6")
_READ = """
import json, resource, sys, time
from zoo.data import corpora
began = time.perf_counter()
index = corpora.read(sys.argv[1]).index
took = time.perf_counter() - began
peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"clips": len(index), "seconds": took, "peak_mb": peak_kb / 1024,
                  "index_mb": index.memory_usage(deep=True).sum() / 2**20}))
"""


def fake_tau_2022(root: Path, clips: int) -> None:
    """Lay out the corpus with empty files."""
    (root / "audio").mkdir(parents=True)
    (root / "evaluation_setup").mkdir()
    meta, train, test = [], [], []
    for number in range(clips):
        piece, segment = number % 10, number // 10
        device = _DEVICES[segment % len(_DEVICES)]
        place = segment // 40
        scene, city = _SCENES[place % len(_SCENES)], _CITIES[place % len(_CITIES)]
        name = f"audio/{scene}-{city}-{place}-{segment}-{piece}-{device}.wav"
        (root / name).touch()
        meta.append(f"{name}\t{scene}\t{city}-{place}\t{device}")
        if place % 4 and device not in ("s4", "s5", "s6"):
            train.append(f"{name}\t{scene}")
        else:
            test.append(f"{name}\t{scene}")
    header = "filename\tscene_label"
    (root / "meta.csv").write_text("\n".join([f"{header}\tidentifier\tsource_label", *meta]) + "\n")
    setup = root / "evaluation_setup"
    (setup / "fold1_train.csv").write_text("\n".join([header, *train]) + "\n")
    (setup / "fold1_evaluate.csv").write_text("\n".join([header, *test]) + "\n")
    names = [line.split("\t")[0] for line in test]
    (setup / "fold1_test.csv").write_text("\n".join(["filename", *names]) + "\n")


def main() -> None:
    """Make the folder, read it, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=230_350)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "TAU")
        print(f"laying out {options.clips:,} empty files ...", file=sys.stderr)
        fake_tau_2022(root, options.clips)
        done = subprocess.run(
            [sys.executable, "-c", _READ, str(root)], capture_output=True, text=True, check=True
        )
    found = json.loads(done.stdout)
    print(f"{found['clips']:,} clips indexed in {found['seconds']:.1f} s (aim: under 10)")
    print(f"peak memory of the process {found['peak_mb']:.0f} MB (aim: under 500)")
    print(f"the index itself {found['index_mb']:.0f} MB")


if __name__ == "__main__":
    main()
