# Two commands do everything: `make demo` and `make test`. They build .venv from the lock file and keep it up to date.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
ONLY ?=
TEST_WORKERS ?= auto

.PHONY: demo run test lint bench soak bundle clean lock

$(VENV)/.base: requirements/base.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "scancode needs Python 3.11 or newer: make PYTHON=python3.11 …"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

demo: $(VENV)/.base
	exec env PORT=$(PORT) $(BIN)/python -m scancode demo

run: $(VENV)/.base
	exec $(BIN)/python -m scancode serve

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadgroup

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench $(ONLY)

# Ten minutes of claims with every fault, kills and a restore, on both databases; SOAK_S, CLAIMS and ONLY change it.
soak: $(VENV)/.dev
	$(BIN)/python -m tests.soak

# For maintainers: writes the lock again from pyproject.toml (needs uv in the environment).
lock: $(VENV)/.dev
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header -q --extra postgres --extra redis --extra regions -o requirements/base.txt
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header -q --extra postgres --extra redis --extra regions --group dev -c requirements/base.txt -o requirements/dev.txt
	for system in linux windows; do $(BIN)/uv pip compile deploy/press.in --python-platform $$system --python-version 3.11 --generate-hashes --no-header --no-annotate -q -c requirements/base.txt -o requirements/press-$$system.txt; done

# The press for computers without a network: build/press-bundle.zip.
bundle: $(VENV)/.base
	$(BIN)/python deploy/bundle.py build/press-bundle.zip

clean:
	rm -rf $(VENV) var build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
