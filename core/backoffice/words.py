"""Words of Django's and Unfold's pages that our catalogue says as ours do."""

from django.utils.translation import gettext_lazy as _

OVERRIDDEN = (_("History"), _("Save and continue editing"), _("Save and add another"), _("Select value"))
