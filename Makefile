# `make` alone lists the targets. Everything is installed into .venv; nothing else is touched.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
T ?= tests

.PHONY: help init clients up test pictures storm check fix docs bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.ready: pyproject.toml requirements/dev.lock tools/venv.sh
	@PYTHON=$(PYTHON) bash tools/venv.sh $(VENV)
	@touch $@

init: $(VENV)/.ready ## Set up: a virtual environment with the locked dependencies

clients: $(VENV)/.ready ## Install the AWS, SAM and CDK command lines that some tests drive
	@bash tools/clients.sh

up: $(VENV)/.ready ## Start the cloud, deploy the ready applications, print the first command to try
	@$(BIN)/cumulet up --with-apps apps

test: $(VENV)/.ready .cache/protocol-vectors/.ready ## Run the tests (T=path for some of them)
	@$(BIN)/pytest $(T)

.cache/protocol-vectors/.ready: $(VENV)/.ready tools/fetch_vectors.py
	@$(BIN)/python tools/fetch_vectors.py
	@touch $@

pictures: $(VENV)/.ready ## Take the pictures of the guides anew, in a browser
	@mkdir -p docs/pictures/first-evening
	@CUMULET_PICTURES=$(CURDIR)/docs/pictures/first-evening \
		$(BIN)/pytest -n 2 --dist load tests/browser/test_first_evening.py \
		tests/browser/console/test_first_evening_apis.py

storm: $(VENV)/.ready ## Kill the cloud fifty times in a storm of writes, and under a crowd (takes minutes)
	@CUMULET_STORM_ROUNDS=50 CUMULET_CROWD_SECONDS=60 \
		$(BIN)/pytest -n 0 -s tests/journeys/test_kill_storm.py tests/journeys/test_crowd.py

check: $(VENV)/.ready ## Check style, types, floors and the house's own rules; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python tools/reference.py --check

fix: $(VENV)/.ready ## Mend what the linter can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(VENV)/.ready ## Generate the reference pages from the code, and build the site (site/index.html)
	@$(BIN)/python tools/reference.py
	@$(BIN)/sphinx-build --quiet --fresh-env --fail-on-warning --keep-going \
		--doctree-dir .cache/site docs site
	@echo "open site/index.html in a browser"

bench: $(VENV)/.ready ## Measure, beside peers and the machine's own limits (takes minutes)
	@$(BIN)/python -m bench

lock: ## Resolve dependencies anew into requirements/*.lock (needs uv)
	@bash tools/lock.sh

clean: ## Remove what was generated here
	@rm -rf $(VENV) .bootstrap .cache build dist site .mypy_cache .ruff_cache .pytest_cache
