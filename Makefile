# The front door. `make demo` and `make test` do everything themselves on a bare Debian 12: missing
# packages, configure, build, run. `make help` lists the rest.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
TEST_JOBS ?= 2
CLIP ?=
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help demo test build setup asan fuzz peers format tidy clean
.NOTPARALLEL:

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: setup ## analyse a clip and name the files to look at (CLIP=your.mp4 to use your own)
	@scripts/build.sh release $(JOBS) mien
	@scripts/demo.sh build/mien "$(CLIP)"

test: build ## every test that is not slow; ends with CTest's summary
	@echo "[test] running the tests (ctest --test-dir build -LE slow)"
	@ctest --test-dir build -LE slow -j $(TEST_JOBS) --output-on-failure --no-tests=error

build: setup ## all programs and tests, optimised, in build/
	@scripts/build.sh release $(JOBS) all

setup: ## install missing Debian packages (scripts/debian-packages.txt)
	@scripts/setup.sh

asan: setup ## the tests under AddressSanitizer and UBSan, in build-asan/
	@scripts/build.sh asan $(JOBS) all
	@echo "[asan] running the tests (ctest --test-dir build-asan -LE slow)"
	@ctest --test-dir build-asan -LE slow -j $(TEST_JOBS) --output-on-failure --no-tests=error

fuzz: ## each fuzz target for FUZZ_SECONDS (60) under ASan, in build-fuzz/
	@scripts/setup.sh extra
	@scripts/build.sh fuzz $(JOBS) all
	@scripts/fuzz.sh build-fuzz $(FUZZ_SECONDS)

peers: ## mien against PyTorch and ONNX Runtime on this machine (installs both; takes minutes)
	@bench/peers/run.sh

format: setup ## clang-format on every source file
	@echo "[format] formatting the sources in place"
	@scripts/sources.sh | xargs clang-format -i

tidy: ## clang-tidy on src/ (slow)
	@scripts/setup.sh extra
	@scripts/build.sh release $(JOBS) all
	@echo "[tidy] checking src/ with clang-tidy"
	@scripts/sources.sh | grep '^src/.*\.cpp$$' | xargs -P $(JOBS) -n 4 clang-tidy -p build --quiet --extra-arg=-Wno-unknown-warning-option

clean: ## remove the build folders and the demo's output
	@echo "[clean] removing build/ build-debug/ build-asan/ build-fuzz/ demo_out/"
	@rm -rf build build-debug build-asan build-fuzz demo_out
