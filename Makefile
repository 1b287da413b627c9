# make train      create an environment and train a net
# make test       run the tests, without those marked slow and those that need a GPU
# make test-gpu   run the tests that need a GPU, with CuPy for CUDA=12 or CUDA=13
# make test-all   run all tests
# make coverage   run the tests, print how many lines and branches they reach
# make mutate     change nn, optim and training in small ways, list the changes that no test notices
# make check      style, imports, types, workflows
# make imports    draw docs/imports.svg
# make docs       build the documentation into docs/_build/html
# make release    build the packages of the last commit in dist, check them, and list what they bring (build/sbom.cdx.json)
# make try-wheel  install the wheel in dist with the lowest and the newest dependencies, for PYTHONS="3.11 3.12", and train
# make bench      compare training throughput with other libraries, which it installs
#
# ARGS="..." is passed on; JOBS=2 is the number of test processes; CUDA=12 or 13 chooses the CuPy for tests.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
CUDA ?= 12
PYTHONS ?= 3.11
ONE_THREAD = OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
BYTECODE = PYTHONDONTWRITEBYTECODE=
PYTEST = $(ONE_THREAD) $(BYTECODE) JAX_DISABLE_MOST_OPTIMIZATIONS=true $(BIN)/python -m pytest --numprocesses $(JOBS)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: train test test-gpu test-all coverage mutate check imports docs release try-wheel bench clean

train: $(VENV)/ready
	$(BIN)/python train.py $(ARGS)

test: $(VENV)/ready-dev
	$(PYTEST) -m "not slow and not gpu" $(ARGS)

test-gpu: $(VENV)/ready-gpu
	$(ONE_THREAD) $(BIN)/python -m pytest -m "gpu and not slow" $(ARGS)

test-all: $(VENV)/ready-dev
	$(PYTEST) $(ARGS)

coverage: $(VENV)/ready-dev
	$(PYTEST) -m "not slow and not gpu" --cov --cov-report term $(ARGS)

mutate: $(VENV)/ready-dev
	rm -rf mutants
	$(ONE_THREAD) $(BIN)/mutmut run --max-children $(JOBS) $(ARGS)
	$(BIN)/mutmut results | grep -v "not checked" || true

check: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python tools/check_source.py
	$(BIN)/python tools/draw_imports.py --check
	$(BIN)/mypy
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --offline --quiet --no-progress .github

imports: $(VENV)/ready
	$(BIN)/python tools/draw_imports.py

docs: $(VENV)/ready-docs
	$(ONE_THREAD) $(BIN)/python -m sphinx -W --keep-going --nitpicky $(ARGS) docs docs/_build/html

release: $(VENV)/ready-release
	$(BIN)/python tools/build_release.py dist
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist
	$(BIN)/uv tool run --from cffconvert cffconvert --validate
	rm -rf build/bare && $(BIN)/uv venv --quiet build/bare
	$(BIN)/uv pip install --quiet --python build/bare dist/*.whl
	$(BIN)/cyclonedx-py environment --output-reproducible --output-file build/sbom.cdx.json build/bare

try-wheel: $(VENV)/ready-release
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python tools/try_wheel.py dist $(PYTHONS)

bench: $(VENV)/ready-bench
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) mutants docs/_build docs/api/generated docs/auto_gallery

$(VENV)/ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[app,fast]'
	touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(PIP) --editable '.[dev,gpu-test-cuda$(CUDA)]'
	touch $@

$(VENV)/ready-gpu: $(VENV)/ready-dev
	$(PIP) --editable '.[cuda$(CUDA)]'
	touch $@

$(VENV)/ready-docs: $(VENV)/ready-dev
	$(PIP) --editable '.[docs]'
	touch $@

$(VENV)/ready-release: $(VENV)/ready
	$(PIP) --editable '.[release]'
	touch $@

$(VENV)/ready-bench: $(VENV)/ready
	$(PIP) --editable '.[bench]'
	touch $@
