from django.db import models
from django.utils.translation import gettext_lazy as _


class Level(models.IntegerChoices):
    """Greater is worse."""

    TRACE = 1, _("Trace")
    DEBUG = 2, _("Debug")
    INFO = 3, _("Info")
    WARNING = 4, _("Warning")
    ERROR = 5, _("Error")
    CRITICAL = 6, _("Critical")

    @property
    def word(self) -> str:
        return self.name.lower()


LEVEL_WORDS = [(level.word, level.label) for level in Level]
LEVEL_OF_WORD = {level.word: level for level in Level}
