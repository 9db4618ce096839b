from django.apps import AppConfig


class CaptionsConfig(AppConfig):
    name = "media_pipeline.captions"
    label = "captions"
