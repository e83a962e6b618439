"""What a review lacks before it can be completed."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from reviews.models import ActionItem, Factor, Review


@dataclass(frozen=True)
class Gap:
    """Something that is missing: the field of the review, or of one of its action items."""

    sentence: str
    field: str
    item: int | None = None


def gaps(review: Review) -> list[Gap]:
    """Return what is missing, in two queries."""
    found = []
    if not review.summary.strip():
        found.append(Gap(_("Write what happened."), "summary"))
    if not Factor.objects.filter(review=review).exists():
        found.append(Gap(_("Name at least one contributing factor."), "factors"))
    for item in ActionItem.objects.filter(review=review).unfinished().order_by("pk"):
        if item.owner_id is None:
            found.append(Gap(_("“%(item)s” has no owner.") % {"item": item.title}, "owner", item.pk))
        if item.due_on is None:
            found.append(Gap(_("“%(item)s” has no due date.") % {"item": item.title}, "due_on", item.pk))
    return found


def lacking(review: Review) -> list[str]:
    """Return a sentence for each thing that is missing."""
    return [gap.sentence for gap in gaps(review)]
