"""Colours of what phones film, brought to what every screen shows (BT.709, 8 bits, limited range).

HDR is mapped by a table that ffmpeg looks each pixel up in (`lut3d`), made here from the standards:
BT.2100 says what light the numbers mean, BT.2390 section 5.4.1 how the bright part is rolled off,
and BT.2408 that white paper is 203 cd/m² of it. A table costs a hundredth of the exact sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path

HLG, PQ = "arib-std-b67", "smpte2084"
HDR = frozenset({HLG, PQ})
# As many points on each axis as grading programs use; between them ffmpeg interpolates.
POINTS = 33
# What phones are made for. Brighter PQ is clipped, as on their own screens.
PEAK_NITS = 1000.0
WHITE_NITS = 203.0
SCREEN_GAMMA = 2.4
HD_LINES = 720
# ffprobe's names of matrices that ffmpeg's scaler knows by another, or by the same one.
MATRICES = {
    "bt709": "bt709",
    "smpte170m": "bt601",
    "bt470bg": "bt601",
    "smpte240m": "smpte240m",
    "fcc": "fcc",
    "bt2020nc": "bt2020",
    "bt2020c": "bt2020",
}
# BT.2087: linear BT.2020 to linear BT.709.
TO_709 = (
    (1.6605, -0.5876, -0.0728),
    (-0.1246, 1.1329, -0.0083),
    (-0.0182, -0.1006, 1.1187),
)
LUMA_2020 = (0.2627, 0.6780, 0.0593)

Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Colour:
    """How a picture's numbers are meant: ffprobe's names, "" where the file does not say."""

    matrix: str = ""
    transfer: str = ""
    primaries: str = ""

    @property
    def is_hdr(self) -> bool:
        return self.transfer in HDR


def scaler_matrix(colour: Colour, codec: str, lines: int) -> str:
    """The matrix for ffmpeg's scaler; what the file does not say is guessed as browsers do."""
    if known := MATRICES.get(colour.matrix):
        return known
    return "bt709" if lines >= HD_LINES and codec != "vp8" else "bt601"


def write_table(transfer: str, folder: Path) -> Path:
    """The table from `transfer` in BT.2020 to a BT.709 screen, as a .cube file."""
    path = folder / f"{transfer}.cube"
    path.write_text(_table(transfer))
    return path


@lru_cache(maxsize=2)
def _table(transfer: str) -> str:
    """Red goes fastest, as the format has it."""
    steps = [at / (POINTS - 1) for at in range(POINTS)]
    lines = [f"LUT_3D_SIZE {POINTS}"]
    for blue, green, red in product(steps, repeat=3):
        shown = on_screen((red, green, blue), transfer)
        lines.append(" ".join(f"{value:.6f}" for value in shown))
    return "\n".join(lines) + "\n"


def on_screen(signal: Rgb, transfer: str) -> Rgb:
    """A pixel of HDR (0 to 1 each, BT.2020) as a BT.709 screen has to be told it."""
    light = _hlg_light(signal) if transfer == HLG else _pq_light(signal)
    # By the brightest of the three, so that a colour keeps its hue where it is rolled off.
    brightest = max(light)
    factor = _rolled_off(brightest) / brightest if brightest > 0 else 0.0
    dimmed = [value * factor / WHITE_NITS for value in light]
    red, green, blue = (
        sum(weight * value for weight, value in zip(row, dimmed, strict=True)) for row in TO_709
    )
    return _shown(red), _shown(green), _shown(blue)


def _shown(linear: float) -> float:
    return float(min(1.0, max(0.0, linear)) ** (1 / SCREEN_GAMMA))


def _hlg_light(signal: Rgb) -> Rgb:
    """BT.2100 table 5: the inverse OETF, then the OOTF of a display of 1000 cd/m²."""
    red, green, blue = (_hlg_scene(value) for value in signal)
    luma = sum(w * v for w, v in zip(LUMA_2020, (red, green, blue), strict=True))
    gain = PEAK_NITS * luma**0.2 if luma > 0 else 0.0
    return red * gain, green * gain, blue * gain


def _hlg_scene(value: float) -> float:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    if value <= 0.5:
        return value * value / 3
    return float((2.718281828459045 ** ((value - c) / a) + b) / 12)


M1, M2 = 2610 / 16384, 2523 / 32
C1, C2, C3 = 3424 / 4096, 2413 / 128, 2392 / 128


def _pq_light(signal: Rgb) -> Rgb:
    red, green, blue = (_pq_nits(value) for value in signal)
    return red, green, blue


def _pq_nits(value: float) -> float:
    """BT.2100 table 4, the EOTF."""
    root = value ** (1 / M2)
    return float(10_000 * (max(root - C1, 0) / (C2 - C3 * root)) ** (1 / M1))


def _pq_value(nits: float) -> float:
    """BT.2100 table 4, the inverse EOTF."""
    power = (nits / 10_000) ** M1
    return float(((C1 + C2 * power) / (1 + C3 * power)) ** M2)


def _rolled_off(nits: float) -> float:
    """BT.2390's EETF from 1000 to 203 cd/m²: below its knee light stays as it is."""
    source_peak = _pq_value(PEAK_NITS)
    peak = _pq_value(WHITE_NITS) / source_peak
    value, knee = min(1.0, _pq_value(nits) / source_peak), 1.5 * peak - 0.5
    if value < knee:
        return nits
    t = (value - knee) / (1 - knee)
    t2, t3 = t * t, t * t * t
    rolled = (2 * t3 - 3 * t2 + 1) * knee
    rolled += (t3 - 2 * t2 + t) * (1 - knee) + (-2 * t3 + 3 * t2) * peak
    return _pq_nits(rolled * source_peak)
