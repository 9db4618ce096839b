"""What is wrong in the folder that HTTPS on a local network keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from livecommerce.lan import certificates
from tests.livecommerce.command import livecommerce
from tests.livecommerce.test_lan import FARM, NOW, handshake
from tests.server import free_port_everywhere


@pytest.mark.parametrize("name", ["server.pem", "authority.pem"])
def test_a_certificate_with_the_key_of_another_is_made_anew(name: str, tmp_path: Path) -> None:
    """As copied together by hand: with it the server could not even start."""
    kept = certificates.ensure(tmp_path, FARM, NOW)
    file = tmp_path / "lan" / name
    certificates.ensure(tmp_path / "other", FARM, NOW)
    key = (tmp_path / "other/lan" / name).read_text().partition("-----BEGIN PRIVATE")
    file.write_text(file.read_text().partition("-----BEGIN PRIVATE")[0] + key[1] + key[2])
    second = certificates.ensure(tmp_path, FARM, datetime.now(UTC))
    assert (second.fingerprint == kept.fingerprint) is (name == "server.pem")
    assert handshake(second.server, second.authority, "farm.local")


@pytest.mark.process
@pytest.mark.parametrize("name", ["lan/authority.pem", "lan/server.pem", "lan/lock"])
def test_a_folder_in_the_place_of_a_file_is_said_in_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir(parents=True)
    with pytest.raises(certificates.Unusable, match=f"{name} cannot be used for HTTPS .*: move it"):
        certificates.ensure(tmp_path, FARM, NOW)
    if name == "lan/authority.pem":
        for asked in (("up", "--lan"), ("check",)):
            ports = {"LIVECOMMERCE_HTTPS_PORT": str(free_port_everywhere())}
            ports["PORT"] = str(free_port_everywhere())
            done = livecommerce(*asked, data=tmp_path, LIVECOMMERCE_LAN="1", **ports)
            said = done.stderr + done.stdout
            assert done.returncode == (78 if asked[0] == "up" else 1)
            assert f"{name} cannot be used for HTTPS (Is a directory): move it away" in said
            assert "Traceback" not in said
