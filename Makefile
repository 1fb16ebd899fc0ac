# Every verb of this project. `make help` prints the lines marked with two number signs.
# Needs nothing but Python 3.11 or later and make; packages come from wherever pip is configured to look.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# Bytecode is worth seconds at each start of Dagster, whatever the machine's habit is.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
unexport PYTHONHOME

VENV := .venv
PY := $(VENV)/bin/python
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& { echo $$p; break; }; done)
PIP := $(PY) -m pip --disable-pip-version-check --no-input
PACKAGES := api assets pipelines resources sandbox sync
UV_COMPILE := $(VENV)/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	--no-strip-extras --no-emit-index-url --no-emit-find-links -q
ONCE ?=
N ?=
FROM ?=
T ?=
J ?=

.PHONY: help setup setup-tests browser demo run test test-fast check fix bench simulate chaos fuzz lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.product ## create .venv with the locked packages and the product itself

setup-tests: $(VENV)/.tests ## the same, with what the tests and checks need

demo: $(VENV)/.product ## bring everything up and run a first sync; ONCE=1 ends after it
	@$(VENV)/bin/tieout demo $(if $(filter-out 0 no false,$(ONCE)),--once)

run: $(VENV)/.product ## start the API and pages with your own settings (.env)
	@$(VENV)/bin/tieout serve

test: $(VENV)/.tests browser ## run every test, a browser included; T="tests/arch -k layers" chooses, J=8 in parallel (4; J=0: one by one)
	@$(PY) -m pytest -n $(or $(J),4) --dist loadfile $(T)

test-fast: $(VENV)/.tests ## the tests without browser and slow ones
	@$(PY) -m pytest -n $(or $(J),4) --dist loadfile -m "not browser and not slow and not bench" $(T)

check: $(VENV)/.tests ## ruff, mypy, import-linter and squawk, without the tests
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/squawk --config .squawk.toml sql/migrations/*.sql

fix: $(VENV)/.tests ## let ruff mend and format what it can
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

bench: $(VENV)/.tests ## run the benchmarks, one JSON line per figure; T="--full push" chooses and sizes them
	@$(PY) -m tests.bench $(T)

simulate: $(VENV)/.tests ## run 10,000 simulated worlds (W=…), then hunt for every planted bug
	@$(PY) -m tests.simulation --worlds $(or $(W),10000)
	@$(PY) -m tests.simulation --planted all

chaos: $(VENV)/.tests ## run the real servers under load and kill them with -9, 200 times (K=…)
	@$(PY) -m tests.chaos --kills $(or $(K),200)

fuzz: $(VENV)/.tests ## send 50,000 requests (N=…) over the whole API, or its routes FROM=… on, each answer held to its description
	@$(PY) -m tests.api.fuzz $(N) $(if $(FROM),--from $(FROM))

lock: $(VENV)/.tests ## resolve requirements*.in anew into the locks (hashes, no addresses)
	@$(PIP) install -qq uv
	@$(UV_COMPILE) --upgrade requirements-dev.in -o requirements-dev.lock
	@$(UV_COMPILE) -c requirements-dev.lock requirements.in -o requirements.lock
	@$(UV_COMPILE) -c requirements-dev.lock requirements-kubernetes.in -o requirements-kubernetes.lock
	@for peer in tests/bench/peers/*.in; do $(UV_COMPILE) --upgrade $$peer -o $${peer%.in}.txt; done

browser: $(VENV)/.tests ## find a Chromium, or install one when this is possible (Debian, Ubuntu, as root)
	@$(PY) -m tests.support.browser

clean: ## remove .venv and every cache; TIEOUT_HOME with its books stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks build dist *.egg-info
	find $(PACKAGES) tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- stamps: each is newer than what it was made from, so that a second call costs nothing ----------

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Tieout needs Python 3.11 or later with its venv module; install it (on Debian: apt-get install python3 python3-venv) and run this again."; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) could not create a virtual environment; install its venv module (on Debian: apt-get install python3-venv) and run this again."; exit 1; }

$(VENV)/.product: requirements.lock pyproject.toml | $(VENV)/bin/python
	@test -e $(VENV)/.tests || { echo "Installing the locked packages (a minute or two, the first time)"; \
		$(PIP) install -qq --require-hashes --only-binary :all: -r requirements.lock; }
	@$(PIP) install -qq --no-deps --no-build-isolation --no-index -e .
	@$(PY) -m compileall -q $(PACKAGES) || true
	@touch $@

$(VENV)/.tests: requirements-dev.lock requirements.lock | $(VENV)/.product
	@echo "Installing what the tests need (a minute or two, the first time)"
	@$(PIP) install -qq --require-hashes -r requirements-dev.lock
	@touch $@
