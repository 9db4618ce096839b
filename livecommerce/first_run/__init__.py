"""The first minutes of an instance: somebody with the terminal's address says what it is."""
