"""Lessons on a phone without a network: what a trainee keeps there, and how it gets back."""
