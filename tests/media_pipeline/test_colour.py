from __future__ import annotations

from pathlib import Path

import pytest

from media_pipeline.colour import HLG, POINTS, PQ, Colour, on_screen, scaler_matrix, write_table

# What white paper of 203 cd/m² is called in each (BT.2408 table 1).
PAPER = {HLG: 0.75, PQ: 0.58}


@pytest.mark.parametrize("transfer", [HLG, PQ])
def test_black_paper_and_highlights(transfer: str) -> None:
    shown = [on_screen((v, v, v), transfer)[1] for v in (0.0, PAPER[transfer], 0.8, 1.0)]
    assert shown[0] == 0
    assert 0.88 < shown[1] < 0.93
    assert shown == sorted(shown)
    assert shown[3] == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("transfer", [HLG, PQ])
def test_grey_has_no_colour_and_what_is_dark_is_as_bright_as_it_was(transfer: str) -> None:
    red, green, blue = on_screen((0.4, 0.4, 0.4), transfer)
    assert red == pytest.approx(green, abs=0.003) == pytest.approx(blue, abs=0.003)


def test_a_red_apple_stays_red() -> None:
    red, green, blue = on_screen((0.7, 0.25, 0.2), HLG)
    assert red > 0.8
    assert green < 0.35
    assert blue < 0.35


def test_the_table_is_a_cube_with_red_going_fastest(tmp_path: Path) -> None:
    lines = write_table(HLG, tmp_path).read_text().splitlines()
    assert lines[0] == f"LUT_3D_SIZE {POINTS}"
    assert len(lines) == 1 + POINTS**3
    reddest = [float(value) for value in lines[POINTS].split()]
    assert reddest == pytest.approx(on_screen((1, 0, 0), HLG), abs=1e-6)


@pytest.mark.parametrize(
    ("matrix", "codec", "lines", "scaler"),
    [
        ("bt709", "h264", 360, "bt709"),
        ("smpte170m", "h264", 1080, "bt601"),
        ("", "h264", 1080, "bt709"),
        ("unknown", "h264", 480, "bt601"),
        ("", "vp8", 1080, "bt601"),
    ],
)
def test_matrices(matrix: str, codec: str, lines: int, scaler: str) -> None:
    assert scaler_matrix(Colour(matrix), codec, lines) == scaler
