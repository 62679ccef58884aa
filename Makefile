# Two commands: `make demo` and `make test`. Both make their own environment in .venv first.
PYTHON ?= $(shell command -v python3.11 || command -v python3.10 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint fuzz mutants clean

demo: $(READY)
	$(BIN)/ghostdeploy compare
	$(BIN)/ghostdeploy compare --models ghostnetv2-plain,ghostnetv2,ghostnetv2-fast
	@echo
	@echo "Open the .html files above in a browser. Next: $(BIN)/ghostdeploy --help"

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
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,test]'
	touch $(READY)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
