from unittest import mock

from django.test import TestCase
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from core.api import listing
from core.api.listing import Filter, ListQuery, exact, flag, row_id, time, words
from core.api.paging import Key
from users.models import User
from users.tests.factories import make_reporter

PEOPLE = ListQuery(
    "people",
    User,
    orderings={"id": [Key("id")], "name": [Key("name")]},
    default_ordering="id",
    filters={
        "role": words("role", {"reporter": "reporter", "admin": "admin"}, "Comma list."),
        "id": row_id("pk"),
        "joined_after": time("created_at__gte", "A time."),
        "is_active": flag(lambda people, value: people.filter(is_active=value)),
        "email": exact("email", "Exact."),
        "q": Filter(lambda people, name, value, user: listing.Q(name__contains=value), "Text.", is_checked=True),
        "tag.{name}": Filter(lambda people, name, value, user: people.filter(name=value), "Tag.", is_lasting=False),
    },
)


def ask(**query: str) -> listing.ListPages:
    request = Request(APIRequestFactory().get("/people/", query))
    request.user = User()
    return PEOPLE.page(request, User.objects.all, asker=None)


class ListQueryTests(TestCase):
    def setUp(self) -> None:
        self.people = [make_reporter(name=name) for name in ("Ada", "Bea", "Cleo")]
        self.enterContext(mock.patch.dict(listing._prepared_pages, clear=True))

    def test_it_finds_whole_rows_by_each_filter(self) -> None:
        ada, bea, _cleo = self.people
        table: list[tuple[dict[str, str], list[User]]] = [
            ({}, self.people),
            ({"role": "admin"}, []),
            ({"role": "admin,reporter", "ordering": "-name"}, self.people[::-1]),
            ({"id": str(bea.pk)}, [bea]),
            ({"joined_after": "2000-01-01T00:00:00Z"}, self.people),
            ({"is_active": "false"}, []),
            ({"email": ada.email}, [ada]),
            ({"q": "e"}, self.people[1:]),
            ({"tag.any": "Ada"}, [ada]),
        ]
        for query, expected in table:
            for _again in range(2):
                with self.subTest(query=query):
                    self.assertEqual(ask(**query).rows, expected)

    def test_it_refuses_unknown_parameters_and_values(self) -> None:
        for query in ({"nonsense": "1"}, {"role": "king"}, {"id": "x"}, {"is_active": "yes"}, {"email": "\0"}):
            with self.subTest(query=query):
                self.assertRaises(ValidationError, ask, **query)

    def test_it_asks_one_query_whatever_the_cursor_or_the_time(self) -> None:
        for day in range(1, 9):
            page = ask(page_size="1", joined_after=f"2000-01-{day:02}T00:00:00Z")
            cursor = page._link(page.rows[-1], "n").partition("cursor=")[2].partition("&")[0]
            ask(page_size="1", joined_after=f"2000-01-{day:02}T00:00:00Z", cursor=cursor)

        self.assertEqual(len(listing._prepared_pages), 2)  # a first page, and one that follows

    def test_it_keeps_no_query_of_what_may_be_otherwise_tomorrow(self) -> None:
        ask(**{"tag.any": "Ada"})

        self.assertEqual(len(listing._prepared_pages), 0)

    def test_it_describes_its_parameters(self) -> None:
        names = [one.name for one in PEOPLE.parameters]

        self.assertEqual(names, [*PEOPLE.filters, "cursor", "page_size", "ordering"])
