from django.apps import AppConfig


class RespondersConfig(AppConfig):
    name = "responders"
    verbose_name = "Teams"

    def ready(self) -> None:
        from responders.audit import register
        from users.permissions import allow_responders

        register()
        allow_responders("responders", "view")
