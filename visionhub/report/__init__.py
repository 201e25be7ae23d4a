"""Reads a study and writes files for people: tables, pictures, exports, a page."""
