from __future__ import annotations

from django.urls import path

from sellers import views

urlpatterns = [
    path("studio/products/", views.product_list, name="studio_products"),
    path("studio/products/new/", views.product_new, name="studio_product_new"),
    path("studio/products/<uuid:product_id>/", views.product_edit, name="studio_product"),
    path("studio/products/<uuid:product_id>/count/", views.stock_count, name="studio_stock_count"),
    path("studio/products/<uuid:product_id>/ledger/", views.stock_ledger, name="studio_ledger"),
]
