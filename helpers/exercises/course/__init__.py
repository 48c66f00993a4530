"""The exercises, a folder for each notebook and a file for each exercise: `checking.loading` says what is in one."""
