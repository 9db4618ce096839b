from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "courses.reviews"
    label = "reviews"
