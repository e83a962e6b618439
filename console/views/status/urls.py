from django.urls import path

from console.views.status import announcement, components, overview, page, publishing, subscribers, templates

ROOT = "status-page/"
ONE = f"{ROOT}incidents/<int:pk>/"

urlpatterns = [
    path(ROOT, overview.overview, name="status-page"),
    path(f"{ROOT}publish/", publishing.publish, name="status-publish"),
    path(f"{ROOT}plan/", publishing.plan, name="status-plan"),
    path(f"{ROOT}incidents/", overview.announcements, name="status-announcements"),
    path(ONE, announcement.announcement, name="status-announcement"),
    path(f"{ONE}update/", announcement.update, name="status-update"),
    path(f"{ONE}edit/", announcement.edit, name="status-edit"),
    path(f"{ONE}move/", announcement.move, name="status-move"),
    path(f"{ONE}withdraw/", announcement.withdraw, name="status-withdraw"),
    path(f"{ROOT}updates/<int:pk>/correct/", announcement.correct, name="status-correct"),
    path(f"{ROOT}components/", components.components, name="status-components"),
    path(f"{ROOT}components/new/", components.new_component, name="status-component-new"),
    path(f"{ROOT}components/order/", components.order_components, name="status-component-order"),
    path(f"{ROOT}components/<int:pk>/", components.component, name="status-component"),
    path(f"{ROOT}components/<int:pk>/delete/", components.delete_component, name="status-component-delete"),
    path(f"{ROOT}groups/new/", components.new_group, name="status-group-new"),
    path(f"{ROOT}groups/order/", components.order_groups, name="status-group-order"),
    path(f"{ROOT}groups/<int:pk>/", components.group, name="status-group"),
    path(f"{ROOT}groups/<int:pk>/delete/", components.delete_group, name="status-group-delete"),
    path(f"{ROOT}templates/", templates.templates, name="status-templates"),
    path(f"{ROOT}templates/new/", templates.new_template, name="status-template-new"),
    path(f"{ROOT}templates/<int:pk>/", templates.template, name="status-template"),
    path(f"{ROOT}templates/<int:pk>/delete/", templates.delete_template, name="status-template-delete"),
    path(f"{ROOT}subscribers/", subscribers.subscribers, name="status-subscribers"),
    path(f"{ROOT}subscribers/import/", subscribers.import_subscribers, name="status-import"),
    path(f"{ROOT}subscribers/<int:pk>/end/", subscribers.end_subscription, name="status-subscriber-end"),
    path(f"{ROOT}settings/", page.page_settings, name="status-settings"),
    path(f"{ROOT}settings/logo/", page.logo, name="status-logo"),
    path(f"{ROOT}settings/logo.png", page.logo_picture, name="status-logo-picture"),
    path(f"{ROOT}settings/key/", page.access_key, name="status-key"),
]
