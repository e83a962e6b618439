"""The list of reviews."""

import datetime as dt
from functools import partial
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.lists import links_of, without_empty
from console.pages import RESPONDERS, page, person, query, show
from console.views.incident.review import is_late
from console.views.reviews.filters import REVIEW_TABS, tab_of, tabs_of, to_tab
from core.severity import Severity
from incidents.models import Incident
from responders.models import Membership, Team
from reviews.filters import REVIEWS
from reviews.models import ActionItem, Review
from reviews.vocabulary import UNFINISHED_REVIEWS
from users.models import User

OFFERED = 5
RECENT = dt.timedelta(days=60)


@page(roles=RESPONDERS)
@require_GET
def reviews(request: HttpRequest) -> HttpResponse:
    """Show reviews, and grave incidents that have none yet."""
    if (redirect := without_empty(request)) is not None:
        return redirect
    viewer, now = person(request), timezone.now()
    if not request.GET:
        mine = Review.objects.visible_to(viewer).filter(owner=viewer, state__in=UNFINISHED_REVIEWS).exists()
        return to_tab(request, REVIEW_TABS, "mine" if mine else "open")
    asker = Incident.objects.visibility_key(viewer)
    pages = REVIEWS.page(query(request), partial(Review.objects.visible_to, viewer), asker=asker)
    tab = tab_of(request, REVIEW_TABS)
    items = open_items([review.pk for review in pages.rows])
    context = {
        "rows": [(review, items.get(review.pk, 0), is_late(review, now)) for review in pages.rows],
        "pages": links_of(pages),
        **tabs_of(request, REVIEW_TABS, tab),
        "teams": Team.objects.active().order_by("name").values_list("pk", "name"),
        "asked": {name: request.GET.get(name, "") for name in REVIEWS.filters},
        "unreviewed": unreviewed(viewer, now) if tab in ("mine", "open") else [],
    }
    return show(request, "console/reviews/list.html", context)


def open_items(ids: list[int]) -> dict[int, int]:
    """Return how many action items of each review are unfinished."""
    counts = ActionItem.objects.unfinished().filter(review__in=ids).order_by().values_list("review")
    return dict(counts.annotate(number=Count("pk")))


def unreviewed(viewer: User, now: dt.datetime) -> list[Any]:
    """Return recent grave incidents that ended without a review, of those whose review the viewer may start."""
    ended = Incident.objects.visible_to(viewer).filter(
        is_open=False, created_at__gte=now - RECENT, severity__gte=Severity.HIGH, post_incident_review=None
    )
    if not viewer.is_admin:
        mine = Q(team__isnull=True) | Q(team__in=Membership.objects.team_ids_of(viewer))
        ended = ended.filter(mine)
    return list(ended.order_by("-created_at")[:OFFERED])
