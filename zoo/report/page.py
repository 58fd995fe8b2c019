"""A self-contained HTML page with the tables and figures of a run.

No network: pictures are embedded as PNG, sound as WAV or Ogg, and a Content-Security-Policy forbids
loading anything else. Where scripts run, one that the policy names by its hash sorts tables,
enlarges pictures and turns figures of lines into charts with hover, zoom and a live legend; without
it the page shows all of its content. Light and dark colour schemes, small screens, print and screen
readers are supported.
"""

import base64
import html
import io
import json
import platform
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Protocol, Self

import zoo
from zoo.files import write_bytes
from zoo.report import script
from zoo.report.markup import to_html, to_text
from zoo.report.table import Table

QUICK_NOTICE = (
    "Smoke run (--quick): little data, and networks that are as good as untrained. Numbers and "
    "figures say nothing of the method or the data."
)
PACKAGES = ("tensorflow", "keras", "numpy", "ai-edge-litert")  # in the foot of every page
STYLE = """
:root { color-scheme: light dark; --ink: #24292f; --quiet: #57606a; --rule: #d8dee4;
  --page: #ffffff; --band: #f6f8fa; --accent: #0072b2; --warn: #b35900; }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe4ea; --quiet: #9aa4af; --rule: #343b44;
  --page: #14181d; --band: #1c2229; --accent: #6cb6e8; --warn: #e8a54b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 48rem; color: var(--ink);
  background: var(--page); font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto,
  "Helvetica Neue", Arial, sans-serif; overflow-wrap: break-word; }
p, dl { max-width: 42rem; }
h1 { font-size: 1.8rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 3rem 0 .5rem; }
.summary { font-size: 1.1rem; color: var(--quiet); margin: 0; white-space: pre-line; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 1.25rem 0 0;
  padding: .6rem 0; border: solid var(--rule); border-width: 1px 0; }
a { color: var(--accent); }
.scroll { overflow-x: auto; margin: 1.25rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); padding-bottom: .5rem;
  max-width: min(42rem, 100vw - 2.5rem); }
th, td { padding: .35rem .8rem; text-align: left; border-bottom: 1px solid var(--rule); }
thead th { border-bottom: 2px solid var(--quiet); vertical-align: bottom; white-space: normal;
  line-height: 1.3; }
tbody th { font-weight: 500; }
tr > :first-child { position: sticky; left: 0; background: var(--page) padding-box; }
tbody tr:hover > * { background: var(--band); }
.number { text-align: right; white-space: nowrap; }
thead .number { white-space: normal; }
.notices { margin: 1.25rem 0 0; padding: .6rem .9rem; border-left: 4px solid var(--warn);
  background: var(--band); }
.notices p { margin: .2rem 0; }
.sounds { list-style: none; margin: 1rem 0; padding: 0; }
.sounds li { margin: .6rem 0; }
audio { display: block; width: min(22rem, 100%); height: 2.2rem; margin-top: .2rem; }
figure { margin: 1.5rem 0; }
img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: 4px; }
figcaption { max-width: 42rem; margin-top: .6rem; font-size: .9rem; color: var(--quiet); }
footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--rule);
  font-size: .85rem; color: var(--quiet); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
dt { font-weight: 600; } dd { margin: 0; }
@media (prefers-color-scheme: dark) { img { padding: .6rem; filter: brightness(.92); } }
@media screen and (max-width: 40rem) { img.wide { max-width: none; width: 40rem; }
  th, td { padding: .35rem .4rem; } }
@media print { :root { color-scheme: light; --ink: #000; --quiet: #444; --rule: #bbb;
    --page: #fff; --accent: #000; --warn: #000; }
  audio { display: none; }
  @page { margin: 18mm; }
  body { padding: 0; max-width: none; font-size: 10pt; } nav { display: none; }
  .scroll { overflow: visible; } tr > :first-child { position: static; }
  img { padding: 0; filter: none; }
  h2 { break-after: avoid; } figure, tr { break-inside: avoid; } }
""".strip()


def package_versions() -> str:
    """Versions of Python and of the installed packages that decide results: "zoo 0.1.0, …"."""
    versions = [f"zoo {zoo.__version__}", f"Python {platform.python_version()}"]
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            versions.append(f"{package} {version(package)}")
    return ", ".join(versions)


@dataclass(frozen=True)
class Sound:
    """A sound to be heard on a page.

    Attributes:
        text: line above it.
        content: of a WAV or Ogg file, such as `zoo.data.page_sound.wav_content` makes it.
    """

    text: str
    content: bytes

    @property
    def source(self) -> str:
        """The content as a URI of its media type."""
        kind = "ogg" if self.content.startswith(b"OggS") else "wav"
        return f"data:audio/{kind};base64,{base64.b64encode(self.content).decode()}"


class Drawable(Protocol):
    """An object with matplotlib's `Figure.savefig`."""

    def savefig(self, file: io.BytesIO, /, *, format: str) -> None:
        """Write the picture to `file` in `format`, here "png"."""


@dataclass
class Report:
    """Builder of an HTML page: sections of text, tables and figures, in the order of the calls.

    Report("Title", "Main result.", provenance={"command": ..., "seed": 0}).section("Errors")
        .table(table).figure(figure, name="loops", caption=..., alt=...).write("out/report.html")

    Attributes:
        title: heading of the page.
        summary: main result, printed under the title.
        provenance: how to reproduce the page (command, seed); the foot of the page shows it with
            the time and the versions of the installed packages.
        created: time of creation.
        language: language of the text, as a BCP 47 tag.
        notices: warnings of the run, in a frame below the summary; none: no frame.
    """

    title: str
    summary: str = ""
    provenance: Mapping[str, object] = field(default_factory=dict)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    language: str = "en"
    notices: Sequence[str] = ()
    _sections: list[tuple[str, list[str]]] = field(default_factory=list, init=False)
    _pictures: dict[str, bytes] = field(default_factory=dict, init=False)

    def section(self, heading: str, text: str = "") -> Self:
        """Begin a section.

        Args:
            heading: heading of the section.
            text: paragraphs, separated by blank lines; `code` and indices such as h_t or J_{t+1}
                are set as such, see `zoo.report.markup`.

        Returns:
            The report itself, so that calls can be chained.
        """
        self._sections.append((heading, []))
        return self.text(text)

    def text(self, text: str) -> Self:
        """Add paragraphs, separated by blank lines."""
        for paragraph in re.split(r"\n\s*\n", text.strip()):
            if paragraph:
                self._add(f"<p>{to_html(paragraph)}</p>\n")
        return self

    def table(self, table: Table) -> Self:
        """Add a table."""
        label = html.escape(to_text(table.caption or "table"))
        box = f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">'
        return self._add(f"{box}\n{table.html()}</div>\n")

    def figure(self, figure: Drawable, *, name: str, caption: str, alt: str) -> Self:
        """Render a figure now, embed it, and let `write` save it beside the page as `name`.png.

        Args:
            figure: for instance a matplotlib `Figure`.
            name: file name without ending, of a–z, 0–9, '-' and '_'; unique on the page.
            caption: text below the figure.
            alt: description of the picture for screen readers.

        Returns:
            The report itself, so that calls can be chained.

        Raises:
            ValueError: if `name` is used already or has other characters.
        """
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name) or name in self._pictures:
            raise ValueError(
                "`name` is a file name: it must be unique on the page and consist of a–z, 0–9, "
                f"'-' and '_'. Received: {name!r}; names in use: {list(self._pictures)}."
            )
        file = io.BytesIO()
        figure.savefig(file, format="png")
        picture = self._pictures[name] = file.getvalue()
        width, height = (int.from_bytes(picture[k : k + 4]) for k in (16, 20))  # in the PNG header
        wide = ' class="wide"' if width > 1.2 * height else ""
        return self._add(
            f'<figure id="{name}">\n<div class="scroll">'
            f'<img{wide} width="{width // 2}" height="{height // 2}" alt="{html.escape(alt)}" '
            f'src="data:image/png;base64,{base64.b64encode(picture).decode()}"></div>\n'
            f"{_chart_block(figure)}<figcaption>{to_html(caption)}</figcaption>\n</figure>\n"
        )

    def sounds(self, sounds: Sequence[Sound]) -> Self:
        """Add a list of sounds, each with a player."""
        items = "".join(
            f"<li>{html.escape(each.text)}\n"
            f'<audio controls preload="none" src="{each.source}"></audio></li>\n'
            for each in sounds
        )
        return self._add(f'<ul class="sounds">\n{items}</ul>\n')

    def html(self) -> str:
        """The complete page as HTML text."""
        title, summary = html.escape(self.title), to_html(self.summary)
        links = body = ""
        for number, (heading, parts) in enumerate(self._sections, 1):
            heading = html.escape(heading)
            links += f'<li><a href="#section-{number}">{heading}</a></li>\n' if heading else ""
            body += f'<section id="section-{number}">\n'
            body += (f"<h2>{heading}</h2>\n" if heading else "") + "".join(parts) + "</section>\n"
        code = script.code_for(body)
        contents = f'<nav aria-label="Contents"><ul>\n{links}</ul></nav>\n' if links else ""
        notices = "".join(f"<p>{to_html(each)}</p>\n" for each in self.notices)
        if notices:
            notices = f'<aside class="notices" aria-label="Warnings">\n{notices}</aside>\n'
        facts = {
            "created": self.created.isoformat(" ", "seconds"),
            **self.provenance,
            "versions": package_versions(),
        }
        foot = "".join(
            f"<dt>{html.escape(str(name))}</dt><dd>{html.escape(str(value))}</dd>\n"
            for name, value in facts.items()
        )
        return f"""<!doctype html>
<html lang="{html.escape(self.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; \
script-src {script.source_of(code)}">
<title>{title}</title>
<style>
{STYLE}
{script.style_for(body)}</style>
{script.element(code)}</head>
<body>
<header>
<h1>{title}</h1>
<p class="summary">{summary}</p>
{notices}{contents}</header>
<main>
{body}</main>
<footer>
<dl>
{foot}</dl>
</footer>
</body>
</html>
"""

    def write(self, path: str | Path) -> list[Path]:
        """Write the page, and its figures as PNG files beside it; each file is replaced atomically.

        Args:
            path: path of the page; its folder is created if it does not exist.

        Returns:
            The files written, the page last.
        """
        path = Path(path)
        files = {path.with_name(f"{name}.png"): data for name, data in self._pictures.items()}
        files[path] = self.html().encode()
        for file, data in files.items():
            write_bytes(file, data)
        return list(files)

    def _add(self, part: str) -> Self:
        if not self._sections:
            self._sections.append(("", []))
        self._sections[-1][1].append(part)
        return self


def _chart_block(figure: Drawable) -> str:
    """Data of a figure that can become a chart; text that no parser of HTML reads as markup."""
    # Only here: it needs NumPy, which a command that writes no figure must not import.
    from zoo.report.charts import chart_data

    chart = chart_data(figure)
    if chart is None:
        return ""
    text = json.dumps(chart, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c").replace("&", "\\u0026").replace(">", "\\u003e")
    return f'<script type="application/json">{text}</script>\n'
