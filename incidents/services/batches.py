"""Names that are on their way to `opening` and `recording`."""

from incidents.services.opening import NewIncident as Opening
from incidents.services.opening import open_many
from incidents.services.recording import lock_many, save_all

__all__ = ["Opening", "lock_many", "open_many", "save_all"]
