"""Files that somebody might send to do harm, made byte by byte."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from media_pipeline import ffmpeg

SECONDS = 2


def film(path: Path, *options: str) -> Path:
    """An honest film of two seconds."""
    picture = ["-f", "lavfi", "-i", "testsrc2=size=160x96:rate=10", "-f", "lavfi", "-i", "sine"]
    encoder = ["-t", str(SECONDS), "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
    ffmpeg.run([*picture, *encoder, *options, str(path)], timeout_s=30)
    return path


def lists(port: int) -> dict[str, str]:
    """Texts that make a careless reader open another file, or ask a server on `port`."""
    there = f"http://127.0.0.1:{port}/secret"
    return {
        "hls": f"#EXTM3U\n#EXTINF:1,\n{there}.ts\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile '/etc/passwd'\nfile '{there}.mp4'\n",
        "sdp": f"v=0\ns=x\nc=IN IP4 127.0.0.1\nm=video {port} RTP/AVP 96\n",
        "dash": f"<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><BaseURL>{there}</BaseURL></MPD>",
        "svg": f"<svg xmlns='http://www.w3.org/2000/svg'><image href='{there}.png'/></svg>",
        "ram": f"{there}.mp4\n",
        "xbin": "XBIN" + "\0" * 40,
    }


def element(code: int, body: bytes) -> bytes:
    """An EBML element (RFC 8794) with a size of eight bytes."""
    name = code.to_bytes((code.bit_length() + 7) // 8, "big")
    return name + (len(body) | 1 << 56).to_bytes(8, "big") + body


def number(code: int, value: int) -> bytes:
    return element(code, value.to_bytes(4, "big"))


def matroska(tracks: Iterator[bytes], *clusters: bytes) -> bytes:
    header = element(0x1A45DFA3, element(0x4282, b"matroska"))
    info = element(0x1549A966, number(0x2AD7B1, 1_000_000))
    body = info + element(0x1654AE6B, b"".join(tracks)) + b"".join(clusters)
    return header + element(0x18538067, body)


def track(at: int, size: tuple[int, int] = (160, 96), *, packed: bool = False) -> bytes:
    """A track of raw VP8 that may say that its packets are packed with zlib."""
    width, height = size
    about = number(0xD7, at) + number(0x73C5, at) + number(0x83, 1) + element(0x86, b"V_VP8")
    if packed:
        how = number(0x5031, 0) + number(0x5033, 0) + element(0x5034, number(0x4254, 0))
        about += element(0x6D80, element(0x6240, how))
    return element(0xAE, about + element(0xE0, number(0xB0, width) + number(0xBA, height)))


def many_streams(count: int) -> bytes:
    return matroska(track(at) for at in range(1, count + 1))


def huge_picture() -> bytes:
    return matroska(iter([track(1, (16384, 8640))]), _cluster(b"\x10\0\0\x9d\x01\x2a" + b"\0" * 99))


def bomb() -> bytes:
    """Each of two packets is 640 MB of nothing, packed into less than one."""
    packer = zlib.compressobj(9)
    nothing = b"".join(packer.compress(b"\0" * 2**24) for _part in range(40)) + packer.flush()
    return matroska(iter([track(1, packed=True)]), *[_cluster(nothing)] * 2)


def _cluster(packet: bytes) -> bytes:
    block = b"\x81" + struct.pack(">hB", 0, 0x80) + packet
    return element(0x1F43B675, number(0xE7, 0) + element(0xA3, block))


def long_lie(honest: bytes) -> bytes:
    """The same film, whose header says that it lasts for weeks."""
    at = honest.index(b"mvhd") + 4
    return honest[: at + 16] + struct.pack(">I", 0x7FFFFFFF) + honest[at + 20 :]


def mutated(honest: bytes, seed: int) -> bytes:
    """Some bytes changed, a piece taken out, or a piece there twice."""
    chance = random.Random(seed)
    data = bytearray(honest)
    for _change in range(chance.choice([1, 3, 10, 60])):
        at = chance.randrange(len(data))
        match chance.randrange(4):
            case 0 | 1:
                data[at] = chance.choice([0, 0xFF, chance.randrange(256)])
            case 2:
                del data[at : at + chance.randrange(1, 200)]
            case _:
                data[at:at] = data[at : at + chance.randrange(1, 200)]
    return bytes(data)
