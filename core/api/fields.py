from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from core.db import rows
from core.db.prepared import Parameter
from core.text.names import one_line

MAX_TEXT = 100_000  # characters
MAX_ID = 2**63 - 1


class WordField(serializers.ChoiceField):
    """A word for a stored number."""

    def __init__(self, words: dict[str, Any], choices: list[tuple[str, str]], **kwargs: Any) -> None:
        self.words = words
        super().__init__(choices=choices, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return self.words[super().to_internal_value(data)]

    def to_representation(self, value: Any) -> Any:
        return (
            value.word if hasattr(value, "word") else next(word for word, code in self.words.items() if code == value)
        )


class FlagField(serializers.BooleanField):
    """True or false; absent from a form, it is unchanged rather than false."""

    default_empty_html = empty


class RowField(serializers.PrimaryKeyRelatedField):  # type: ignore[type-arg]  # generic to type checkers only
    """A row by its id, a whole number: 1.5 is not rounded."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, float):
            self.fail("incorrect_type", data_type="float")
        if type(data) is not int or not 0 < data <= MAX_ID:
            return super().to_internal_value(data)
        queryset: Any = self.queryset  # type: ignore[arg-type]  # the stubs take it for a manager
        of_field = (type(self.parent), self.field_name)
        found = rows.select(queryset.model, of_field, lambda: queryset.filter(pk=Parameter("pk")), pk=data)
        return found[0] if found else self.fail("does_not_exist", pk_value=data)


class TextField(serializers.CharField):
    """Text that databases can hold: no NUL, no lone surrogate."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # encoding the text finds surrogates faster
        self.validators = [one for one in self.validators if not isinstance(one, ProhibitSurrogateCharactersValidator)]

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise serializers.ValidationError("The text contains an invalid character.", code="surrogate") from error
        return text


class LineField(TextField):
    """Text on one line; control characters become spaces, NUL is refused."""

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(one_line(data) if isinstance(data, str) and "\0" not in data else data)
