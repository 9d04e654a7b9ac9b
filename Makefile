# The book, its library and their tests. Every target sets up all that it needs, on a machine that has
# Python and make; a second run is quick. `make PYTHON=python3.12 book` chooses the interpreter.

.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

VENV := .venv
READY := $(VENV)/.ready
COLAB := .cache/venv-colab
OLDEST := .cache/venv-oldest
NEWEST := .cache/venv-newest
JUPYTER := .cache/venv-jupyter
GRADERS := nbgrader otter
SITE := _build/html
REPORTS := .cache/reports
WORKERS ?= 2
PORT ?= 8000
BIND ?= 127.0.0.1
SAMPLE ?= 300
SEED ?= 1
SINCE ?= HEAD

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Numbers and figures must not depend on the machine's threads, hash seed or settings of matplotlib.
export OMP_NUM_THREADS := 1
export PYTHONHASHSEED := 0
export MPLCONFIGDIR := $(CURDIR)/.cache/matplotlib
export IPYTHONDIR := $(CURDIR)/.cache/ipython
export PYDEVD_DISABLE_FILE_VALIDATION := 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

PYTEST := pytest -q -n $(WORKERS) --dist loadgroup
NBVAL := pytest -q --nbval --nbval-current-env -n $(WORKERS) --dist loadfile \
	-o addopts= -o filterwarnings= -o doctest_optionflags=

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

# ---------------------------------------------------------------- environment

$(READY): requirements/book.lock pyproject.toml tools/setup.sh tools/uv.sh
	tools/setup.sh $(VENV) requirements/book.lock
	touch $@

$(COLAB)/.ready: requirements/colab.txt pyproject.toml tools/setup.sh tools/uv.sh
	tools/setup.sh $(COLAB) requirements/colab.txt
	touch $@

$(JUPYTER)/.ready: requirements/jupyter.in requirements/book.lock pyproject.toml tools/setup.sh tools/uv.sh
	tools/setup.sh $(JUPYTER) requirements/jupyter.in
	touch $@

.cache/venv-%/.ready: requirements/%.in pyproject.toml tools/setup.sh tools/uv.sh
	tools/setup.sh .cache/venv-$* requirements/$*.in
	touch $@

.PHONY: env lock
env: $(READY) ## make the environment (the other targets do so themselves)

lock: ## resolve requirements/book.in anew into the lock
	tools/lock.sh

# ---------------------------------------------------------------- the book

.PHONY: book serve notebooks preview
book: $(READY) ## execute the notebooks and build the site into _build/html
	jupyter-book build . --all -W -n --keep-going
	@echo
	@echo "The book is built. Open file://$(CURDIR)/$(SITE)/index.html or run: make serve"

serve: $(READY) ## serve the built site on http://localhost:8000 (PORT= for another; BIND=0.0.0.0 to the whole room)
	@[ -f $(SITE)/index.html ] || $(MAKE) book
	@echo "http://$(if $(filter 0.0.0.0,$(BIND)),$$(hostname),localhost):$(PORT)/ (Ctrl-C ends it)"
	@python -m http.server --bind $(BIND) --directory $(SITE) $(PORT)

TAKE := python -m tools.take_along
.PHONY: pdf zip take-along
pdf: $(READY) ## print the whole built book into _build/take-along (ADDRESS= of the published site)
	@[ -f $(SITE)/index.html ] || $(MAKE) book
	CHROMIUM=$$(tools/chromium.sh) $(TAKE) pdf --address "$(ADDRESS)"

zip: $(READY) ## pack the built site into _build/take-along, to be opened from a stick
	@[ -f $(SITE)/index.html ] || $(MAKE) book
	$(TAKE) zip --address "$(ADDRESS)"

take-along: pdf zip ## make both, put them into the site and name them on its first page
	$(TAKE) link

notebooks: $(READY) ## execute the notebooks and write their outputs
	python tools/execute_notebooks.py

.PHONY: wheelhouse
# The machines of the class: PLATFORM=linux, windows, macos (or here, like this one), CLASS=their Python
PLATFORM ?= here
CLASS ?= 3.13
wheelhouse: $(READY) ## fetch all that the notebooks need into wheelhouse/, for machines without a network (PLATFORM= CLASS=)
	tools/wheelhouse.sh wheelhouse/$(PLATFORM)-$(CLASS) $(PLATFORM) $(CLASS)

.PHONY: lecturer
lecturer: $(READY) ## the lecturer's kit beside a copy of the built book: _build/lecturer/lecturer/index.html
	@[ -f $(SITE)/index.html ] || $(MAKE) book
	python -m tools.lecturer_kit

.PHONY: slides slides-pdf
slides: $(READY) ## the slides alone, into the lecturer's kit that is there
	python -m tools.lecturer_slides

slides-pdf: $(READY) ## print the slides: a page for each (NOTES=1: and one after it for what is said)
	CHROMIUM=$$(tools/chromium.sh) python -m tools.lecturer_slides --pdf $(if $(NOTES),--notes)

.PHONY: students
students: $(READY) ## write the exercises without their solutions into students/
	python -m tools.students students

preview: $(READY) ## serve a draft that is built anew, in seconds, when a page changes (PORT=)
	python -m tools.preview --port $(PORT)

# ---------------------------------------------------------------- tests, the cheap ones first

.PHONY: test quick fresh lint types unit strict browser tally test-colab
test: fresh lint types unit strict book lecturer browser tally ## run every test

quick: $(READY) ## lint, and the tests nearest to what was changed, in under a minute (SINCE=a commit)
	ruff format --check .
	ruff check .
	python -m tools.quick --since $(SINCE)

fresh:
	@git -c safe.directory=$(CURDIR) rev-parse --is-inside-work-tree >/dev/null || \
		{ echo "make test asks git which files belong to the book: install git and run it in a clone"; exit 1; }
	@rm -rf $(REPORTS)

lint: $(READY) ## formatting and lint
	ruff format --check .
	ruff check .
	shellcheck tools/*.sh .ci/run

types: $(READY) ## static types of the library
	pyright gaugelib

unit: $(READY) ## tests and doctests of the library, the widgets' mathematics and the notebooks
	$(PYTEST) --no-skips --junitxml=$(REPORTS)/unit.xml -m "not browser" gaugelib tests --ignore=tests/site

strict: $(READY) ## execute every notebook and compare its outputs
	$(NBVAL) --junitxml=$(REPORTS)/strict.xml $$(python tools/execute_notebooks.py --list)
	@python tools/tally.py $(REPORTS) strict=$$(python tools/execute_notebooks.py --count) >/dev/null

browser: $(READY) ## tests of the built site and of the widgets in Chromium
	CHROMIUM=$$(tools/chromium.sh) $(PYTEST) --no-skips --junitxml=$(REPORTS)/browser.xml -m browser tests/site tests/widgets tests/lecturer

tally:
	@python tools/tally.py $(REPORTS) unit strict browser

test-colab: $(READY) $(COLAB)/.ready ## every notebook once more, among the versions that Colab has
	notebooks=$$(python tools/execute_notebooks.py --list); \
	PATH=$(CURDIR)/$(COLAB)/bin:$$PATH $(NBVAL) --junitxml=$(REPORTS)/colab.xml $$notebooks
	@python tools/tally.py $(REPORTS) colab=$$(python tools/execute_notebooks.py --count)

# SEED= the first one, MINUTES= how long, TIMES= the examples of `make test` in a pass, JOBS= at a time
MINUTES ?= 30
TIMES ?= 5
JOBS ?= 1

.PHONY: explore rerun
explore: $(READY) ## search for failing examples at random, and keep them (SEED= MINUTES= TIMES= JOBS=)
	python tools/explore.py --seed $(SEED) --minutes $(MINUTES) --times $(TIMES) --jobs $(JOBS)

rerun: $(READY) ## run again this day's share of what is stored, and compare (DAY=2026-01-31 or ITEMS=run:digits:3)
	python tools/rerun_stored.py $(if $(DAY),--day $(DAY)) $(ITEMS)

.PHONY: mutation
mutation: $(READY) ## count the small errors in the core that the tests notice (SAMPLE=300 SEED=1)
	CI=true OPENBLAS_NUM_THREADS=1 python -m tools.mutation --sample $(SAMPLE) --seed $(SEED) --workers $(WORKERS)

# Executes every notebook in another environment: $(call elsewhere,ENVIRONMENT,NAME). The cells that must have run
# are counted from the sources.
elsewhere = PATH=$(CURDIR)/$(1)/bin:$$PATH python tools/execute_notebooks.py --no-write --report $(REPORTS)/$(2).xml && \
	$(1)/bin/python tools/tally.py $(REPORTS) $(2)=$$($(1)/bin/python tools/execute_notebooks.py --count)

.PHONY: oldest newest
oldest: ## execute every notebook among the lowest versions that gaugelib allows, and count the cells (Python 3.11)
	PYTHON=$${PYTHON:-python3.11} tools/setup.sh $(OLDEST) requirements/oldest.txt
	$(call elsewhere,$(OLDEST),oldest)

newest: ## execute every notebook among the newest versions of everything, and count the cells
	tools/setup.sh $(NEWEST) requirements/newest.in
	$(call elsewhere,$(NEWEST),newest)

.PHONY: graders
graders: $(READY) $(GRADERS:%=.cache/venv-%/.ready) ## hand the exercises in to nbgrader and to otter
	for grader in $(GRADERS); do \
		PATH="$(CURDIR)/.cache/venv-$$grader/bin:$$PATH" .cache/venv-$$grader/bin/python -m tools.try_graders $$grader; \
	done

.PHONY: jupyter-look dist
jupyter-look: $(READY) $(JUPYTER)/.ready ## drive a widget by keyboard in JupyterLab and in Notebook
	CHROMIUM=$$(tools/chromium.sh) python -m tools.jupyter_look $(JUPYTER)

dist: $(READY) ## build the wheel and the source archive in dist/, and try each in an environment of its own
	rm -rf dist
	python -m tools.dist dist --try

.PHONY: bench bench-streaming bench-norm-peers bench-training bench-curvature bench-equivariance bench-published bench-traced bench-peers
bench: $(READY) ## measure how fast the minimum norm is found, and write the table of the appendix
	python benchmarks/minimum_norm.py

bench-streaming: $(READY) ## measure it in readings of the weights, beside an earlier build, and write the table
	python benchmarks/streaming.py

bench-norm-peers: $(READY) ## measure it beside five peers, three in environments of their own, and write the table
	python benchmarks/norm_peers.py

bench-training: $(READY) ## measure what gauge fixing adds to a step of training, and write its tables
	python benchmarks/gauge_fixing.py

bench-curvature: $(READY) ## measure how fast the sharpness is found, beside its peers, and write its table
	python benchmarks/curvature.py

bench-equivariance: $(READY) ## compare the space of equivariant weights with three peers', and their tests with ours
	python benchmarks/equivariance_peers.py

bench-published: $(READY) ## measure what int8 does to other people's trained networks, in every gauge
	python benchmarks/published_networks.py

bench-traced: $(READY) ## look which of 264 published models are traced, and whether rightly
	python benchmarks/traced_models.py

bench-peers: $(READY) ## equalise networks for int8 with four peers and in our gauges, and store the table
	python benchmarks/equalisation_peers.py

.PHONY: format clean
format: $(READY) ## format the code
	ruff format .
	ruff check --fix .

clean: ## remove what was built and installed
	rm -rf _build .cache $(VENV)
