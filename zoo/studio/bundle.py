"""JavaScript modules joined into one script, for a page that has no files beside it.

Of the language's ways to import and export, the app uses two, which this module knows: `import
{ a, b as c } from "./file.js";` and `export` in front of a function, a class or a constant.
"""

import posixpath
import re
from collections.abc import Mapping

_IMPORT = re.compile(r"^import\s*\{([^}]*)\}\s*from\s*\"([^\"]+)\";[ \t]*$", re.M)
_EXPORT = re.compile(r"^export ((?:async )?function\*?|class|const) +(\w+)", re.M)
_OTHER = re.compile(r"^(?:import|export)\b.*$|\bimport\(|\bimport\.meta\b", re.M)


def bundle(sources: Mapping[str, str], main: str) -> str:
    """One script that runs the module `main` and all that it imports, each once.

    Args:
        sources: path -> text of the modules; others are left out.
        main: path of the module that starts the app.

    Raises:
        ValueError: a module that is not there, a circle of imports, or another form of import.
    """
    order: list[str] = []
    _visit(sources, main, order, ())
    parts = ['"use strict";', "const modules = {};"]
    for name in order:
        exported = ", ".join(match[2] for match in _EXPORT.finditer(sources[name]))
        parts.append(
            f'modules["{name}"] = (() => {{\n{_body(sources[name], name)}\n'
            f"return {{ {exported} }};\n}})();"
        )
    return "(() => {\n" + "\n".join(parts) + "\n})();\n"


def _visit(sources: Mapping[str, str], name: str, order: list[str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"{name}: imports itself, by way of {' and '.join(above)}.")
    if name not in sources:
        raise ValueError(f"{above[-1] if above else name}: imports {name}, which is not there.")
    if name in order:
        return
    for match in _IMPORT.finditer(sources[name]):
        _visit(sources, _resolve(name, match[2]), order, (*above, name))
    order.append(name)


def _resolve(importer: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), path))


def _body(source: str, name: str) -> str:
    def constant(match: re.Match[str]) -> str:
        names = re.sub(r"(\w+)\s+as\s+(\w+)", r"\1: \2", " ".join(match[1].split()))
        return f'const {{ {names} }} = modules["{_resolve(name, match[2])}"];'

    body = _EXPORT.sub(r"\1 \2", _IMPORT.sub(constant, source))
    other = _OTHER.search(body)
    if other:
        raise ValueError(f"{name}: a form of import or export that is not known: {other[0]}")
    return body
