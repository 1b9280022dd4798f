# syncd: everything a developer or an administrator does. Each target does its own set-up; `make help` lists them.
#
# Needs python3 (3.11 or newer) with pip or venv, and make. Nothing is installed outside this folder, except by `install`.

# A company's own certificate authority stands in the system's store, which uv does not look at by itself.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export SSL_CERT_FILE ?= /etc/ssl/certs/ca-certificates.crt
endif

VENV   := .venv
BOOT   := .boot
BIN    := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
            "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
UV     := $(BOOT)/bin/uv

# Where `make install` puts things; DESTDIR goes before each, for packagers.
PREFIX  ?= /opt/syncd
CONFDIR ?= /etc/syncd
UNITDIR ?= /etc/systemd/system
DESTDIR ?=

# More words for pytest, the demo or the bench: make test ARGS="-k ledger"
ARGS ?=

# Each file of tests on one of the machine's cores, as soon as one is free.
SPREAD := -n auto --maxprocesses 4 --dist loadfile

# The system's own python only: a downloaded one would live in a home directory, out of the unit's reach.
export UV_PYTHON_DOWNLOADS := never
export UV_PYTHON_PREFERENCE := only-system
export UV_NO_PROGRESS := 1
export PIP_ROOT_USER_ACTION := ignore
# A venv that happens to be active is not ours to fill.
unexport VIRTUAL_ENV
unexport PYTHONPATH
unexport PYTHONHOME
# A user without a home (a build service) keeps the cache here.
ifeq ($(shell [ -n "$$HOME" ] && [ -w "$$HOME" ] && echo home),)
export UV_CACHE_DIR ?= $(CURDIR)/$(BOOT)/cache
export PIP_NO_CACHE_DIR := 1
endif

# Its python was upgraded or removed: what the stamps claim is no longer so.
$(shell [ -x $(BIN)/python ] || rm -f $(VENV)/.run $(VENV)/.dev)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test soak kill-table check format bench wheel schemas lock install clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '%-16s %s\n' "$$name" "$$text"; done

demo: $(VENV)/.run ## both sandbox systems with a living company in them, synced both ways
	@if [ -t 1 ] && [ -t 0 ]; then exec $(BIN)/syncd demo $(ARGS); else exec $(BIN)/syncd demo --once $(ARGS); fi

test: $(VENV)/.dev ## all tests; among them: the wheel builds and holds what it should
	@$(BIN)/python -m pytest $(SPREAD) $(ARGS)

soak: $(VENV)/.dev ## what `test` takes a sample of, whole: every kill, every failing call (hours; not all at once: ARGS="-k kill")
	@SYNCD_SOAK=1 $(BIN)/python -m pytest -m soak --timeout=0 $(ARGS)

kill-table: $(VENV)/.dev ## bugs planted on purpose, and who catches each: prints the table, and writes docs/kill-table.md
	@$(BIN)/python tests/bugs/plant.py $(ARGS)

check: $(VENV)/.dev ## format, lint, strict types, tests: what a change must pass
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy --strict
	@$(BIN)/python -m pytest $(SPREAD) $(ARGS)

format: $(VENV)/.dev ## rewrite the code in the house format
	@$(BIN)/ruff check --fix-only -q .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev ## speed and cost, each figure beside its floor (long; never part of the tests)
	@$(BIN)/python -m bench $(ARGS)

wheel: $(VENV)/.dev ## dist/syncd-VERSION-py3-none-any.whl
	@$(BIN)/hatchling build -t wheel

schemas: $(VENV)/.run ## write schemas/ anew from the code
	@$(BIN)/python -c "$$WRITE_SCHEMAS"
define WRITE_SCHEMAS
import json, pathlib
from syncd import settings
from syncd.core import funnel, mappingfile, membershipfile, watchfile
for name, schema in (("settings", settings.json_schema()), ("mapping", mappingfile.schema()), ("funnel", funnel.schema()), ("watch", watchfile.schema()), ("membership", membershipfile.schema())):
    pathlib.Path(f"schemas/{name}.json").write_text(json.dumps(schema, indent=2) + "\n")
endef
export WRITE_SCHEMAS

lock: $(UV) ## renew the pinned versions in requirements/ (uv.lock itself is never committed: it records addresses)
	@$(UV) lock -q --upgrade --python $(PYTHON)
	@$(UV) export -q $(EXPORT) --no-default-groups -o requirements/run.txt
	@$(UV) export -q $(EXPORT) --group dev -o requirements/dev.txt
	@$(UV) export -q $(EXPORT) --only-group build -o requirements/build.txt
	@$(UV) export -q $(EXPORT) --only-group boot -o requirements/boot.txt
	@if grep -n '://' requirements/*.txt; then echo "requirements/ must name no address" >&2; exit 1; fi
EXPORT := --format requirements-txt --no-emit-project --no-header --no-annotate --python $(PYTHON)

install: $(VENV)/.run ## into PREFIX (/opt/syncd) with the systemd unit; never touches an existing configuration
	@sh packaging/install.sh "$(abspath $(UV))" "$(PYTHON)" "$(abspath $(BIN))" "$(DESTDIR)" "$(PREFIX)" "$(CONFDIR)" "$(UNITDIR)"

clean: ## remove what these targets made (not uv.lock)
	@rm -rf $(VENV) $(BOOT) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

# ---------------------------------------------------------------- set-up, done once and again when its inputs change

$(UV): requirements/boot.txt
	@if [ -z "$(PYTHON)" ]; then \
		echo "syncd needs Python 3.11 or newer, and found none (on Debian: apt install python3 python3-venv)" >&2; exit 1; fi
	@echo "setting up: the installer (once)"
	@if $(PYTHON) -m pip --version >/dev/null 2>&1; then pip="$(PYTHON) -m pip"; \
	elif $(PYTHON) -m venv --clear $(BOOT)/venv >/dev/null 2>&1; then pip="$(BOOT)/venv/bin/python -m pip"; \
	else \
		rm -rf $(BOOT)/venv; \
		echo "$(PYTHON) has neither pip nor venv: install one of them and try again" >&2; \
		echo "  Debian, Ubuntu: apt install python3-venv      Fedora: dnf install python3-pip" >&2; exit 1; \
	fi; \
	$$pip install -q --disable-pip-version-check --target $(BOOT) --upgrade --require-hashes -r $<
	@touch $@

$(VENV)/bin/python: $(UV)
	@[ -x $@ ] || $(UV) venv -q --clear --python $(PYTHON) $(VENV)

$(VENV)/.run: requirements/run.txt requirements/build.txt pyproject.toml $(UV) | $(VENV)/bin/python
	@echo "setting up: what syncd runs on"
	@$(UV) pip install -q --python $(BIN)/python --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "setting up: what the tests need"
	@$(UV) pip install -q --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@
