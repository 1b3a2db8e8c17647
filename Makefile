# Targets for people who work on gradviz. `make` alone lists them.
PYTHON ?= python
export OPENBLAS_NUM_THREADS = 1

.PHONY: help check format test fast apps bench

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

check:  ## style, types, layers
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	lint-imports

format:  ## sort imports, lay out the code
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

test:  ## all tests
	$(PYTHON) -m pytest

fast:  ## tests without a browser and without long trainings
	$(PYTHON) -m pytest -m "not browser and not slow"

apps:  ## the dashboard on ./gradviz-runs
	$(PYTHON) -m gradviz dashboard

bench:  ## how fast the core is on this machine
	$(PYTHON) benchmarks
