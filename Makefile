# Two commands: `make demo` and `make test`. Both make their own environment in .venv first.
PYTHON ?= $(shell for p in python3.11 python3.10 python3.12 python3.13 python3; do \
	$$p -c "" 2>/dev/null && break; done; echo $$p)
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := all,test
# Where torch has no build that fits: all but what needs it.
NO_TORCH := convert,int8,local,report,adb,test
CONSTRAINTS = constraints/python$(shell $(PYTHON) -c 'import sys; print("3.%d" % sys.version_info[1])' 2>/dev/null).txt
READY := $(VENV)/.ready

.PHONY: demo test suite test-all lint fuzz mutants clean

demo: $(READY)
	$(BIN)/ghostdeploy compare
	$(BIN)/ghostdeploy compare --models ghostnetv2-plain,ghostnetv2,ghostnetv2-fast
	@echo
	@echo "Open the .html files above in a browser. The program is $(BIN)/ghostdeploy; to call it by name:"
	@echo "    source $(BIN)/activate"
	@echo "    ghostdeploy doctor       # what is there, what lacks"
	@echo "    ghostdeploy --help"

test: lint suite

suite: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile

# On every Python that is here, in an environment for each; tests skip what one cannot have.
test-all:
	@for version in 3.10 3.11 3.12 3.13; do \
		python$$version -c "" 2>/dev/null || { echo "python$$version: not here"; continue; }; \
		case $$version in 3.10|3.11) extras="$(EXTRAS)";; *) extras="$(NO_TORCH)";; esac; \
		echo "python$$version: $$extras"; \
		$(MAKE) --no-print-directory suite PYTHON=python$$version VENV=.venv-$$version EXTRAS=$$extras || exit 2; \
	done

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Neither is part of the tests: an hour of damaged files, and whether the tests would notice.
fuzz: $(READY)
	$(BIN)/python benchmarks/fuzz.py

mutants: $(READY)
	$(BIN)/python benchmarks/mutants.py

$(READY): setup.cfg pyproject.toml $(wildcard constraints/*.txt)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))' 2>/dev/null || { \
	echo "error: Python 3.10 to 3.13 is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1 | head -n 1)." \
	"Get one (uv python install 3.11, or apt install python3.11 python3.11-venv) and say" \
	"make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	echo "error: $(PYTHON) cannot make environments: apt install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[$(EXTRAS)]'
	touch $(READY)

clean:
	rm -rf $(VENV) .venv-3.* build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
