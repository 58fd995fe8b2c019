"""HTML pages that hold their own style, scripts and data; their policy allows nothing else."""

import base64
import hashlib
import html
import re
from collections.abc import Sequence

STYLE_LINK = '<link rel="stylesheet" href="style.css">'
MAIN_SCRIPT = '<script type="module" src="main.js"></script>'
# What stands in the page, by its hash; no request at all.
POLICY = (
    "default-src 'none'; script-src {scripts}; style-src {styles}; img-src data: blob:; "
    "media-src blob:; base-uri 'none'; form-action 'none'"
)


def inline_page(
    index: str, style: str, scripts: Sequence[str], *, data: str = "", sources: str = ""
) -> str:
    """The page `index` with style and scripts in it.

    Args:
        index: text with the links to `style.css` and `main.js`, and `{policy}`.
        style: of the page.
        scripts: in the order in which they run.
        data: elements in front of the scripts.
        sources: further sources of scripts for the policy.
    """
    scripts = [_no_end_tag(each) for each in scripts]
    allowed = " ".join([*map(_hash, scripts), *sources.split()])
    policy = POLICY.format(scripts=allowed, styles=_hash(style))
    text = with_policy(index, policy).replace(STYLE_LINK, f"<style>{style}</style>")
    tail = data + "".join(f"\n<script>{each}</script>" for each in scripts)
    return text.replace(MAIN_SCRIPT, tail)


def with_policy(text: str, policy: str) -> str:
    """The page with its Content-Security-Policy."""
    return text.replace("{policy}", html.escape(policy))


def _no_end_tag(source: str) -> str:
    """A script that no `</script` in a string ends."""
    return re.sub(r"</(script)|<!--", lambda m: m[0].replace("<", "\\x3c"), source, flags=re.I)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
