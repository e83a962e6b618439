"""The environment that all settings are read from."""

from pathlib import Path

from incident_response.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment(BASE_DIR / ".env")
