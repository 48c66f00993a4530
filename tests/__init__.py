"""Tests of the helpers, of every exercise and of every notebook."""
