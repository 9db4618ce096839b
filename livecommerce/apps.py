from django.apps import AppConfig


class LivecommerceConfig(AppConfig):
    name = "livecommerce"

    def ready(self) -> None:
        from livecommerce import sql_count, wiring  # the handlers need the models to be loaded

        wiring.connect()
        sql_count.connect()
