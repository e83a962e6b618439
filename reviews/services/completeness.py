"""What a review lacks before it can be completed."""

from django.utils.translation import gettext as _

from reviews.models import ActionItem, Factor, Review


def lacking(review: Review) -> list[str]:
    """Return a sentence for each thing that is missing."""
    missing = []
    if not review.summary.strip():
        missing.append(_("Write what happened."))
    if not Factor.objects.filter(review=review).exists():
        missing.append(_("Name at least one contributing factor."))
    for item in ActionItem.objects.filter(review=review).unfinished().order_by("pk"):
        if item.owner_id is None:
            missing.append(_("“%(item)s” has no owner.") % {"item": item.title})
        if item.due_on is None:
            missing.append(_("“%(item)s” has no due date.") % {"item": item.title})
    return missing
