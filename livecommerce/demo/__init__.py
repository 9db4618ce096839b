"""The demo: a small world, a show that is always live, and people to look at it as."""
