# HailWhale: what a fresh Debian 12 with the Swift toolchain needs, and nothing else.
#
#   make deps         installs the Debian packages that are missing; starts no service
#   make build        the release binary
#   make run          builds it and runs the agent on its defaults
#   make test         every test: unit, integration, gate and a short share of fuzz
#   make unit         each target's tests, and those of the house's rules
#   make integration  the release binary tested from outside
#   make gate         instructions and allocations a line, counted and held to Benchmarks/gate.json
#   make bench        what a line and a cell cost in CPU time and memory, and a cell in Redis; takes some minutes
#   make bench-queries  what queries of each kind take; a minute
#   make faults       a thousand random schedules of faults, then fifty kills under load; minutes
#   make image-test   the container image, built and run without an engine; as root, and no part of make test
#   make fuzz         what reads untrusted bytes, fed by libFuzzer; FUZZ_SECONDS and FUZZ_TARGET say how long and which
#   make fuzz-short   the same, so many inputs a target: the share of make test
#   make asan, tsan   every test with AddressSanitizer, ThreadSanitizer; no part of make test
#   make bomb         ten million distinct names: memory, and what stays exact; no part of make test
#   make soak         memory under ten minutes of steady load; no part of make test
#   make lint         the formatter's rules
#   make clean        removes what was built
#
# docs/development.md has the packages, and how long each takes.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:

SWIFT ?= swift
PYTHON ?= python3
RELEASE := -c release --static-swift-stdlib --product hailwhale
BINARY := .build/release/hailwhale
BENCH := .build/release/hailwhale-bench
VENV := .build/venv
REQUIREMENTS := Tests/Integration/requirements.txt
# Arguments of the agent: make run ARGS="--http 127.0.0.1:9000"
ARGS ?=
# Arguments of the schedules: make faults FAULTS="--seed 42 --count 1", FAULTS="--black-box"
FAULTS ?=

# Instrumented, with the claims of Fuzz/ compiled in; gold cannot link it.
FUZZ_BUILD := -c release --scratch-path .build/fuzz --product hailfuzz \
	-Xswiftc -sanitize=fuzzer,address -Xswiftc -enable-testing -Xswiftc -use-ld=lld
FUZZ_SECONDS ?= 60
# Inputs a target where the time is short, and always the same ones.
FUZZ_RUNS ?= 4000
# One of line, request, spool, reply, config, address, answer, zone; all of them without it.
FUZZ_TARGET ?=
# Arguments of the soak: make soak SOAK_ARGS="--seconds 120 --rate 50000"
SOAK_ARGS ?=
# Arguments of the bomb: make bomb BOMB_ARGS="--names 500000 --shape tags"
BOMB_ARGS ?=
# Arguments of pytest: make integration PYTEST_ARGS="-k ledger"
PYTEST_ARGS ?=

.PHONY: deps build run test unit integration faults image-test gate bench bench-build bench-queries bomb soak fuzz fuzz-short \
	fuzz-build asan tsan lint toolchain clean

deps:
	@.ci/deps

toolchain:
	@command -v $(SWIFT) >/dev/null || { echo "No Swift toolchain on PATH: https://www.swift.org/install/linux/" >&2; exit 1; }

build: deps toolchain
	$(SWIFT) build $(RELEASE)

run: build
	exec $(BINARY) run $(ARGS)

test: unit integration gate fuzz-short

unit: deps toolchain
	$(SWIFT) test

$(VENV)/ready: $(REQUIREMENTS) | deps
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(REQUIREMENTS)
	touch $@

integration: build $(VENV)/ready
	HAILWHALE_BINARY=$(abspath $(BINARY)) $(VENV)/bin/python -m pytest Tests/Integration $(PYTEST_ARGS)

faults: build $(VENV)/ready
	HAILWHALE_BINARY=$(abspath $(BINARY)) $(VENV)/bin/python Tests/Integration/faults.py $(FAULTS)
ifeq ($(strip $(FAULTS)),)
	HAILWHALE_BINARY=$(abspath $(BINARY)) $(VENV)/bin/python Tests/Integration/faults.py --black-box
endif
fuzz-build: deps toolchain
	HAILWHALE_FUZZ=1 $(SWIFT) build $(FUZZ_BUILD)

fuzz: fuzz-build
	$(PYTHON) Fuzz/fuzz.py .build/fuzz/release/hailfuzz --seconds $(FUZZ_SECONDS) $(addprefix --target ,$(FUZZ_TARGET))

# From its seeds alone, so that every machine runs the same inputs.
fuzz-short: fuzz-build
	rm -rf .build/fuzz/short
	$(PYTHON) Fuzz/fuzz.py .build/fuzz/release/hailfuzz --runs $(FUZZ_RUNS) --corpus .build/fuzz/short \
		$(addprefix --target ,$(FUZZ_TARGET))

# Reports end the program they are about, or the test run, with an error. Swift frees nothing at its end, so leaks are
# not looked for.
asan: export ASAN_OPTIONS := detect_leaks=0:abort_on_error=1
asan: deps toolchain $(VENV)/ready
	$(SWIFT) test --sanitize=address --scratch-path .build/asan --disable-xctest
	$(SWIFT) build -c release --sanitize=address --scratch-path .build/asan --product hailwhale
	HAILWHALE_BINARY=$(abspath .build/asan/release/hailwhale) HAILWHALE_PATIENCE=120 \
		$(VENV)/bin/python -m pytest Tests/Integration $(PYTEST_ARGS)

tsan: export TSAN_OPTIONS := halt_on_error=1:abort_on_error=1
tsan: deps toolchain $(VENV)/ready
	$(SWIFT) test --sanitize=thread --scratch-path .build/tsan --disable-xctest
	$(SWIFT) build -c release --sanitize=thread --scratch-path .build/tsan --product hailwhale
	HAILWHALE_BINARY=$(abspath .build/tsan/release/hailwhale) HAILWHALE_PATIENCE=120 \
		$(VENV)/bin/python -m pytest Tests/Integration $(PYTEST_ARGS)

image-test: toolchain $(VENV)/ready
	@.ci/deps buildah debootstrap iproute2
	HAILWHALE_IMAGE_TEST=1 $(VENV)/bin/python -m pytest Tests/Integration/test_image.py $(PYTEST_ARGS)

bench-build: build
	$(SWIFT) build $(RELEASE)-bench

gate: bench-build
	@.ci/deps valgrind
	HAILWHALE_BENCH=$(abspath $(BENCH)) $(PYTHON) Benchmarks/gate.py

bench: bench-build
	HAILWHALE_BINARY=$(abspath $(BINARY)) HAILWHALE_BENCH=$(abspath $(BENCH)) $(PYTHON) Benchmarks/line_path.py
	HAILWHALE_BINARY=$(abspath $(BINARY)) $(PYTHON) Benchmarks/flush_cost.py
	HAILWHALE_BINARY=$(abspath $(BINARY)) $(PYTHON) Benchmarks/bytes_a_cell.py

bench-queries: build
	HAILWHALE_BINARY=$(abspath $(BINARY)) $(PYTHON) Benchmarks/queries.py

soak: build
	HAILWHALE_BINARY=$(abspath $(BINARY)) $(PYTHON) Benchmarks/soak.py $(SOAK_ARGS)

bomb: build
	HAILWHALE_BINARY=$(abspath $(BINARY)) $(PYTHON) Benchmarks/bomb.py $(BOMB_ARGS)

lint: deps toolchain
	$(SWIFT) format lint --strict --recursive --configuration .swift-format Package.swift Sources Tests Fuzz

clean:
	rm -rf .build
