import importlib
import pkgutil
from types import ModuleType

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    """Vendors: what their tools send, and where."""

    name = "integrations"
    verbose_name = _("Integrations")

    def ready(self) -> None:
        """Register what each vendor's folder holds."""
        import integrations
        from alerts.services.processing import register_replay_reader
        from intake.endpoints import register_endpoints
        from intake.readers import register_payload_reader
        from logs.formats import register_format
        from logs.services.intake import read_again
        from logs.sources.outside import register_store

        for vendor in pkgutil.iter_modules(integrations.__path__):
            if not vendor.ispkg or vendor.name == "tests":
                continue
            if payload := _module(vendor.name, "payload"):
                register_payload_reader(vendor.name, payload)
            if logs := _module(vendor.name, "log_payload"):
                register_format(logs)
                register_replay_reader(logs.FORMAT, read_again)
            if endpoint := _module(vendor.name, "endpoint"):
                register_endpoints(*endpoint.ENDPOINTS)
            if store := _module(vendor.name, "store"):
                register_store(store.STORE)


def _module(vendor: str, name: str) -> ModuleType | None:
    package = importlib.import_module(f"integrations.{vendor}")
    names = {module.name for module in pkgutil.iter_modules(package.__path__)}
    return importlib.import_module(f"integrations.{vendor}.{name}") if name in names else None
