"""The studio's modules in Node, without a browser."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from zoo.studio.app import WEB
from zoo.studio.bundle import bundle


def run_module(main: str, folder: Path, value: Any) -> Any:
    """What the module's constant `answer` does with a value; both as JSON has them."""
    node = shutil.which("node")
    if not node:
        pytest.skip("Node is not installed")
    sources = {
        path.relative_to(WEB).as_posix(): path.read_text("utf-8") for path in WEB.rglob("*.js")
    }
    tail = (
        '\nconst value = JSON.parse(require("fs").readFileSync(0, "utf-8"));\n'
        "Promise.resolve(answer(value)).then((it) => process.stdout.write(JSON.stringify(it)));\n"
    )
    script = folder / "main.cjs"
    script.write_text(bundle({**sources, "test.js": main + tail}, "test.js"), "utf-8")
    done = subprocess.run(
        [node, str(script)], input=json.dumps(value), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
