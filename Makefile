# The front door. `make help` lists what it does; the work is done by
#   deps/fetch              pinned dependencies          -> build/deps
#   cmake                   liberyx, eryx, eryx-build    -> build (build/san-... with SANITIZE=)
#   toolchain/pipeline.py   the guest runtime            -> build/runtime
MAKEFLAGS += --no-print-directory
SANITIZE ?=
PREFIX ?= /usr/local
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
comma := ,
BUILD := build$(if $(SANITIZE),/san-$(subst $(comma),-,$(SANITIZE)))
CMAKE_FLAGS := -DERYX_SANITIZE=$(SANITIZE) $(if $(WASMTIME_ROOT),-DWASMTIME_ROOT=$(abspath $(WASMTIME_ROOT)))
QUIET := $(if $(V),,@)
export V

.PHONY: all run test test-component bench examples install lint format fuzz clean distclean help deps native runtime sdk test-extensions test-cpython docs

all: runtime

help:
	@echo 'make run        build everything, then run the example programs in the sandbox'
	@echo 'make test       build everything, then run all tests'
	@echo 'make test-component   drive runtime.wasm from a Rust host (minutes, the first time)'
	@echo 'make            build everything: build/eryx, build/liberyx.so, build/runtime/'
	@echo 'make examples   run the example programs'
	@echo 'make test-extensions  native extensions, with packages built from their source'
	@echo 'make test-cpython  CPython'"'"'s own tests in the sandbox, file by file (a quarter of an hour);'
	@echo '                CPYTHON_TESTS=DIR takes those of DIR/test, such as the Lib of another release'
	@echo 'make sdk        what `eryx sdk` needs to build native extensions, in build/sdk'
	@echo 'make bench      measure; prints a table, writes build/bench.json'
	@echo 'make docs       build the documentation, in build/docs'
	@echo 'make install    install under PREFIX ($(PREFIX)); DESTDIR= is honoured'
	@echo 'make lint       clang-format and clang-tidy'
	@echo 'make fuzz       fuzz every decoder with sanitizers; FUZZ_SECONDS=30 each'
	@echo 'make clean      remove what was built, keep dependencies and cached pipeline steps'
	@echo 'make distclean  remove build/'
	@echo
	@echo 'Variables: V=1 shows commands, JOBS=2, SANITIZE=address,undefined (build, test),'
	@echo '           WASMTIME_ROOT=DIR (own wasmtime C API), TESTS=PATTERN (suites to run),'
	@echo '           QUICK=1 (no wasm-opt: a runtime in seconds, slower Python)'

deps:
	$(QUIET)toolchain/progress.py deps deps/fetch

$(BUILD)/build.ninja: deps
	$(QUIET)test -e $@ || cmake -S . -B $(BUILD) -G Ninja $(CMAKE_FLAGS) $(if $(V),,--log-level=WARNING)

# The tools that make the runtime are never sanitized ones: the runtime is the same for all builds.
ifneq ($(SANITIZE),)
runtime: tools
tools:
	$(QUIET)$(MAKE) native SANITIZE=
endif

native: $(BUILD)/build.ninja
	$(QUIET)cmake $(CMAKE_FLAGS) $(if $(V),,--log-level=WARNING) $(BUILD) $(if $(V),,>/dev/null)
	$(QUIET)cmake --build $(BUILD) -j $(JOBS) $(if $(V),-v,-- --quiet)

runtime: native
	$(QUIET)toolchain/pipeline.py --jobs $(JOBS) $(if $(QUICK),--quick)
	$(if $(SANITIZE),$(QUIET)cd $(BUILD)/runtime && ln -sf \
		../../runtime/runtime.cwasm ../../runtime/runtime-fuel.cwasm .)

run examples: runtime
	$(QUIET)examples/run $(BUILD)/eryx

# Native extensions: the SDK, and packages built with it.
sdk: runtime
	$(QUIET)sdk/make build/sdk

test-extensions: sdk
	$(QUIET)tests/extension/run --eryx $(BUILD)/eryx
	$(QUIET)tests/extension/run_packages --eryx $(BUILD)/eryx $(TESTS)

test: runtime
	$(QUIET)deps/fetch --tests
	$(QUIET)tests/run --jobs $(JOBS) --build $(BUILD) $(TESTS)

test-cpython: runtime
	$(QUIET)tests/cpython/run --jobs $(JOBS) --eryx $(BUILD)/eryx $(if $(CPYTHON_TESTS),--tests "$(CPYTHON_TESTS)") $(TESTS)

test-component: runtime
	$(QUIET)tests/component/run --jobs $(JOBS) $(TESTS)

bench: runtime
	$(QUIET)bench/run --build $(BUILD)

install: runtime
	$(QUIET)cmake --install $(BUILD) --prefix "$(PREFIX)" $(if $(V),,>/dev/null)
	@echo "installed in $(DESTDIR)$(PREFIX)"

# The book; what its samples show is run by `make test TESTS=docs`.
docs:
	$(QUIET)deps/fetch --docs
	$(QUIET)tests/docs/run --book build/docs

FUZZ_SECONDS ?= 30
fuzz:
	$(QUIET)$(MAKE) native SANITIZE=address,undefined
	$(QUIET)set -e; for target in build/san-address-undefined/fuzz/fuzz_*; do \
	    $$target --seconds $(FUZZ_SECONDS) fuzz/corpus/$${target##*/fuzz_}; done

lint: runtime
	$(QUIET)deps/fetch --lint
	$(QUIET)tests/lint lint $(BUILD) $(JOBS)

format:
	$(QUIET)deps/fetch --lint
	$(QUIET)tests/lint format

clean:
	rm -rf $$(find build -mindepth 1 -maxdepth 1 ! -name deps ! -name cache 2>/dev/null)

distclean:
	rm -rf build
