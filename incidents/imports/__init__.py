"""Import history from the event log of another system. Pure; `services.importing` writes it."""
