"""A view that does something countable, to try `Idempotency-Key` on."""

from typing import Any

from django.urls import path
from rest_framework.exceptions import AuthenticationFailed, Throttled, ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.idempotency import IdempotentWrites
from core.errors import Conflict, StorageUnavailable
from users.models import PersonalToken
from users.tokens import digest_of, new_personal_token

ERRORS: dict[str, Any] = {
    "400": ValidationError({"name": "no"}),
    "401": AuthenticationFailed(),
    "409": Conflict("not now"),
    "429": Throttled(wait=3),
    "503": StorageUnavailable("full"),
    "crash": RuntimeError("the process died here"),
}


class ThingView(IdempotentWrites, APIView):
    """Makes a row, then answers or fails as the request says."""

    permission_classes = [IsAuthenticated]

    def post(self, request: Request) -> Response:
        names = [file.read().decode() for file in request.FILES.values()]
        row = PersonalToken.objects.create(
            user=request.user, name=str(request.data.get("name", "")), digest=digest_of(new_personal_token())
        )
        if failure := request.query_params.get("fail"):
            raise ERRORS[failure]
        headers = {"ETag": '"1"', "Location": f"/things/{row.pk}/", "X-Other": "not kept"}
        return Response({"id": row.pk, "files": names}, status=201, headers=headers)

    def delete(self, request: Request) -> Response:
        PersonalToken.objects.all().delete()
        return Response(status=204)


urlpatterns = [path("things/", ThingView.as_view()), path("other/", ThingView.as_view())]
