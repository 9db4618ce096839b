from django.apps import AppConfig


class BadgesConfig(AppConfig):
    name = "courses.badges"
    label = "badges"
