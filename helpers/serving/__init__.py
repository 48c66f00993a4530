"""The course's server: `python -m helpers.serving --port 8000`."""
