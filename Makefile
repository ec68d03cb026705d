# Two commands do all their own set-up: `make demo` and `make test`. Both use the one environment in .venv.
VENV    ?= .venv
PYTHON  ?= python3
# On a machine without a GPU, TORCH_INDEX=https://download.pytorch.org/whl/cpu saves gigabytes of CUDA packages.
TORCH_INDEX ?=
PIP     := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet

RUNTIME  := $(VENV)/.runtime-installed
TRAINING := $(VENV)/.training-installed

.PHONY: demo test lint bench clean

demo: $(RUNTIME)
	$(VENV)/bin/hand-pose demo --out demo_out --overwrite

test: lint
	$(VENV)/bin/python -m pytest

lint: $(TRAINING)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

bench: $(TRAINING)
	$(VENV)/bin/hand-pose-train bench --json bench.json

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): setup.py constraints.txt | $(VENV)/bin/python
	$(PIP) install -c constraints.txt -e .
	touch $@

$(TRAINING): training/setup.py constraints.txt $(RUNTIME)
	$(if $(TORCH_INDEX),$(PIP) install -c constraints.txt torch --index-url $(TORCH_INDEX))
	$(PIP) install -c constraints.txt -e './training[test]'
	touch $@

clean:
	rm -rf $(VENV) build dist demo_out bench.json
