# Two commands do all their own set-up: `make demo` and `make test`. Both use the one environment in .venv.
VENV    ?= .venv
PYTHON  ?= python3
# On a machine without a GPU, TORCH_INDEX=https://download.pytorch.org/whl/cpu saves gigabytes of CUDA packages.
TORCH_INDEX ?=
PIP     := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet

RUNTIME  := $(VENV)/.runtime-installed
TRAINING := $(VENV)/.training-installed
# Python bindings of full TensorRT, oldest and newest version: unpacked for tests to read, not installed.
BINDINGS := $(foreach version,10.3 11.4,$(VENV)/tensorrt_bindings/$(version)/.unpacked)

.PHONY: demo test test-gpu test-full lint bench clean

demo: $(RUNTIME)
	$(VENV)/bin/hand-pose demo --out demo_out --overwrite

test: lint $(BINDINGS)
	$(VENV)/bin/python -m pytest test
	$(VENV)/bin/python -m pytest training/test -n 2 --dist loadgroup

# On a machine with an NVIDIA GPU and TensorRT: docs/deployment.md. Without one it says so and fails.
test-gpu: $(TRAINING)
	$(VENV)/bin/python -m pytest test/gpu
	$(VENV)/bin/hand-pose-train bench-gpu --json bench_gpu.json

# Every configuration of every method: minutes.
test-full: $(TRAINING)
	$(VENV)/bin/python -m pytest training/test -m full -n 2 --dist loadgroup

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

$(BINDINGS): $(VENV)/tensorrt_bindings/%/.unpacked: test/tensorrt_bindings/%.txt | $(VENV)/bin/python
	rm -rf $(@D)
	mkdir -p $(@D)
	$(PIP) install --no-deps --only-binary :all: --target $(@D) -r $<
	touch $@

clean:
	rm -rf $(VENV) build dist demo_out bench.json bench_gpu.json
