"""What the tests and the Makefile share: reading and running notebooks, the limits of a lesson, links."""
