"""Run every job of every network in a process of its own, and print a line each."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

from recipes.benchmarks.alexnet.settings import Settings


def run(settings: Settings) -> int:
    """Measure all networks; returns the exit code, 1 if a loss did not fall."""
    print(
        f"{'':16}{'':16}{'batch':>6}{'median ms':>11}{'fastest':>9}{'processor':>11}{'peak MB':>9}"
    )
    baseline = _measure("import", replace(settings, networks=settings.networks[:1]))
    print(f"{'TensorFlow alone':32}{'':37}{baseline['peak_mb']:9,.0f}", flush=True)
    has_learnt = True
    for network in settings.networks:
        one = replace(settings, networks=(network,))
        for job, batch in (
            ("inference", 1),
            ("inference", settings.batch),
            ("training step", settings.batch),
        ):
            result = _measure(job, replace(one, batch=batch))
            print(
                f"{network:16}{job:16}{result['batch']:6}{result['median_ms']:11,.0f}"
                f"{result['fastest_ms']:9,.0f}{result['processor_ms']:11,.0f}"
                f"{result['peak_mb']:9,.0f}",
                flush=True,
            )
        losses = _measure("spectrograms", one)["losses"]
        has_learnt &= losses[-1] < losses[0]
        print(f"{network:16}spectrograms: loss {', '.join(f'{loss:.2f}' for loss in losses)}")
    return 0 if has_learnt else 1


def _measure(job: str, settings: Settings) -> dict[str, Any]:
    """Results of one job, from a process of its own."""
    command = [sys.executable, "-m", "recipes.benchmarks.alexnet", "--job", job]
    command += ["--models", *settings.networks, "--batch", str(settings.batch)]
    command += ["--repeats", str(settings.repeats), "--steps", str(settings.steps)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    )
    if done.returncode:
        raise OSError(f"{job} of {settings.networks[0]} ended with {done.returncode}; see above")
    return json.loads(done.stdout.splitlines()[-1])
