"""Captions: what is said in a recording, as text that can be heard, read, edited and cut."""
