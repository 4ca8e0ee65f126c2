"""Draws a profile as stacked bars (SVG), readable on light and dark pages, and as a table.

It must not know how the profile came about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from tests.benchmarks.profiling.folding import SYSTEM, UNSEEN
from tests.benchmarks.profiling.recording import Bar, Profile

BEGIN = "<!-- profile: begin -->"
END = "<!-- profile: end -->"
_WIDTH = 800
_LEFT, _RIGHT = 90, 70
_BAR_HEIGHT, _LINE = 26, 18
_COLUMNS = 2
_LEAST_LABEL = 34
"""A segment narrower than this has no figure in it."""
_COLOURS = (
    *("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#ee7733"),
    *("#009988", "#997700", "#6699cc", "#994455", "#88aa55", "#bb88cc"),
)
_REST = "smaller parts"
_LEAST_SHARE = 0.005
"""Of the whole: what is less has no part of its own in the picture."""
_GREYS = {_REST: "#6e7781", SYSTEM: "#8c959f", UNSEEN: "#b5bcc4"}
_STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.seconds { font-size: 11px; fill: #ffffff }
.head { font-weight: 600 }
.quiet { fill: #59636e }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .quiet { fill: #9198a1 }
}"""


def as_svg(whole: Profile) -> str:
    """One bar a role, all to one scale, each with its legend below; small parts are one part."""
    profile = Profile(
        title=whole.title,
        bars=tuple(_merge_small(bar, whole.seconds * _LEAST_SHARE) for bar in whole.bars),
    )
    colours = _colours(profile)
    longest = max(bar.seconds for bar in profile.bars) or 1.0
    scale = (_WIDTH - _LEFT - _RIGHT) / longest
    top = 48.0
    body = [
        f'<text class="head" x="0" y="16">{escape(profile.title)}</text>',
        f'<text class="quiet" x="0" y="34">{profile.seconds:.2f} s of processor time in all</text>',
    ]
    for bar in profile.bars:
        body.extend(_bar(bar, top, scale, colours))
        top += _BAR_HEIGHT + 6
        if len(bar.parts) > 1:
            body.extend(_legend(bar, top, colours))
            top += _LINE * -(-len(bar.parts) // _COLUMNS)
        top += 14
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top:.0f}"'
                f' width="{_WIDTH}" height="{top:.0f}" role="img">'
            ),
            f"<title>{escape(profile.title)}</title>",
            f"<style>{_STYLE}</style>",
            *body,
            "</svg>",
            "",
        ]
    )


def _merge_small(bar: Bar, least: float) -> Bar:
    parts = {part: seconds for part, seconds in bar.parts.items() if seconds >= least}
    rest = sum(bar.parts.values()) - sum(parts.values())
    if rest > 0:
        parts[_REST] = rest
    return Bar(role=bar.role, seconds=bar.seconds, parts=parts)


def as_table(profile: Profile) -> str:
    """Markdown: a line for each part, and one for each role that they add up to."""
    lines = ["| process | part | CPU seconds | share |", "|---|---|---|---|"]
    for bar in profile.bars:
        lines.append(
            f"| **{bar.role}** | | **{bar.seconds:.2f}** | {_share(bar.seconds, profile)} |"
        )
        if len(bar.parts) > 1:
            lines += [
                f"| | {part} | {seconds:.2f} | {_share(seconds, profile)} |"
                for part, seconds in bar.parts.items()
            ]
    lines.append(f"| **all** | | **{profile.seconds:.2f}** | 100 % |")
    return "\n".join(lines)


def _share(seconds: float, profile: Profile) -> str:
    return f"{seconds / profile.seconds:.0%}".replace("%", " %")


def _colours(profile: Profile) -> Mapping[str, str]:
    """One colour for a part in all bars; greys for what is measured as a whole."""
    parts = [part for bar in profile.bars for part in bar.parts]
    named = [part for part in dict.fromkeys(parts) if part not in _GREYS]
    return {
        **{part: _COLOURS[index % len(_COLOURS)] for index, part in enumerate(named)},
        **_GREYS,
    }


def _bar(bar: Bar, top: float, scale: float, colours: Mapping[str, str]) -> Iterator[str]:
    middle = top + _BAR_HEIGHT / 2 + 4
    yield f'<text class="head" x="0" y="{middle:.0f}">{escape(bar.role)}</text>'
    left = float(_LEFT)
    for part, seconds in bar.parts.items():
        width = seconds * scale
        words = escape(f"{part}: {seconds:.2f} s")
        yield (
            f'<rect x="{left:.1f}" y="{top:.0f}" width="{width:.1f}" height="{_BAR_HEIGHT}"'
            f' fill="{colours[part]}"><title>{words}</title></rect>'
        )
        if width >= _LEAST_LABEL and len(bar.parts) > 1:
            yield (
                f'<text class="seconds" x="{left + width / 2:.1f}" y="{middle:.0f}"'
                f' text-anchor="middle">{seconds:.2f}</text>'
            )
        left += width
    yield f'<text x="{left + 8:.1f}" y="{middle:.0f}">{bar.seconds:.2f} s</text>'


def _legend(bar: Bar, top: float, colours: Mapping[str, str]) -> Iterator[str]:
    wide = (_WIDTH - _LEFT) / _COLUMNS
    for index, (part, seconds) in enumerate(bar.parts.items()):
        x = _LEFT + wide * (index % _COLUMNS)
        y = top + _LINE * (index // _COLUMNS)
        yield (
            f'<rect x="{x:.0f}" y="{y + 2:.0f}" width="11" height="11" fill="{colours[part]}"/>'
            f'<text x="{x + 17:.0f}" y="{y + 12:.0f}">{escape(part)}'
            f' <tspan class="quiet">{seconds:.2f}</tspan></text>'
        )
