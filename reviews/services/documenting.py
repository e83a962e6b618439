"""Describe a review as a document, in its reader's language and zone."""

from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.severity import Severity
from core.text.zones import zone_named
from incidents.models import Status
from reviews.models import ActionItem, Review
from reviews.rendering.document import Cell, Document, Entry, Numbered, Part, Prose, Section, Table, both_times
from reviews.vocabulary import ItemState, ReviewState
from reviews.vocabulary import Part as Role
from users.models import User


def document_of(review: Review, *, reader: User) -> Document:
    """Return all of a review that is not public text apart, for somebody who may read it."""
    languages = dict(settings.LANGUAGES)
    language = reader.language if reader.language in languages else settings.LANGUAGE_CODE
    with translation.override(language):
        return Document(
            title=review.title,
            language=language,
            facts=tuple(_facts(review, reader)),
            sections=tuple(section for section in _sections(review, reader) if section.parts),
            cut=_("The review is longer than this document may be. The rest is in its Markdown edition."),
            made_at=timezone.now(),
        )


def name_of(review: Review) -> str:
    """Return what its files are called."""
    return f"{review.incident.reference}-review"


def _facts(review: Review, reader: User) -> Iterator[tuple[str, Cell]]:
    incident, zone = review.incident, zone_named(reader.time_zone)
    address = f"{settings.PUBLIC_URL}/incidents/{incident.reference}/"
    yield _("Incident"), Cell(f"{incident.reference} {incident.title}", address)
    yield _("Severity"), Cell(str(Severity(incident.severity).label))
    yield _("Status"), Cell(str(Status(incident.status).label))
    yield _("Began"), Cell(both_times(incident.occurred_at, zone))
    if incident.resolved_at is not None:
        yield _("Resolved"), Cell(both_times(incident.resolved_at, zone))
    yield _("Review"), Cell(str(ReviewState(review.state).label))
    if review.owner is not None:
        yield _("Owner"), Cell(review.owner.name)
    if review.completed_at is not None:
        yield _("Completed"), Cell(both_times(review.completed_at, zone))
    if review.themes:
        yield _("Themes"), Cell(", ".join(review.themes))


def _sections(review: Review, reader: User) -> Iterator[Section]:
    yield Section(_("What happened"), _prose(review.summary))
    yield Section(_("Impact"), _prose(review.impact))
    yield Section(_("Timeline"), _moments(review, reader))
    yield Section(_("Contributing factors"), _factors(review))
    yield Section(_("What surprised us"), _prose(review.surprises))
    yield Section(_("What went well"), _prose(review.went_well))
    yield Section(_("What made it harder"), _prose(review.went_badly))
    yield Section(_("Action items"), tuple(_items(list(review.action_items.select_related("owner")))))
    yield Section(_("Participants"), tuple(_participants(review)))


def _prose(text: str) -> tuple[Part, ...]:
    return (Prose(text),) if text else ()


def _moments(review: Review, reader: User) -> tuple[Part, ...]:
    zone = zone_named(reader.time_zone)
    return tuple(Entry(both_times(moment.at, zone), moment.text) for moment in review.moments.order_by("at", "pk"))


def _factors(review: Review) -> tuple[Part, ...]:
    texts = tuple(factor.text for factor in review.factors.order_by("position", "pk"))
    return (Numbered(texts),) if texts else ()


def _items(items: list[ActionItem]) -> Iterator[Part]:
    if not items:
        return
    header = (_("Action item"), _("Owner"), _("Due"), _("State"))
    yield Table(header, tuple(_item_row(item) for item in items), (5, 2, 2, 2))
    yield from (Entry(item.title, item.description) for item in items if item.description)


def _item_row(item: ActionItem) -> tuple[Cell, ...]:
    owner = item.owner.name if item.owner is not None else _("none")
    due = item.due_on.isoformat() if item.due_on is not None else _("none")
    return Cell(item.title, item.url), Cell(owner), Cell(due), Cell(str(ItemState(item.state).label))


def _participants(review: Review) -> Iterator[Part]:
    people = list(review.participants.select_related("user"))
    if people:
        rows = tuple((Cell(one.user.name), Cell(str(Role(one.part).label))) for one in people)
        yield Table((_("Name"), pgettext("participant", "Part")), rows, (3, 2))
    yield from (Entry(one.user.name, one.notes) for one in people if one.notes)
