"""Numbers that hold where nobody gave another: defaults of public functions, and constants.

Cards, manifests and commands name what was chosen and are silent about the rest, so that the rest
must stay. `defaults.json` has what stood when the shipped models were made. Who changes a default
on purpose writes the file anew, `python -m tests.defaults`, and says so in CHANGELOG.md.
"""

import ast
import importlib
import inspect
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE = Path(__file__).with_name("defaults.json")
PARTS = ("cells", "training", "export", "edge", "metrics", "data")


def check_defaults(part):
    """Fail where a default or a constant of a part is not what it was, and name each.

    What was added or taken away since the file was written is not looked at.
    """
    kept, found = json.loads(FILE.read_text()), read_defaults(part)
    assert {name: value for name, value in found.items() if value != kept.get(name, value)} == {}
    assert len(kept.keys() & found.keys()) > 0.9 * len(found)


def read_defaults(part):
    """Full name -> value, of simple values only."""
    path = ROOT / "zoo" / part
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    values = {}
    for file in files:
        if file.stem in ("__init__", "__main__"):
            continue
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        # imported here, not above: .ci/mutate.py then knows that this test runs their lines
        for key, value in public(importlib.import_module(name), name):
            values[f"{name}.{key}"] = value
    return values


def public(thing, module):
    """Names and values of what is public in a module or a class, and is its own."""
    body = ast.parse(inspect.getsource(thing)).body
    assigned = {name.id for node in body for name in names(node)}
    for name, value in vars(thing).items():
        if name.startswith("_") and name != "__init__":
            continue
        if inspect.isclass(value) and value.__module__ == module:
            yield from ((f"{name}.{key}", found) for key, found in public(value, module))
        elif inspect.isfunction(value) and value.__module__ == module:
            for parameter in inspect.signature(value).parameters.values():
                if parameter.default is not None and is_simple(parameter.default):
                    yield f"{name}({parameter.name})", as_json(parameter.default)
        elif name in assigned and value is not None and is_simple(value):
            yield name, as_json(value)


def names(node):
    """Names that a statement assigns, in a module or in the body of a class alone there."""
    body = node.body if isinstance(node, ast.ClassDef) else [node]
    for each in body:
        targets = each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)]
        yield from (target for target in targets if isinstance(target, ast.Name))


def is_simple(value):
    """Whether a value is a number, a word, None, or several of them."""
    if isinstance(value, tuple | list | set | frozenset):
        return all(map(is_simple, value))
    if isinstance(value, dict):
        return all(is_simple(each) for pair in value.items() for each in pair)
    return value is None or type(value) in (bool, int, float, str)


def as_json(value):
    """The value as JSON gives it back; numbers that JSON has not as words."""
    if isinstance(value, dict):
        return {str(key): as_json(each) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, tuple | list):
        return [as_json(each) for each in value]
    return str(value) if value in (float("inf"), float("-inf")) or value != value else value


if __name__ == "__main__":
    content = {name: value for part in PARTS for name, value in read_defaults(part).items()}
    lines = [f"{json.dumps(name)}:{json.dumps(value)}" for name, value in content.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    sys.exit(0)
