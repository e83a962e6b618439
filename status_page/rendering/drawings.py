"""Inline SVG: the shape of each status, and the bars of 90 days."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from status_page.rendering.uptime import Day
from status_page.vocabulary import Impact

# On 16 × 16; told apart without colour.
SHAPES = {
    Impact.OPERATIONAL: '<path d="M3 8.5l3.2 3.2L13 5" class="line"/>',
    Impact.MAINTENANCE: '<path d="M2.5 2.5h11v11h-11zM5.5 8h5" class="line"/>',
    Impact.DEGRADED: '<path d="M8 1l7 7-7 7-7-7z" class="line"/><path d="M1 8h14L8 15z" class="full"/>',
    Impact.PARTIAL_OUTAGE: '<path d="M8 1.5L15.5 15H.5z" class="full"/>',
    Impact.MAJOR_OUTAGE: '<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" class="full"/>',
}
STEP, WIDTH, HEIGHT = 10, 7, 34
# How much of a day's bar is coloured, from its foot.
HEIGHTS = {Impact.MAINTENANCE: 6, Impact.DEGRADED: 14, Impact.PARTIAL_OUTAGE: 24, Impact.MAJOR_OUTAGE: HEIGHT}
NO_DATA = 4


def shape(impact: Impact) -> SafeString:
    """Return the symbol of a status; decoration, beside its word."""
    return format_html(
        '<svg class="shape is-{}" viewBox="0 0 16 16" aria-hidden="true" focusable="false">{}</svg>',
        impact.value,
        mark_safe(SHAPES[impact]),  # noqa: S308 (ours)
    )


def bars(days: tuple[Day, ...], titles: dict[int, str]) -> SafeString:
    """Draw the days; `titles` are those of days with problems, by their place."""
    plain = "".join(f"M{place * STEP} 0h{WIDTH}v{HEIGHT}h-{WIDTH}z" for place, day in enumerate(days) if day.impact)
    absent = "".join(
        f"M{place * STEP} {HEIGHT - NO_DATA}h{WIDTH}v{NO_DATA}h-{WIDTH}z"
        for place, day in enumerate(days)
        if not day.impact
    )
    marked = format_html_join(
        "",
        '<g><title>{}</title><rect class="hit" x="{}" width="{}" height="{}"/>'
        '<rect class="is-{}" x="{}" y="{}" width="{}" height="{}"/></g>',
        (
            (title, place * STEP, WIDTH, HEIGHT, impact.value, place * STEP, HEIGHT - high, WIDTH, high)
            for place, title in titles.items()
            if (impact := days[place].impact) and (high := HEIGHTS.get(impact, 0))
        ),
    )
    return format_html(
        '<svg class="bars" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<path class="none" d="{}"/><path class="fine" d="{}"/>{}</svg>',
        len(days) * STEP - STEP + WIDTH,
        HEIGHT,
        absent,
        plain,
        marked,
    )
