# Hands-On LLMs. `make help` lists the targets.
# The course's address, in one place. `make links REPO=owner/name BRANCH=main` rewrites every link from it.
REPO ?= hands-on-llms/hands-on-llms
BRANCH ?= main

PYTHON ?= python3
VENV ?= .venv
LAB_ARGS ?=
NB ?=
# how many tests run side by side (0: one after the other)
WORKERS ?= 2
SIDE_BY_SIDE = -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

ifeq ($(OS),Windows_NT)
PY := $(VENV)/Scripts/python.exe
else
PY := $(VENV)/bin/python
endif

.DEFAULT_GOAL := help
.PHONY: help env lab test test-fast notebooks bench recorded sweeps check-env links clean

help:  ## list the targets
	@echo "make lab          install, fetch the models, open JupyterLab on 00_welcome (LAB_ARGS=... is passed on)"
	@echo "make test         every test: helpers, exercises, every notebook; prints the notebook report and its minutes"
	@echo "make test NB=...  one notebook, as in NB=00_welcome"
	@echo "make test-fast    the tests that execute no notebook"
	@echo "make notebooks    execute the notebooks in place (NB=... for one)"
	@echo "make bench        how fast the course's tokenizers are beside others, on this machine"
	@echo "make recorded     repeat a long experiment in data/recorded (NAME=03_race; resumable)"
	@echo "make sweeps       repeat the long measurements in data/results (resumable)"
	@echo "make check-env    an [OK]/[FAIL] table to paste into a bug report"
	@echo "make links        rewrite the course's address everywhere (REPO=owner/name BRANCH=main)"
	@echo "make env          only install and fetch"
	@echo "make clean        remove build/ and the virtual environment"
	@echo "make help         this list. WORKERS=0 runs the tests one after the other; PYTHON=python3.12 chooses the interpreter"

env:
	@"$(PYTHON)" helpers/bootstrap.py --venv "$(VENV)"

lab: env
	@"$(PY)" -m jupyterlab notebooks/00_welcome.ipynb --ServerApp.root_dir="$(CURDIR)" $(LAB_ARGS)

test: env
	@NB="$(NB)" "$(PY)" -m pytest $(if $(NB),tests/test_notebooks.py tests/test_lessons.py,tests) $(SIDE_BY_SIDE)

test-fast: env
	@NB= "$(PY)" -m pytest tests -m "not notebooks and not network" $(SIDE_BY_SIDE)

notebooks: env
	@"$(PY)" -m tests.tools.execute $(NB)

bench: env
	@"$(PY)" -m tests.benchmarks.tokenization

recorded: env
	@"$(PY)" "data/recorded/$(NAME).py"

sweeps: env
	@"$(PY)" -m tests.benchmarks.sweeps

check-env:
	@if [ -x "$(PY)" ]; then "$(PY)" -m helpers.environment; else "$(PYTHON)" -m helpers.environment; fi

links: env
	@"$(PY)" -m tests.tools.links "$(REPO)" "$(BRANCH)"

clean:
	@rm -rf build "$(VENV)"
