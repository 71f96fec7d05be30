# Two commands do everything: `make demo` and `make test`. Both set up what they need.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
ifeq ($(OS),Windows_NT)
BIN = $(VENV)/Scripts
endif

CASES = tests/cases/positive.json tests/cases/negative.json tests/cases/mention.json tests/cases/wild.json

.PHONY: demo test test-lowest lint train train-written background ablation bench docs fuzz audit sbom clean help

help:
	@echo "make demo    set up, flag the sample offers, make a report of simulated ones"
	@echo "make test    set up and run linters, types, the import contract and all tests"
	@echo "make docs    build the documentation as a site (site/index.html)"
	@echo "make bench   measure speed and quality (half an hour; AISKILLS_REAL_OFFERS=FILE for real offers)"
	@echo "make fuzz    look for inputs that break it (FUZZ_SECONDS=60 a target)"
	@echo "make audit   known weaknesses and licences of what is installed"
	@echo "make sbom    write a bill of materials"
	@echo "make train-written   train a model from the offers written for it alone (models/written)"
	@echo "make train   train the model again (needs the labelled offers: AISKILLS_REAL_OFFERS=FILE)"

$(VENV)/.run: pyproject.toml
	@echo "Setting up $(VENV): about half a minute, once."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[excel]"
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@

demo: $(VENV)/.run
	@$(BIN)/aiskills demo

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

train: $(VENV)/.dev
	@test -n "$(AISKILLS_REAL_OFFERS)" || { echo "make train: the labelled offers' texts are not part of the project; name the file that holds them: make train AISKILLS_REAL_OFFERS=pool.parquet" >&2; exit 1; }
	$(BIN)/aiskills train data/labels/*.jsonl --offers "$(AISKILLS_REAL_OFFERS)" $(foreach f,$(wildcard data/training/*.jsonl),--written $(f)) $(foreach f,$(CASES),--cases $(f)) --name fr -o models/fr --force

# The same from the written offers alone, which anyone has.
train-written: $(VENV)/.dev
	$(BIN)/aiskills train $(foreach f,$(wildcard data/training/*.jsonl),--written $(f)) $(foreach f,$(CASES),--cases $(f)) --name written -o models/written --force

# What offers without labels teach, and what each family of features is worth (half an hour).
background ablation: $(VENV)/.dev
	@test -n "$(AISKILLS_REAL_OFFERS)" || { echo "make $@: name the file of offers: make $@ AISKILLS_REAL_OFFERS=pool.parquet" >&2; exit 1; }
	$(BIN)/python scripts/$(if $(filter background,$@),make_background,ablation).py "$(AISKILLS_REAL_OFFERS)"

# Speed and quality beside other tools, and every limit that is promised (half an hour).
bench: $(VENV)/.dev
	AISKILLS_REAL_OFFERS="$(AISKILLS_REAL_OFFERS)" $(BIN)/python -m benchmarks

docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "site/index.html"

# Coverage-guided fuzzing, so many seconds for each target; findings go to tests/cases/fuzz.
FUZZ_SECONDS ?= 60
fuzz: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[fuzz]"
	nice -n 10 $(BIN)/python tests/fuzz/run.py $(FUZZ_TARGET) --seconds $(FUZZ_SECONDS)

# Known weaknesses and licences of everything that is installed with aiskills.
audit: $(VENV)/.dev
	$(BIN)/python scripts/audit.py

# A CycloneDX bill of materials of what a user installs.
sbom: $(VENV)/.dev
	rm -rf build/sbom && mkdir -p build dist
	$(PYTHON) -m venv --without-pip build/sbom
	$(BIN)/python -m pip --python build/sbom/bin/python install --quiet ".[excel]"
	$(BIN)/cyclonedx-py environment build/sbom/bin/python --pyproject pyproject.toml --validate --output-reproducible --of JSON -o dist/aiskills.cdx.json

clean:
	rm -rf $(VENV) .venv-lowest demo build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The same tests with the lowest versions that pyproject.toml allows. Their own deprecation warnings
# of each other are not ours to mend.
test-lowest: pyproject.toml constraints-lowest.txt
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check -e ".[dev]" -c constraints-lowest.txt
	.venv-lowest/bin/python -m pytest -n 2 --dist loadfile -W ignore::DeprecationWarning -W ignore::FutureWarning
