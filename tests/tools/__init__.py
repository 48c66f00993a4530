"""Tools that the tests and the Makefile share: rules for notebooks, runners, links, the report."""
