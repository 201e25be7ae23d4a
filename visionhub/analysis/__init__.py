"""Statistics over annotations: pure functions over arrays, tables and label sets.

Needs the `analysis` extra. Nothing here opens a study, but `frames`.
"""
