# The commands of the project; each sets up what it needs and is quick the second time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup demo test check fmt bench fuzz default-encoder docs clean

setup: $(READY)

# torch first and pinned: an unpinned torch is a CUDA build of several gigabytes.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "procqa needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade -c constraints.txt pip
	$(BIN)/python -m pip install --quiet -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[all]' --group dev
	$(BIN)/python -c 'import procqa.dataset.preload'  # compiles its loops once, or the first build would
	touch $(READY)

demo: setup
	$(BIN)/procqa demo

# Pages are tested in a real browser: installed where that can be done, else those tests are skipped.
test: setup
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	  || echo 'Chromium is not here and cannot be installed: tests of pages are skipped'
	$(BIN)/python -m pytest -n auto

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check

fmt: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup
	$(BIN)/python -m benchmarks.run

fuzz: setup
	$(BIN)/python -m tests.fuzz --minutes 10

default-encoder: setup
	$(BIN)/python -m benchmarks.default_encoder $(DATA)

docs: setup
	$(BIN)/python -m docs.generate

clean:
	rm -rf $(VENV) demo-output
