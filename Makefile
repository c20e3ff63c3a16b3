# What a newcomer types: make demo, make test. Everything they need, they install themselves.
SHELL := /bin/bash
PYTHON ?= python3
OPEN ?= 1
CONTACTS ?= 5000
STAMP := .venv/.installed

.PHONY: help install demo test slow quick coverage lint types screenshots lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(STAMP) ## create .venv with everything, pinned and hashed (leaves .venv/bin/workbench)

$(STAMP): requirements.lock pyproject.toml
	@echo "==> Creating .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11, 3.12 or 3.13 is needed; try: make install PYTHON=python3.11") if not (3, 11) <= sys.version_info[:2] <= (3, 13) else None'
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@echo "==> Installing pinned packages from requirements.lock (about two minutes the first time)"
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@echo "==> Installing the workbench itself"
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(STAMP)
	@echo "==> Ready: .venv/bin/workbench --help"

demo: install ## the main job on two local servers, told as a story; opens the dashboard unless OPEN=0
	@.venv/bin/workbench demo --contacts $(CONTACTS) $(if $(filter 0,$(OPEN)),--no-open,--open)

test: install browser ## everything CI runs: lint, format, layers, types, tests, notebooks, the dashboard in a browser
	@bash .ci/checks

slow: install browser ## the long tests: kills and faults of pull and push, other clients (npm), browser (about 20 minutes)
	@.venv/bin/python -m pytest -q -n 2 -m slow

coverage: install ## the fast tests, and which lines they reach
	@.venv/bin/python -m pytest -q -m "not slow" -n 2 --cov --cov-report=term:skip-covered

quick: install ## the fast tests only
	@.venv/bin/python -m pytest -q -m "not slow" -n 2

.PHONY: browser
browser: ## Debian's chromium for the page tests, where it is missing and apt is there
	@if [ -z "$$(command -v chromium)" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "==> Installing Debian's chromium for the page tests"; \
	    apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-color-emoji >/dev/null; \
	  else echo "==> No chromium found: page tests will be skipped (install the Debian package 'chromium' to run them)"; fi; fi

lint: install ## ruff, format and import layers
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/lint-imports

types: install ## mypy --strict
	@.venv/bin/mypy

screenshots: install browser ## every screen, light and dark, into docs/images/
	@.venv/bin/python scripts/screenshots.py

lock: ## refresh requirements.lock (needs uv)
	uv pip compile pyproject.toml --all-extras --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 -o requirements.lock

clean: ## remove .venv and caches (never data/)
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .coverage htmlcov
