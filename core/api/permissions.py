from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request


class IsAdmin(BasePermission):
    message = "Only administrators can do this."

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated and request.user.is_admin)


class ReadOrAdmin(BasePermission):
    """Everybody signed in reads; administrators write."""

    message = "Only administrators can change this."

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        return bool(user.is_authenticated and (request.method in SAFE_METHODS or user.is_admin))


class IsResponder(BasePermission):
    """Responders and administrators."""

    message = "Only responders and administrators can do this."

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated and (request.user.is_responder or request.user.is_admin))


class RespondersReadOrAdmin(BasePermission):
    """Responders read; administrators write."""

    message = "Only responders and administrators can read this, and only administrators can change it."

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        if not user.is_authenticated:
            return False
        return bool(user.is_admin or (user.is_responder and request.method in SAFE_METHODS))
