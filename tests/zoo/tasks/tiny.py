"""Tasks of the tests: importable by name, without TensorFlow."""

import os
import signal
import time
from pathlib import Path


def write(path, value=0, offset=0):
    Path(path).write_text(str(value + offset))


def die_at_first(path, times=1):
    """Kill the own process at the first calls, as a lack of memory would; then write."""
    deaths = Path(f"{path}.deaths")
    count = len(deaths.read_text()) if deaths.exists() else 0
    if count < times:
        deaths.write_text("x" * (count + 1))
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, count)


def mistake(path):
    with Path(f"{path}.calls").open("a") as file:
        file.write("x")
    raise ValueError("expected a spoon\nreceived a fork")


def defect(path):
    print("before it failed")
    raise RuntimeError("a defect")


def nothing(path):
    pass


def interrupt(path):
    raise KeyboardInterrupt


def environment(path):
    print("printed")
    Path(path).write_text(f"{os.environ['OMP_NUM_THREADS']} {os.getpid()}")


def slow(path, seconds):
    Path(f"{path}.pid").write_text(str(os.getpid()))
    time.sleep(seconds)
    write(path)


class Adder:
    """A replica: adds to what it is sent; dies at a number, once."""

    def __init__(self, start, folder):
        self.start, self.marker = start, Path(folder, "died")

    def __call__(self, request):
        if request == 13 and not self.marker.exists():
            self.marker.write_text("")
            os.kill(os.getpid(), signal.SIGKILL)
        if request < 0:
            raise ValueError("expected 0 or more")
        return self.start + request, os.getpid()
