from __future__ import annotations

from django.urls import include, path

from orders import address_views, operator_views, payment_views, shop_views, views

urlpatterns = [
    path("orders/", views.order_list, name="orders"),
    path("orders/<uuid:order_id>/", views.order_detail, name="order"),
    path("orders/<uuid:order_id>/pay/", payment_views.order_pay, name="order_pay"),
    path("orders/<uuid:order_id>/paid/", payment_views.order_paid, name="order_paid"),
    path("orders/<uuid:order_id>/cancel/", views.order_cancel, name="order_cancel"),
    path("orders/<uuid:order_id>/move/", views.order_move, name="order_move"),
    path("orders/<uuid:order_id>/again/", views.order_again, name="order_again"),
    path("orders/<uuid:order_id>/claims/", views.order_claim, name="order_claim"),
    path("orders/claims/<uuid:claim_id>/withdraw/", views.claim_withdraw, name="claim_withdraw"),
    path("shop/<uuid:seller_id>/", shop_views.shop, name="shop"),
    path("me/addresses/", address_views.address_list, name="addresses"),
    path("me/addresses/new/", address_views.address_new, name="address_new"),
    path("me/addresses/<uuid:address_id>/", address_views.address_edit, name="address_edit"),
    path(
        "me/addresses/<uuid:address_id>/delete/",
        address_views.address_delete,
        name="address_delete",
    ),
    path("operator/money/", operator_views.money, name="operator_money"),
    path(
        "operator/money/refunds/<int:refund_id>/again/",
        operator_views.refund_again,
        name="operator_refund_again",
    ),
    path(
        "operator/money/notices/<int:notice_id>/looked-at/",
        operator_views.notice_looked_at,
        name="operator_notice_looked_at",
    ),
    path("studio/", include("orders.studio.urls")),
]
