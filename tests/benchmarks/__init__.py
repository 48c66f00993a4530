"""Measurements: `python -m tests.benchmarks` takes a minute; `python -m tests.benchmarks.sweeps` takes long."""
