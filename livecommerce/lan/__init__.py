"""HTTPS on a local network: phones open a camera on HTTPS pages only, and no authority that they
know gives certificates for a laptop. So the instance is its own; ADR 0017 says why like this.
"""
