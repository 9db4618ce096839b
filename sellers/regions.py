"""The provinces, regions and municipalities of China that parcels go to, as GB/T 2260 numbers them.

Codes are the first two digits; the order is that of the standard.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

REGIONS: tuple[tuple[str, str | Promise], ...] = (
    ("11", _("Beijing")),
    ("12", _("Tianjin")),
    ("13", _("Hebei")),
    ("14", _("Shanxi")),
    ("15", _("Inner Mongolia")),
    ("21", _("Liaoning")),
    ("22", _("Jilin")),
    ("23", _("Heilongjiang")),
    ("31", _("Shanghai")),
    ("32", _("Jiangsu")),
    ("33", _("Zhejiang")),
    ("34", _("Anhui")),
    ("35", _("Fujian")),
    ("36", _("Jiangxi")),
    ("37", _("Shandong")),
    ("41", _("Henan")),
    ("42", _("Hubei")),
    ("43", _("Hunan")),
    ("44", _("Guangdong")),
    ("45", _("Guangxi")),
    ("46", _("Hainan")),
    ("50", _("Chongqing")),
    ("51", _("Sichuan")),
    ("52", _("Guizhou")),
    ("53", _("Yunnan")),
    ("54", _("Tibet")),
    ("61", _("Shaanxi")),
    ("62", _("Gansu")),
    ("63", _("Qinghai")),
    ("64", _("Ningxia")),
    ("65", _("Xinjiang")),
    ("71", _("Taiwan")),
    ("81", _("Hong Kong")),
    ("82", _("Macao")),
)

_LABELS = dict(REGIONS)


def is_region(code: object) -> bool:
    """Whether parcels can be addressed to the code."""
    return isinstance(code, str) and code in _LABELS


def region_label(code: str) -> str:
    """The region's name in the active language; "" for none, the code itself if it is unknown."""
    return str(_LABELS.get(code, code))


def address_line(region: str, street: str) -> str:
    """An address in one line, in the reader's order: Chinese begins with the province.

    `region` is a code, or "" where none was asked for.
    """
    if not region:
        return street
    return gettext("%(street)s, %(region)s") % {"street": street, "region": region_label(region)}
