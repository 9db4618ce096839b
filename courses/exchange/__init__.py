"""A course as one file: written here, read in another county's instance (ADR 0037)."""
