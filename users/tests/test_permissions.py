from django.test import SimpleTestCase, TestCase

from users.models import Role, User
from users.permissions import role_allows, role_enters
from users.tests.factories import client_of, make_admin, make_reporter, make_responder, make_user

# permission → the roles that have it
PERMISSIONS = {
    "incidents.view_incident": {Role.RESPONDER, Role.ADMIN},
    "incidents.change_incident": {Role.ADMIN},
    "incidents.delete_incident": {Role.ADMIN},
    "responders.view_team": {Role.RESPONDER, Role.ADMIN},
    "responders.add_team": {Role.ADMIN},
    "users.view_user": {Role.ADMIN},
    "users.change_user": {Role.ADMIN},
    "auditlog.view_logentry": {Role.ADMIN},
    "nonsense": {Role.ADMIN},
}


class RoleTableTests(SimpleTestCase):
    def test_it_gives_each_role_its_permissions(self) -> None:
        for permission, roles in PERMISSIONS.items():
            for role in Role:
                with self.subTest(permission=permission, role=role):
                    user = User(role=role, is_active=True)

                    self.assertEqual(role_allows(user, permission), role in roles)
                    self.assertEqual(user.has_perm(permission), role in roles)

    def test_it_gives_nothing_to_who_is_not_active(self) -> None:
        for role in Role:
            user = User(role=role, is_active=False)

            self.assertFalse(any(role_allows(user, permission) for permission in PERMISSIONS))
            self.assertFalse(user.is_staff or user.is_superuser or role_enters(user, "incidents"))

    def test_it_opens_the_admin_site_by_role(self) -> None:
        seen = {role: [app for app in ("incidents", "users") if role_enters(User(role=role), app)] for role in Role}

        self.assertEqual(seen, {"reporter": [], "responder": ["incidents"], "admin": ["incidents", "users"]})


# route → method → status for anonymous, reporter, responder, admin (the forms are empty)
ROUTES = {
    "auth/register/": {"post": (400, 400, 400, 400)},
    "auth/token/": {"post": (400, 400, 400, 400)},
    "auth/token/refresh/": {"post": (400, 400, 400, 400)},
    "auth/logout/": {"post": (401, 400, 400, 400)},
    "auth/me/": {"get": (401, 200, 200, 200), "patch": (401, 200, 200, 200)},
    "auth/password/": {"post": (401, 400, 400, 400)},
    "auth/password-reset/": {"post": (400, 400, 400, 400)},
    "auth/password-reset/confirm/": {"post": (400, 400, 400, 400)},
    "auth/verify-email/": {"post": (400, 400, 400, 400)},
    "me/tokens/": {"get": (401, 200, 200, 200), "post": (401, 400, 400, 400)},
    "me/tokens/1/": {"delete": (401, 404, 404, 404)},
    "users/": {"get": (401, 403, 200, 200)},
    "users/{id}/": {"get": (401, 403, 403, 200), "patch": (401, 403, 403, 200)},
}


class RouteTableTests(TestCase):
    def test_it_answers_each_role_as_the_table_says(self) -> None:
        other = make_user()
        clients = [self.client_class(), *(client_of(make()) for make in (make_reporter, make_responder, make_admin))]
        for route, methods in ROUTES.items():
            for method, expected in methods.items():
                with self.subTest(route=route, method=method):
                    path = f"/api/v1/{route.format(id=other.pk)}"

                    answers = [getattr(client, method)(path) for client in clients]

                    self.assertEqual(tuple(answer.status_code for answer in answers), expected)
