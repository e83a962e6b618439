"""What is read of texts of strangers, however long they are."""

import unicodedata
from unittest import mock

from django.test import SimpleTestCase

from alerts.reading import names
from alerts.reading import words as _words
from core.text import normalizing
from core.text.names import LONGEST, tidied
from incidents.attachments.inspecting import clean_name
from incidents.search import tokens
from users.addresses import canonical


class LongTextTests(SimpleTestCase):
    def test_it_normalizes_in_pieces_wherever_texts_of_strangers_are_read(self) -> None:
        """Each takes seconds at this length by itself, and minutes at that of a request."""
        hostile = "a" + "\u0300\u0327" * 50_000
        with mock.patch.object(normalizing.unicodedata, "normalize", wraps=unicodedata.normalize) as asked:
            tokens.build_document(hostile)
            tidied(hostile)
            canonical(hostile)
            clean_name(hostile)
            _words.normal(hostile)
            _words.severity_of(hostile)

        self.assertLessEqual(max(len(call.args[1]) for call in asked.call_args_list), 2 * normalizing.PIECE)

    def test_it_remembers_no_word_that_is_long(self) -> None:
        for ask, remembered in (
            (_words.normal, _words._normal),
            (_words.severity_of, _words._severity_of),
            (_words.action_of, _words._action_of),
            (names.plain_name, names._plain),
        ):
            with self.subTest(ask=ask.__name__):
                remembered.cache_clear()
                for end in "abc":
                    ask("x" * LONGEST + end)

                self.assertLessEqual(remembered.cache_info().currsize, 1)
