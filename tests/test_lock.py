"""requirements.lock holds the pins of pyproject.toml, each package with hashes."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_lock_has_every_pin_of_python_3_11_with_hashes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["train"], *extras["dev"]]
    pins = {}
    for line in lines:
        requirement, _, marker = line.partition(";")
        if "==" in requirement and ">= '3.13'" not in marker:
            name, version = requirement.strip().split("==")
            pins[re.sub(r"\[.*", "", name)] = version
    blocks = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text())
    locked = {}
    for block in blocks:
        match = re.match(r"([\w.-]+)(?:\[\w+\])?==(\S+)", block)
        if match:
            locked[match[1]] = match[2]
            assert "--hash=sha256:" in block, match[1]
    # after a change of a pin, make the lock anew as its first lines say
    assert {name: locked.get(name) for name in pins} == pins
    assert len(locked) > len(pins) > 10
