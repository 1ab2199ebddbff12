# SPDX-License-Identifier: BSD-2-Clause
# The front door. meson and ninja do the building; `make help` lists what can be asked for here.

BUILD  ?= build
MESON  ?= $(firstword $(wildcard /usr/bin/meson) meson)
NINJA  ?= ninja
# PREFIX is /usr/local unless given. A later `make` without it keeps what the build was set up with.
PREFIX ?=
# How long each fuzz target runs; and which, all unless given: make fuzz SECONDS=600 TARGET=room
SECONDS ?=
TARGET  ?=
# More arguments for pytest: make check-e2e ARGS="-k nat"
ARGS   ?=

export MESON NINJA BUILD

# Root in somebody else's tree: installing must not leave files there that its owner cannot change.
foreign := $(shell test "$$(id -u)" -eq 0 && test "$$(stat -c %u .)" -ne 0 && echo yes)

.PHONY: all help deps configure check check-deep check-unit check-e2e check-long fuzz demo demo-nat \
	chaos attack install format clean

all: configure
	$(NINJA) -C $(BUILD)

help:
	@echo 'make              build into $(BUILD)/ (PREFIX=$(or $(PREFIX),/usr/local))'
	@echo 'make check        lint, unit tests, end-to-end tests (root)'
	@echo 'make check-deep   clang-tidy, valgrind, sanitizers, fuzzing (root)'
	@echo 'make check-unit   unit tests'
	@echo 'make check-e2e    real programs in network namespaces (root; ARGS="-k nat" picks some)'
	@echo 'make check-long   what takes minutes and is in none of the others (root)'
	@echo 'make fuzz         made-up input for the parsers and machines (SECONDS=20 TARGET=room)'
	@echo 'make demo         a site gets IPv6 through an IPv4-only network (root)'
	@echo 'make demo-nat     the same behind two NATs, over UDP (root)'
	@echo 'make chaos        50 clients and mischief (root; SECONDS=180 CLIENTS=50 SEED=)'
	@echo 'make attack       20 clients during a flood (root; SECONDS=30 ARGS="--sources 2000")'
	@echo 'make install      DESTDIR= PREFIX='
	@echo 'make format       lay out the C files with clang-format'
	@echo 'make clean        remove the build folders'

deps:
	@scripts/install-deps --missing build || scripts/install-deps build

configure: deps
	@if ! test -f $(BUILD)/build.ninja; then \
		$(MESON) setup --prefix=$(or $(PREFIX),/usr/local) $(BUILD) && \
		echo '$(or $(PREFIX),/usr/local)' >$(BUILD)/.prefix; \
	elif test -n '$(PREFIX)' && test "$$(cat $(BUILD)/.prefix 2>/dev/null)" != '$(PREFIX)'; then \
		$(MESON) configure -Dprefix=$(PREFIX) $(BUILD) && echo '$(PREFIX)' >$(BUILD)/.prefix; \
	fi

check:
	@scripts/check

check-deep:
	@scripts/check deep

check-unit:
	@scripts/check unit

check-e2e:
	@scripts/check e2e $(ARGS)

check-long:
	@scripts/check long $(ARGS)

fuzz:
	@scripts/install-deps --missing build fuzz || scripts/install-deps build fuzz
	@scripts/fuzz $(or $(SECONDS),20) $(TARGET)

demo: all
	@scripts/install-deps --missing demo || scripts/install-deps demo
	@scripts/demo

demo-nat: all
	@scripts/install-deps --missing demo nat || scripts/install-deps demo nat
	@scripts/demo --nat

chaos: all
	@scripts/install-deps --missing check || scripts/install-deps check
	DTCP_BUILD='$(abspath $(BUILD))' bench/chaos $(if $(SECONDS),--seconds $(SECONDS)) \
		$(if $(CLIENTS),--clients $(CLIENTS)) $(if $(SEED),--seed $(SEED))

attack: all
	@scripts/install-deps --missing check || scripts/install-deps check
	DTCP_BUILD='$(abspath $(BUILD))' bench/attack $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

ifeq ($(foreign),yes)
install:
	@test -f $(BUILD)/build.ninja || \
		{ echo 'install: nothing is built yet; first run "make" as the owner of this folder' >&2; exit 1; }
	@test -z '$(PREFIX)' || test "$$(cat $(BUILD)/.prefix 2>/dev/null)" = '$(PREFIX)' || \
		{ echo 'install: built for another prefix; first run "make PREFIX=$(PREFIX)" as the owner of this folder' >&2; exit 1; }
	$(MESON) install --no-rebuild -C $(BUILD) $(if $(DESTDIR),--destdir '$(abspath $(DESTDIR))')
	@$(if $(DESTDIR),,scripts/add-user)
else
install: all
	$(MESON) install --no-rebuild -C $(BUILD) $(if $(DESTDIR),--destdir '$(abspath $(DESTDIR))')
	@$(if $(DESTDIR),,scripts/add-user)
endif

format:
	find src tests bench -name '*.[ch]' 2>/dev/null | xargs clang-format -i

clean:
	rm -rf build build-*/
