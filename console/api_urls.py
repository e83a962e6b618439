"""The console's routes of the API."""

from console.views.saved_views import router

urlpatterns = router.urls
