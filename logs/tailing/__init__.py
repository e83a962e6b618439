from logs.tailing.following import Follower
from logs.tailing.joining import Joiner
from logs.tailing.reading import line_from

__all__ = ["Follower", "Joiner", "line_from"]
