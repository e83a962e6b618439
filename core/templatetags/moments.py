"""Times in templates."""

import datetime as dt

from django import template

from core.text import moments

register = template.Library()


@register.filter(expects_localtime=True)
def shown(moment: dt.datetime | dt.date | None, style: str) -> str:
    """Show a time in the page's zone and language; core.text.moments has the styles."""
    return moments.shown(moment, style) if moment else ""
