from django.apps import AppConfig


class RespondersConfig(AppConfig):
    name = "responders"
    verbose_name = "Teams"

    def ready(self) -> None:
        from responders import targets
        from responders.audit import register
        from users.permissions import allow_responders

        register()
        targets.register()
        allow_responders("responders", "view")
