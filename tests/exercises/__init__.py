"""Every exercise of the course: its right answers, its wrong ones, its untouched cell."""
