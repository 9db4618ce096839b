"""All addresses of the pages and the API; sockets and media are in `asgi.py`."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from livecommerce import views
from livecommerce.api import api
from livecommerce.demo.views import demo_sign_in
from livecommerce.first_run.site_views import sample_data, site_settings
from livecommerce.first_run.views import first_run
from livecommerce.lan.views import lan
from livecommerce.statics.texts import texts

# Its own door counts no wrong passwords; ours does.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler400 = "livecommerce.views.bad_request"

urlpatterns = [
    path("", views.home, name="home"),
    path("favicon.ico", views.favicon),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("lan/", lan, name="lan"),
    path("first-run/<str:secret>/", first_run, name="first_run"),
    path("operator/site/", site_settings, name="operator_site"),
    path("operator/site/sample/", sample_data, name="operator_sample"),
    path("demo/sign-in/<slug:username>/", demo_sign_in, name="demo_sign_in"),
    path("accounts/", include("core.accounts.urls")),
    path("", include("livecommerce.people.urls")),
    path("", include("orders.urls")),
    path("", include("sellers.urls")),
    path("", include("courses.urls")),
    path("", include("streams.urls")),
    path("", include("streams.studio.urls")),
    path("", include("streams.jobs.urls")),
    path("", include("streams.operator.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    # The one locale folder has the texts of all our scripts; the admin pages bring their own.
    path("jsi18n/", texts, name="jsi18n"),
]
