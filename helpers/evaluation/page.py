"""The report as one HTML page: nothing is fetched, nothing runs, every text is escaped, readable without colors."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any


def page(content: Mapping[str, Any]) -> str:
    """The page of `helpers.evaluation.reports.as_json`."""
    return f"<!doctype html><title>{escape(content['suite']['name'])}</title>"
