from django.apps import AppConfig


class PracticeConfig(AppConfig):
    name = "courses.practice"
    label = "practice"
