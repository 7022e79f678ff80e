# Two commands matter: `make demo` and `make test`. Everything else is for those who look closer.
# PYTHON=python3.12 make … chooses another interpreter (3.11 to 3.13).

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
ARGS ?=
WORKERS ?= $(shell expr $$(nproc) + 1) # half of the tests wait for somebody to speak

# Some images forbid Python to keep what it compiled: each worker, and each server that a test starts, then compiles anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test lint setup setup-dev serve bench eval chaos line-test api-fuzz nobody-forgotten previews lock prompts rows clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: setup ## set up, then today's round of the demo neighbourhood (ARGS=--exit ends after the summary)
	@$(RUN) server.py demo $(ARGS)

test: setup-dev ## lint, types, import contracts, tests
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@# Types and contracts need one core for a minute: meanwhile the tests are compiled, once for all workers, and begin.
	@{ $(VENV)/bin/mypy && $(VENV)/bin/lint-imports; } > $(VENV)/types.txt 2>&1 & types=$$!; \
	$(RUN) -m pytest --collect-only -qq > $(VENV)/collected.txt 2>&1 || { cat $(VENV)/collected.txt; exit 1; }; \
	$(RUN) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS); tests=$$?; \
	wait $$types; types=$$?; echo; cat $(VENV)/types.txt; \
	[ $$types -eq 0 ] || { echo "types or import contracts: see above"; exit 1; }; exit $$tests

lint: ## only lint, types and contracts (after a set-up)
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy && $(VENV)/bin/lint-imports

setup: ## virtual environment, packages, espeak-ng, weights
	@$(PYTHON) tools/bootstrap.py

setup-dev: ## the same with what the tests need
	@$(PYTHON) tools/bootstrap.py --dev

serve: setup ## the server, with the settings of the environment and wenan.toml
	@$(RUN) server.py serve

bench: setup-dev ## measurements: latency, simultaneous calls, recogniser throughput
	@$(RUN) -m bench $(ARGS)

eval: setup-dev ## how well every installed engine understands, and what it costs (docs/evaluation.md)
	@$(RUN) -m bench.evaluation $(ARGS)

chaos: setup-dev ## kill -9 at any moment of a call, again and again
	@$(RUN) -m pytest tests/chaos -o norecursedirs=".*" $(ARGS)

line-test: setup-dev ## the line by a real Asterisk, whole: telephones, kill -9, 30 calls at once (docs/asterisk.md)
	@WENAN_ASTERISK_MAKE_S=600 $(RUN) -m pytest tests/asterisk -rs -o norecursedirs=".*" $(ARGS)

api-fuzz: setup-dev ## the API by its document, for ten minutes (ARGS: options of schemathesis)
	@$(RUN) -m tests.e2e.api_fuzz $(or $(ARGS),--max-examples 200 --max-time 600)

nobody-forgotten: setup-dev ## 100,000 days on the pure cores, 1,000 on a database, one killed at every write
	@$(RUN) -m tests.property.town $(ARGS)

previews: setup-dev ## what the ladder's preview says is what the simulator does, for 1,000 policies and rosters
	@WENAN_REHEARSALS=1000 $(RUN) -m pytest tests/property/test_rehearsal.py $(ARGS)

prompts: setup-dev ## renders what the prompt packs lack (docs/prompts.md)
	@$(PYTHON) -m venv $(VENV)/voices && $(VENV)/voices/bin/pip -q install -e ".[voices]"
	@$(VENV)/voices/bin/python tools/render_prompts.py all

rows: ## writes docs/rows.md anew from the stories
	@$(RUN) tools/rows.py

lock: ## writes the lock files anew from pyproject.toml
	@$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip -q install uv
	@UV="$(VENV)/lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml"; \
	$$UV --extra whisper --extra sherpa -o requirements.lock && \
	$$UV --extra whisper --extra sherpa --extra postgres --extra dev -c requirements.lock -o requirements-dev.lock

clean: ## removes environment and caches, never data/
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
