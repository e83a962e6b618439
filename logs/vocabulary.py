from django.db import models


class Level(models.IntegerChoices):
    """Greater is worse."""

    TRACE = 1, "Trace"
    DEBUG = 2, "Debug"
    INFO = 3, "Info"
    WARNING = 4, "Warning"
    ERROR = 5, "Error"
    CRITICAL = 6, "Critical"

    @property
    def word(self) -> str:
        return self.name.lower()


LEVEL_WORDS = [(level.word, level.label) for level in Level]
LEVEL_OF_WORD = {level.word: level for level in Level}
