"""Times and stored sentences in templates."""

import datetime as dt

from django import template

from core.text import moments, sentences

register = template.Library()


@register.filter(expects_localtime=True)
def shown(moment: dt.datetime | dt.date | dt.time | None, style: str) -> str:
    """Show a time in the page's zone and language; core.text.moments has the styles."""
    return moments.shown(moment, style) if moment else ""


@register.filter
def said(text: object) -> str:
    """Show a sentence that was stored in English in the page's language."""
    return sentences.shown(str(text)) if text else ""
