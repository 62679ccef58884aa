# Two commands: `make demo` and `make test`. Both make their own environment in .venv first.
PYTHON ?= $(shell for p in python3.11 python3.10 python3; do $$p -c "" 2>/dev/null && break; done; echo $$p)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint fuzz mutants clean

demo: $(READY)
	$(BIN)/ghostdeploy compare
	$(BIN)/ghostdeploy compare --models ghostnetv2-plain,ghostnetv2,ghostnetv2-fast
	@echo
	@echo "Open the .html files above in a browser. The program is $(BIN)/ghostdeploy; to call it by name:"
	@echo "    source $(BIN)/activate"
	@echo "    ghostdeploy doctor       # what is there, what lacks"
	@echo "    ghostdeploy --help"

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

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

$(READY): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 12))' 2>/dev/null || { \
	echo "error: Python 3.10 or 3.11 is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1 | head -n 1)." \
	"Get one (uv python install 3.11, or apt install python3.11 python3.11-venv) and say" \
	"make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	echo "error: $(PYTHON) cannot make environments: apt install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,test]'
	touch $(READY)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
