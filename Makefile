# make train    makes an environment and trains a net
# make test     makes it ready for development and runs all tests
# make check    style and types
# make bench    training throughput beside other libraries, which it installs

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: train test check bench clean

train: $(VENV)/ready
	$(BIN)/python train.py $(ARGS)

test: $(VENV)/ready-dev
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/ready-bench
	$(BIN)/python -m anynet bench $(ARGS)

clean:
	rm -rf $(VENV)

$(VENV)/ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(PIP) --editable '.[dev]'
	touch $@

$(VENV)/ready-bench: $(VENV)/ready
	$(PIP) --editable '.[bench]'
	touch $@
