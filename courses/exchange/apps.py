from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "courses.exchange"
    label = "exchange"
