from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path

from console.pages import page


@page
def dashboard(request: HttpRequest) -> HttpResponse:
    return redirect("console:incidents")


urlpatterns = [path("", dashboard, name="dashboard")]
