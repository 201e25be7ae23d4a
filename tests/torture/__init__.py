"""Torture: what must hold when a run is killed, throttled, starved or fed with rubbish, measured.

`python -m tests.torture` (`make torture`) runs all parts and prints every figure with its count;
each part is a module with `run(scale, seed)`, where a scale of 1 is the long form.
"""
