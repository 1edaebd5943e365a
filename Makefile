# Needs Python 3.11, make and a package index; everything else is installed into .venv.
# PYTHON=… chooses the interpreter, LANGUAGE=ru the Russian report, PROFILE=… the profile.

PYTHON ?= python3.11
PROFILE ?= full
LANGUAGE ?= en
VENV := .venv
BIN := $(VENV)/bin
PY := $(CURDIR)/$(BIN)/python
DOCUMENT := $(if $(filter en,$(LANGUAGE)),report.qmd,report.$(LANGUAGE).qmd)

.DEFAULT_GOAL := help
.PHONY: help demo picture report single laptop render list test check format bench clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: PROFILE := demo
demo: $(VENV)/.demo render  ## a miniature study from scratch: minutes, no GPU, no data

report: render  ## the study on a GPU (PROFILE=full), HTML and PDF

single: PROFILE := single
single: render  ## the assignment's minimum: one seed, three epochs

laptop: PROFILE := laptop
laptop: render  ## real data, small encoders, no GPU

# The real Quarto where there is one; else the same document without the binary (code/rendering/preview.py).
render: $(VENV)/.base $(VENV)/.quarto
	@quarto=$$(cat $(VENV)/.quarto); \
	if [ -n "$$quarto" ]; then \
	  echo "rendering with $$quarto ($$("$$quarto" --version))"; \
	  QUARTO_PYTHON=$(PY) "$$quarto" render $(DOCUMENT) --profile $(PROFILE) && \
	  $(PY) code/run.py findings --profile $(PROFILE) --language $(LANGUAGE); \
	else \
	  echo "rendering without a Quarto binary: none on the PATH and quarto-cli cannot be installed"; \
	  $(PY) code/run.py render --profile $(PROFILE) --language $(LANGUAGE); \
	fi

list: $(VENV)/.base  ## every run of PROFILE: state, key, seconds, size
	@$(PY) code/run.py --profile $(PROFILE) --list

test: $(VENV)/.base $(VENV)/.demo $(VENV)/.dev  ## the tests
	$(PY) -m pytest

check: $(VENV)/.base $(VENV)/.demo $(VENV)/.dev  ## lint, format, types, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PY) -m pytest

format: $(VENV)/.dev  ## put every file into the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.base $(VENV)/.demo  ## measurements: medians and ratios, nothing is asserted
	@for file in bench/bench_*.py; do echo "== $$file"; $(PY) $$file || exit 1; done

picture:  ## README's picture, from the demo's report, where a Chromium is at hand
	@report=$(CURDIR)/_output/demo/report.html; \
	browser=$$(command -v chromium || command -v chromium-browser || command -v google-chrome); \
	if [ ! -f "$$report" ]; then echo "there is no report of the demo yet: make demo"; exit 1; fi; \
	if [ -z "$$browser" ]; then echo "no Chromium on the PATH: the picture stays as it is"; exit 0; fi; \
	"$$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,1500 \
	  --virtual-time-budget=4000 --screenshot=$(CURDIR)/figures/example-report.png "file://$$report" \
	  2> /dev/null && echo figures/example-report.png

clean:  ## removes what a render wrote; stored results and .venv stay
	rm -rf _output .quarto figures/*.svg figures/*.png

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Python 3.11 is needed; name it: make PYTHON=/path/to/python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.demo: requirements-demo.txt $(VENV)/.base
	$(BIN)/pip install -q --disable-pip-version-check -r requirements.txt -r requirements-demo.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.base
	$(BIN)/pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# Where Quarto is: on the PATH, or from PyPI's quarto-cli, which fetches a release while it installs.
$(VENV)/.quarto: | $(VENV)/.base
	@command -v quarto > $@ || \
	 { timeout 120 $(BIN)/pip install -q --disable-pip-version-check quarto-cli \
	     > $(VENV)/quarto-install.log 2>&1 && echo "$(CURDIR)/$(BIN)/quarto" > $@; } || : > $@
