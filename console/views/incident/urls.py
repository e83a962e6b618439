from django.urls import path, register_converter

from console.views.incident import changes, files, moves, pages, people, public, removal, suggestions


class ReferenceConverter:
    """A reference, or the number alone."""

    regex = "[Ii][Nn][Cc]-[0-9]{1,18}|[0-9]{1,18}"

    def to_python(self, value: str) -> str:
        return value.upper()

    def to_url(self, value: object) -> str:
        return str(value)


register_converter(ReferenceConverter, "reference")
ONE = "incidents/<reference:reference>/"

urlpatterns = [
    path("incidents/preview/", moves.preview, name="incident-preview"),
    path(ONE, pages.incident, name="incident"),
    path(f"{ONE}live/", pages.updates, name="incident-live"),
    path(f"{ONE}escalation/", pages.escalation, name="incident-escalation"),
    path(f"{ONE}suggestions/", suggestions.suggestions, name="incident-suggestions"),
    path(f"{ONE}suggestions/judge/", suggestions.judge, name="incident-judge"),
    path(f"{ONE}suggestions/adopt/", suggestions.adopt, name="incident-adopt"),
    path(f"{ONE}suggestions/ask/", suggestions.ask_model, name="incident-ask-model"),
    path(f"{ONE}public/", public.public, name="incident-public"),
    path(f"{ONE}updates/", moves.update, name="incident-update"),
    path(f"{ONE}move/<slug:name>/", moves.move, name="incident-move"),
    path(f"{ONE}change/<slug:group>/", changes.change, name="incident-change"),
    path(f"{ONE}take/", changes.take, name="incident-take"),
    path(f"{ONE}release/", changes.release, name="incident-release"),
    path(f"{ONE}follow/", people.follow, name="incident-follow"),
    path(f"{ONE}unfollow/", people.unfollow, name="incident-unfollow"),
    path(f"{ONE}followers/", people.add_follower, name="incident-followers"),
    path(f"{ONE}followers/<int:number>/remove/", people.remove_follower, name="incident-follower-remove"),
    path(f"{ONE}links/", people.link, name="incident-link"),
    path(f"{ONE}links/<int:number>/remove/", people.unlink, name="incident-unlink"),
    path(f"{ONE}merge/", people.merge, name="incident-merge"),
    path(f"{ONE}page/", people.page_people, name="incident-page"),
    path(f"{ONE}files/", files.add, name="incident-files"),
    path(f"{ONE}files/<int:number>/remove/", files.remove, name="incident-file-remove"),
    path(f"{ONE}files/<int:number>/<slug:variant>/", files.send, name="incident-file"),
    path(f"{ONE}events/<int:number>/redact/", removal.redact, name="incident-redact"),
    path(f"{ONE}delete/", removal.delete, name="incident-delete"),
]
