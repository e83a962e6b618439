from django.urls import path

from console.views.reviews import exporting, items, listing, pages, parts, rules, sections

ONE = "reviews/<int:pk>/"


def _parts(kind: str, folder: str) -> list[object]:
    """Return the addresses of a kind of part."""
    given = {"kind": kind}
    return [
        path(f"{ONE}{folder}/add/", parts.add, given, name=f"review-{kind}-add"),
        path(f"{ONE}{folder}/<int:number>/", parts.change, given, name=f"review-{kind}"),
        path(f"{ONE}{folder}/<int:number>/remove/", parts.remove, given, name=f"review-{kind}-remove"),
    ]


urlpatterns = [
    path("reviews/", listing.reviews, name="reviews"),
    path("reviews/action-items/", items.action_items, name="action-items"),
    path("reviews/action-items.csv", items.export, name="action-items-csv"),
    path("reviews/action-items/<int:pk>/", items.change, name="action-item"),
    path("reviews/action-items/<int:pk>/state/", items.set_state, name="action-item-state"),
    path("reviews/action-items/<int:pk>/remove/", items.remove, name="action-item-remove"),
    path(ONE, pages.review, name="review"),
    path(f"{ONE}edit/<slug:section>/", sections.edit, name="review-edit"),
    path(f"{ONE}move/<slug:state>/", pages.move, name="review-move"),
    path(f"{ONE}timeline/", parts.pick, name="review-timeline"),
    *_parts("moment", "moments"),
    *_parts("factor", "factors"),
    *_parts("participant", "participants"),
    path(f"{ONE}factors/<int:number>/move/", parts.reorder, name="review-factor-move"),
    path(f"{ONE}action-items/add/", items.add, name="action-item-add"),
    path(f"{ONE}publish/", pages.publish, name="review-publish"),
    path(f"{ONE}withdraw/", pages.withdraw, name="review-withdraw"),
    path(f"{ONE}markdown/", exporting.as_markdown, name="review-markdown"),
    path(f"{ONE}pdf/", exporting.as_pdf, name="review-pdf"),
    path(f"{ONE}delete/", pages.delete, name="review-delete"),
    path("settings/review-rules/", rules.review_rules, name="review-rules"),
    path("settings/review-rules/new/", rules.new_rule, name="review-rule-new"),
    path("settings/review-rules/<int:pk>/", rules.edit_rule, name="review-rule"),
    path("settings/review-rules/<int:pk>/switch/", rules.switch_rule, name="review-rule-switch"),
    path("settings/review-rules/<int:pk>/delete/", rules.delete_rule, name="review-rule-delete"),
    path("incidents/<reference:reference>/review/", pages.start, name="review-start"),
]
