"""The project's own settings, with two empty views beside the real ones and queries counted for who asks."""

from incident_response.settings import *  # noqa: F403
from incident_response.settings import MIDDLEWARE

ROOT_URLCONF = "benchmarks.urls"
# Outermost, so that the queries of all the others are counted too.
MIDDLEWARE = ["benchmarks.middleware.count_queries", *MIDDLEWARE]
