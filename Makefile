# HailWhale: what a fresh Debian 12 with the Swift toolchain needs, and nothing else.
#
#   make deps         installs the Debian packages that are missing; starts no service
#   make build        the release binary
#   make run          builds it and runs the agent on its defaults
#   make test         every test: unit and integration
#   make unit         each target's tests, and those of the house's rules
#   make integration  the release binary tested from outside
#   make image-test   the container image, built and run without an engine; as root, and no part of make test
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
VENV := .build/venv
REQUIREMENTS := Tests/Integration/requirements.txt
# Arguments of the agent: make run ARGS="--http 127.0.0.1:9000"
ARGS ?=
# Arguments of the soak: make soak SOAK_ARGS="--seconds 120 --rate 50000"
SOAK_ARGS ?=
# Arguments of pytest: make integration PYTEST_ARGS="-k ledger"
PYTEST_ARGS ?=

.PHONY: deps build run test unit integration image-test bench soak lint toolchain clean

deps:
	@.ci/deps

toolchain:
	@command -v $(SWIFT) >/dev/null || { echo "No Swift toolchain on PATH: https://www.swift.org/install/linux/" >&2; exit 1; }

build: deps toolchain
	$(SWIFT) build $(RELEASE)

run: build
	exec $(BINARY) run $(ARGS)

test: unit integration

unit: deps toolchain
	$(SWIFT) test

$(VENV)/ready: $(REQUIREMENTS) | deps
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(REQUIREMENTS)
	touch $@

integration: build $(VENV)/ready
	HAILWHALE_BINARY=$(abspath $(BINARY)) $(VENV)/bin/python -m pytest Tests/Integration $(PYTEST_ARGS)

image-test: toolchain $(VENV)/ready
	@.ci/deps buildah debootstrap iproute2
	HAILWHALE_IMAGE_TEST=1 $(VENV)/bin/python -m pytest Tests/Integration/test_image.py $(PYTEST_ARGS)

bench: build
	HAILWHALE_BINARY=$(abspath $(BINARY)) $(PYTHON) Benchmarks/bytes_a_cell.py

soak: build
	HAILWHALE_BINARY=$(abspath $(BINARY)) $(PYTHON) Benchmarks/soak.py $(SOAK_ARGS)

lint: deps toolchain
	$(SWIFT) format lint --strict --recursive --configuration .swift-format Package.swift Sources Tests

clean:
	rm -rf .build
