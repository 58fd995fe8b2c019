"""The script of a page: this package's own, and uPlot where there are charts.

uPlot 1.6.32 (npm `uplot`, MIT licence, Leon Sorokin) stands in `web/` as npm has it, with its
licence, since a page is written without a network.
"""

import base64
import hashlib
from functools import lru_cache
from pathlib import Path

_WEB = Path(__file__).parent / "web"
_CHART = '<script type="application/json">'


def code_for(body: str) -> str:
    """Text of the script that a page with this body needs; "": none.

    Args:
        body: of the page, HTML.
    """
    if "<table" not in body and "<figure" not in body:
        return ""
    library = _library() if _CHART in body else ""
    return library + _read("page.js")


def style_for(body: str) -> str:
    """CSS of what the script adds to a page with this body."""
    if not code_for(body):
        return ""
    return (_read("uPlot.min.css") + "\n" if _CHART in body else "") + _read("page.css")


def source_of(code: str) -> str:
    """Source of a script in a Content-Security-Policy: its hash, or 'none'."""
    if not code:
        return "'none'"
    digest = hashlib.sha256(code.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def element(code: str) -> str:
    """The script as an element."""
    return f"<script>{code}</script>\n" if code else ""


@lru_cache
def _read(name: str) -> str:
    return (_WEB / name).read_text("utf-8")


def _library() -> str:
    """Code of uPlot with its licence, without its first line: a page names no address."""
    _, _, code = _read("uPlot.iife.min.js").partition("\n")
    return f"/*! uPlot 1.6.32\n{_read('uPlot.LICENSE')}*/\n{code}\n"
