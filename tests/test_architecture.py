"""Who may import whom, read off the syntax tree."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    path.relative_to(ROOT)
    for folder in ("zoo", "recipes")
    for path in (ROOT / folder).rglob("*.py")
)
# The first row that fits a module says which modules of ours it may import.
MAY_IMPORT = {
    "recipes/app.py": (),
    "recipes/": ("zoo", "recipes"),
    "zoo/__main__.py": ("zoo",),
    "zoo/presets.py": (
        "zoo.recurrent",
        "zoo.cells",
        "zoo.convnets",
        "zoo.peers",
        "zoo.spectrogram",
    ),
    "zoo/convnets/": ("zoo.cells", "zoo.recurrent"),
    "zoo/explanation.py": ("zoo.spectrogram",),
    "zoo/streaming.py": ("zoo.convnets", "zoo.spectrogram"),
    "zoo/peers.py": ("zoo.recurrent",),
    "zoo/recurrent.py": ("zoo.cells",),
    "zoo/cells/": ("zoo.cells",),
    "zoo/data/__main__.py": ("zoo",),  # it draws
    "zoo/firmware/": ("zoo.edge", "zoo.spectrogram"),  # it writes down what these compute
    "zoo/data/": ("zoo.data",),
}
# Plots and reports are drawn by one place; runtimes for apps stay light.
HEAVY = {"matplotlib": ("zoo/plots", "recipes/app.py"), "tensorflow_io": ("zoo/data/",)}


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import; imports are absolute here"
            names.add(node.module)
    return names


def package_of(path: Path) -> str:
    """`zoo/plots/loops.py` -> `zoo.plots`: a folder may import its own files."""
    return ".".join(path.parts[:2]).removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_go_one_way(path):
    allowed = next((v for k, v in MAY_IMPORT.items() if str(path).startswith(k)), ())
    allowed = (*allowed, package_of(path))
    ours = {name for name in imported(path) if name.split(".")[0] in ("zoo", "recipes", "tests")}
    ours -= {"zoo"}  # the package itself holds nothing but its version
    wrong = {n for n in ours if not any(n == a or n.startswith(f"{a}.") for a in allowed)}
    assert not wrong, f"{path} imports {sorted(wrong)}; it may import {allowed}"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_heavy_packages_have_one_home(path):
    for package, homes in HEAVY.items():
        at_home = any(str(path).startswith(home) for home in homes)
        uses = any(name.split(".")[0] == package for name in imported(path))
        assert at_home or not uses, f"{path} imports {package}, whose home is {homes}"


EDGE = [path for path in MODULES if path.parts[:2] == ("zoo", "edge")]
# What a device has installed, and what it may have: one reads more kinds of files, one microphones.
ON_DEVICE = {"zoo", "numpy", "ai_edge_litert", "soundfile", "sounddevice"}


@pytest.mark.parametrize("path", EDGE, ids=str)
def test_what_runs_on_a_device_stays_light(path):
    names = {name.split(".")[0] for name in imported(path)}
    wrong = names - ON_DEVICE - sys.stdlib_module_names
    assert not wrong, f"{path} imports {sorted(wrong)}, which a device does not have"


def test_the_test_sees_the_house():
    assert {Path("zoo/recurrent.py"), Path("zoo/cells/gated.py")} <= set(MODULES)
    assert EDGE
