from django.apps import AppConfig


class StreamsConfig(AppConfig):
    name = "streams"

    def ready(self) -> None:
        from streams import signing_out  # it needs the models to be loaded

        signing_out.connect()
