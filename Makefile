# Chatbubble's commands. `make` alone lists them.
SHELL := /bin/sh
PYTHON ?= python3

BIN := .venv/bin
STAMPS := .venv/stamps
JS := $(BIN)/python widget/toolchain.py
# The Python package that carries Node joins only where the machine has none.
NODE = $(shell $(BIN)/python widget/toolchain.py found || echo node)
# Exact versions, checked by hash. PINS=off: what the index has newest within the bounds of setup.cfg.
PINS ?= on
export PINS
LOCKS := $(wildcard requirements/*.txt)

# The pure core: every branch of it has to be tested.
CORE := */additions.py,*/budget.py,*/risks.py,*/secrecy.py,*/discretion.py,*/measures.py,*/errors.py,*/events.py,*/records.py,*/config.py,*/prompt.py,*/sse.py,*/well_formed.py,*/compaction.py,*/json_flaws.py,*/openapi.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install run test faults soak fuzz pictures lint bench build dist audit pins clean needs

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMPS)/dev build ## create .venv with everything needed to work on Chatbubble

run: $(STAMPS)/app build ## start the backend and the demo shop; PORT= and SITE_PORT= choose the ports
	@$(BIN)/python demo-site/run.py

test: install needs ## run every test: JavaScript, Python, three browser engines
	$(JS) fetch --all
	@$(BIN)/python scripts/run_tests.py
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=90
	@report=$$($(BIN)/coverage report --include='$(CORE)' --fail-under=100) || { echo "$$report"; exit 1; }

faults: install needs ## run the fault suite whole, for hours, and write docs/faults.md; ARGS="--only kill9" runs a part
	@$(BIN)/python tests/faults/fault_suite.py $(ARGS)

soak: install needs ## an hour at a third of the load with faults, then rest: is anything left? ARGS="--seconds 600"
	@$(BIN)/python tests/faults/fault_suite.py --only soak $(ARGS)

fuzz: install needs $(STAMPS)/fuzz ## feed all that reads strangers' bytes whatever nobody meant, for hours; ARGS="--only requests"
	$(JS) fetch --all
	@$(BIN)/python tests/fuzz/fuzz_suite.py $(ARGS)

pictures: install needs ## take a picture of every state, language and theme: artefacts/sheet/index.html
	CHATBUBBLE_PICTURES=1 $(BIN)/python -m pytest tests/e2e/test_contact_sheet.py

lint: install ## check style, types and the rules of the house, on both sides
	$(JS) fetch --all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/e2e
	$(BIN)/mypy tests/engines
	$(JS) node widget/node_modules/typescript/bin/tsc --project widget
	$(JS) node widget/node_modules/eslint/bin/eslint.js --config widget/eslint.config.js --max-warnings=0 widget tests

bench: install needs $(STAMPS)/bench ## measure, for two hours; prints tables, and writes docs/performance.md
	@$(JS) fetch --all
	@$(BIN)/python tests/bench/run.py
	@echo; echo markdown; $(JS) node tests/bench/widget/markdown.js
	@echo; echo page; $(BIN)/python tests/bench/page/measure_page.py
	@echo; echo streams; $(BIN)/python tests/bench/streams/measure_streams.py

build: $(STAMPS)/app ## build the widget, unless it is current
	@$(BIN)/python widget/assets.py

dist: install ## make sdist, wheel and bill of materials in dist/; the same sources give the same bytes
	rm -rf dist
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	$(BIN)/python -c "import sys; sys.path.insert(0, 'widget'); import build_backend; build_backend.build_sdist('dist')"
	$(BIN)/python scripts/bill_of_materials.py dist
	@$(BIN)/python -m pip hash dist/*

audit: $(STAMPS)/supply ## is anything that is pinned known to be vulnerable? ARGS=--strict: not being told is a failure
	@.venv/supply/bin/python scripts/audit.py $(ARGS)

pins: $(STAMPS)/supply ## write requirements/ anew, with the newest of everything; ARGS="--exclude-newer '7 days'"
	@.venv/supply/bin/python scripts/pins.py $(ARGS)

clean: ## remove all that the other commands made
	rm -rf .venv build dist widget/node_modules tests/bench/references/node_modules backend/chatbubble/static backend/*.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov artefacts

needs: $(STAMPS)/dev
	@scripts/install_test_needs.sh

$(BIN)/python:
	@scripts/make_venv.sh $(PYTHON)

$(STAMPS)/app: setup.cfg pyproject.toml $(LOCKS) | $(BIN)/python
	@echo "Installing Chatbubble into .venv ..."
	@scripts/install_pins.sh run widget $(NODE)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: setup.cfg pyproject.toml $(LOCKS) | $(BIN)/python
	@echo "Installing Chatbubble and its development tools into .venv ..."
	@scripts/install_pins.sh dev $(NODE)
	@mkdir -p $(STAMPS) && touch $(STAMPS)/app $@

$(STAMPS)/bench: setup.cfg pyproject.toml $(LOCKS) | $(STAMPS)/dev
	@echo "Installing what the benchmark compares with into .venv ..."
	@scripts/install_pins.sh bench
	@touch $@

# An environment of its own: the auditor brings thirty packages and another pip.
$(STAMPS)/supply: requirements/supply.txt | $(STAMPS)/dev
	@echo "Installing what renews and audits the pins into .venv/supply ..."
	@$(BIN)/python -m venv .venv/supply
	@.venv/supply/bin/python -m pip install --quiet --require-hashes -r requirements/supply.txt
	@touch $@

$(STAMPS)/fuzz: setup.cfg pyproject.toml $(LOCKS) | $(STAMPS)/dev
	@echo "Installing what guides the fuzzing into .venv ..."
	@scripts/install_pins.sh fuzz || echo "There is no atheris for this Python: the parsers are fed blindly."
	@touch $@
