from console.views.settings import contacts, profile, rules, security, tokens

urlpatterns = [
    *profile.urlpatterns,
    *security.urlpatterns,
    *contacts.urlpatterns,
    *rules.urlpatterns,
    *tokens.urlpatterns,
]
