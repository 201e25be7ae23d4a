"""The study file: one SQLite database that holds images, raw bodies and everything derived."""
