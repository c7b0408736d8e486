# The verbs of this repository. Needs Python 3.11 to 3.14 with venv, make, git; nothing else.
BIN := .venv/bin
READY := .venv/ready
KERNELS := .venv/kernels
CODE := app agents tables models
LINTED := $(CODE) clients tools $(wildcard tests) $(wildcard benchmarks)
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --generate-hashes --group build $(UPGRADE) \
	--universal --python-version 3.11 --no-emit-index-url --custom-compile-command 'make lock'
# --no-deps: the lock is whole (a test proves it), and pip would look for the newest of what one asks for with an extra
LOCKED := --quiet --no-deps --require-hashes --only-binary :all:
# Installs the lock into the environment $(1): uv in a tenth of pip's time, pip where only pip knows the way to an index
install = $(BIN)/uv pip install --python $(1)/bin/python $(LOCKED) -r requirements.lock || \
	$(1)/bin/python -m pip install $(LOCKED) -r requirements.lock
install-freshet = $(BIN)/uv pip install --python $(1)/bin/python --quiet --no-deps --no-build-isolation -e .

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_SYSTEM_CERTS := true

.DEFAULT_GOAL := help
.PHONY: help setup demo docs check lint format unit pythons browser integration run-integration faults run-faults test coverage producers debian lock clean

help: ## print this list
	@sed -n 's/^\([a-z%-]*\):[^#]*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

setup: $(KERNELS) ## make .venv with the locked packages and the command freshet (nothing to do when up to date)

$(READY): pyproject.toml requirements.lock
	@python=$${PYTHON:-$$(tools/python.sh)} && echo "setting up with $$($$python -V), $$python" && $$python -m venv --clear .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.lock
	$(BIN)/python -m pip install $(LOCKED) -r .venv/uv.lock
	$(call install,.venv)
	$(call install-freshet,.venv)
	@touch $@

$(KERNELS): $(READY)
	@echo 'compiling the kernels, once: a minute or two'
	@$(BIN)/python -m tables.warm_up
	@touch $@

demo: setup ## the whole pipeline on this machine, explained while it runs
	$(BIN)/freshet demo

lint: $(READY) ## ruff, mypy, the imports' one way, file sizes
	$(BIN)/ruff check $(LINTED)
	$(BIN)/ruff format --check $(LINTED)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/file_sizes.py $(CODE) clients tests

format: $(READY) ## rewrite the code as ruff likes it
	$(BIN)/ruff check --fix $(LINTED)
	$(BIN)/ruff format $(LINTED)

debian: $(READY) ## programs for the tests out of Debian's packages (promtool, Prometheus, HAProxy), into .venv/debian
	@$(BIN)/python -m tools.debian

unit: setup debian ## tests without services: unit, wiring, golden, and the examples in docstrings
	nice $(BIN)/pytest --doctest-modules $(CODE) clients
	nice $(BIN)/pytest tests/unit tests/wiring $(wildcard tests/golden)

SLOWEST := --durations=15 --durations-min=5

browser: debian ## a Chromium for the tests of the dashboard, if there is none and root runs this
	@tools/browser.sh

integration: setup debian browser ## tests on real Kafka and Redis, the dashboard in a real browser
	@$(MAKE) --no-print-directory run-integration

run-integration:
	$(BIN)/pytest $(SLOWEST) tests/integration $(wildcard tests/conformance)

faults: setup debian ## kills, pauses and restarts on real Kafka and Redis
	@$(MAKE) --no-print-directory run-faults

run-faults:
	$(BIN)/pytest $(SLOWEST) tests/faults

check: lint unit ## what to run before each commit

# Every other interpreter on the PATH that Freshet runs on, e.g. "3.12 3.13", and the newest of them.
OTHERS = $(shell tools/python.sh --others $(BIN)/python)
NEWEST = $(lastword $(OTHERS))

pythons: setup ## the tests without services on every other Python on the PATH
	@[ -z "$(OTHERS)" ] || $(MAKE) --no-print-directory -j2 -O $(OTHERS:%=unit-on-%)

unit-on-%: .venv-%/ready
	nice .venv-$*/bin/python -m pytest -q -p no:cacheprovider --hypothesis-profile=fewer tests/unit tests/wiring $(wildcard tests/golden)

.PRECIOUS: .venv-%/ready
.venv-%/ready: pyproject.toml requirements.lock $(READY)
	$$(tools/python.sh $*) -m venv --clear .venv-$*
	$(call install,.venv-$*)
	$(call install-freshet,.venv-$*)
	nice .venv-$*/bin/python -m tables.warm_up
	@touch $@

# First what ends soon and all else needs. Then the tests, the longest first, without what they need: make would begin
# others while it looks. Those on services mostly wait; what only computes fills the time between, and gives way to them
# (`nice`). After a failure nothing more is started.
SIDE_BY_SIDE = $(MAKE) --no-print-directory -j3 -O
TESTS = run-integration run-faults unit $(NEWEST:%=unit-on-%)

test: $(READY) ## everything, three jobs side by side; what CI runs
	@$(SIDE_BY_SIDE) lint debian browser $(KERNELS) $(NEWEST:%=.venv-%/ready)
	@echo 'side by side, each printed when it is over: $(TESTS)'
	@$(SIDE_BY_SIDE) $(TESTS)

docs: $(READY) ## the pages of docs/ as a site in build/site; a broken link fails it
	$(BIN)/python -m tools.flow_picture
	$(BIN)/python -m tools.settings_page
	$(BIN)/zensical build --clean --strict

coverage: setup ## all tests once more, with the lines they reach
	$(BIN)/pytest --cov --cov-report=term --cov-report=html

producers: setup ## real producer clients (Python, Java; Go and Node where they are): each with its defaults and codecs
	$(BIN)/python -m tools.producers

bench-%: setup ## one benchmark of benchmarks/, e.g. make bench-decode
	PYTHONPATH=clients/python $(BIN)/python -m benchmarks.$*

lock: setup ## write both locks after a change of pyproject.toml (UPGRADE=--upgrade: newest versions)
	$(LOCK) --all-extras --output-file requirements.lock
	$(LOCK) --extra logs --extra web --constraints requirements.lock --output-file requirements-core.lock
	@echo 'now: make setup, and make unit proves both whole'

clean: ## remove .venv and every cache
	rm -rf .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache htmlcov .coverage *.egg-info
