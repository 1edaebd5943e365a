# Needs Python 3.11 to 3.13, make and a package index; everything else is installed into .venv.
# PYTHON=… chooses the interpreter (else the first that fits is taken), LANGUAGE=ru the Russian report, PROFILE=… the profile, LOCK=0 an
# installation without the checksums of requirements.lock.
# Paths are relative and quoted, and packages' scripts are run as modules: the folder may be called
# anything.

PYTHON ?=
PYTHONS := python3.13 python3.12 python3.11 python3
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PROFILE ?= full
LANGUAGE ?= en
LOCK ?= 1
VENV ?= .venv
BIN := $(VENV)/bin
PY := "$(BIN)/python"
# What is imported is compiled when it is, and kept so: the other modules would take half of the set-up.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(PY) -m pip install -q --disable-pip-version-check --no-compile
DOCUMENT := $(if $(filter en,$(LANGUAGE)),report.qmd,report.$(LANGUAGE).qmd)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo picture report single laptop render list verify plan export test check format bench bench-quick gpu-check calibration fuzz torture audit lock clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

demo: PROFILE := demo
demo: $(VENV)/.demo render  ## a miniature study from scratch: minutes, no GPU, no data

report: render  ## the study on a GPU (PROFILE=full), HTML and PDF

single: PROFILE := single
single: render  ## the assignment's minimum: one seed, three epochs

laptop: PROFILE := laptop
laptop: render  ## real data, small encoders, no GPU

# The real Quarto where there is one; else the same document without the binary (code/rendering/preview.py).
render: $(VENV)/.base $(VENV)/.quarto
	@quarto=$$(cat "$(VENV)/.quarto" 2> /dev/null); \
	if [ -n "$$quarto" ]; then \
	  echo "rendering with $$quarto ($$("$$quarto" --version))"; \
	  QUARTO_PYTHON="$$(cd "$(BIN)" && pwd)/python" "$$quarto" render "$(DOCUMENT)" --profile "$(PROFILE)" || \
	    { rm -rf "$(basename $(DOCUMENT))_files"; exit 1; }; \
	  $(PY) code/run.py findings --profile "$(PROFILE)" --language "$(LANGUAGE)"; \
	else \
	  echo "rendering without a Quarto binary: none on the PATH, and quarto-cli is not installed"; \
	  $(PY) code/run.py render --profile "$(PROFILE)" --language "$(LANGUAGE)"; \
	fi

list: $(VENV)/.base  ## every run of PROFILE: state, key, seconds, size
	@$(PY) code/run.py --profile "$(PROFILE)" --list

verify: $(VENV)/.base  ## every number of PROFILE's report once more, by other code
	@$(PY) code/run.py verify --profile "$(PROFILE)"

plan: $(VENV)/.base  ## what PROFILE takes on this machine, before anything is trained
	@$(PY) code/run.py plan --profile "$(PROFILE)"

export: $(VENV)/.base  ## a trained model as others load it: RUN=cola-lora-seed42 FOLDER=where
	@$(PY) code/run.py export "$(RUN)" "$(FOLDER)" --profile "$(PROFILE)"

test: $(VENV)/.base $(VENV)/.demo $(VENV)/.dev  ## the tests
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.base $(VENV)/.demo $(VENV)/.dev  ## lint, format, types, tests
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

format: $(VENV)/.dev  ## put every file into the project's format
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: $(VENV)/.base $(VENV)/.demo  ## measurements: medians and ratios, nothing is asserted
	@for file in bench/bench_*.py; do echo "== $$file"; $(PY) $$file || exit 1; done

bench-quick: $(VENV)/.base $(VENV)/.demo  ## the steps' measurements alone, in two minutes: _output/bench.json
	$(PY) bench/bench_training.py --quick

gpu-check: $(VENV)/.base $(VENV)/.demo $(VENV)/.dev  ## every branch on a GPU in five minutes, against what it allows
	$(PY) -m pytest -m gpu
	$(PY) bench/gpu_check.py

calibration: $(VENV)/.base  ## how often verdicts are false, by simulation, in minutes: bench/calibration.md
	$(PY) bench/calibration.py

fuzz: $(VENV)/.base $(VENV)/.dev  ## 10,000 damaged corpora, settings and checkpoints
	$(PY) bench/fuzz_inputs.py --count 10000

torture: $(VENV)/.base $(VENV)/.dev  ## 200 kills at random moments, each followed by a resumption
	$(PY) bench/torture_study.py --kills 200

audit: $(VENV)/.base  ## known vulnerabilities of the locked packages, by PyPI's advisories
	$(PIP) install pip-audit
	$(PY) -m pip_audit --disable-pip --require-hashes -r requirements.lock

picture:  ## README's picture, from the demo's report, where a Chromium is at hand
	@report="$$PWD/_output/demo/report.html"; \
	browser=$$(command -v chromium || command -v chromium-browser || command -v google-chrome); \
	if [ ! -f "$$report" ]; then echo "there is no report of the demo yet: make demo"; exit 1; fi; \
	if [ -z "$$browser" ]; then echo "no Chromium on the PATH: the picture stays as it is"; exit 0; fi; \
	"$$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,1500 \
	  --virtual-time-budget=4000 --screenshot="$$PWD/figures/example-report.png" \
	  "$$($(PY) -c 'import pathlib, sys; print(pathlib.Path(sys.argv[1]).as_uri())' "$$report")" \
	  2> /dev/null && echo figures/example-report.png

clean:  ## removes what a render wrote; stored results and .venv stay
	rm -rf _output .quarto *_files figures/*.svg figures/*.png

$(VENV)/bin/python:
	@case "$$PWD$(VENV)" in *:*) [ "$(VENV)" != .venv ] || { \
	  echo "Python makes no environment in a folder with a colon in its name. Name another place: make VENV=/path/to/environment"; \
	  exit 1; };; esac
	@python="$(PYTHON)"; \
	for candidate in $(PYTHONS); do \
	  [ -z "$$python" ] && "$$candidate" -c '$(FITS)' 2> /dev/null && python=$$candidate; \
	done; python=$${python:-python3}; \
	"$$python" -c '$(FITS)' 2> /dev/null || { \
	  echo "Python 3.11, 3.12 or 3.13 is needed, not $$("$$python" --version 2>&1). Name one: make PYTHON=/path/to/python3.12"; \
	  echo "or have one fetched by uv, with the Python that is here:"; \
	  echo "  $$python -m venv .venv-uv && .venv-uv/bin/pip install uv && .venv-uv/bin/uv venv --seed --python 3.13 '$(VENV)'"; \
	  exit 1; }; \
	without=$$("$$python" -m pip --python "$$python" --version > /dev/null 2>&1 && echo --without-pip); \
	echo "making $(VENV) with $$python"; "$$python" -m venv $$without "$(VENV)"  # install.py brings a pip

$(VENV)/.base: requirements.txt requirements.lock | $(VENV)/bin/python
	$(call install,-r requirements.txt)
	@touch "$@"

$(VENV)/.demo: requirements.txt requirements-demo.txt requirements.lock | $(VENV)/bin/python
	$(call install,-r requirements.txt -r requirements-demo.txt)
	@touch "$(VENV)/.base" "$@"

$(VENV)/.dev: requirements-dev.txt $(VENV)/.base
	$(call install,-r requirements.txt -r requirements-dev.txt)
	@touch "$@"

# Every file is checked against requirements.lock, unless LOCK=0.
define install
@if [ "$(LOCK)" = 0 ]; then $(PY) -m ensurepip > /dev/null; $(PIP) $(1); else $(PY) install.py $(1); fi
endef

lock: $(VENV)/bin/python  ## writes requirements.lock anew (after a change of requirements*.txt)
	$(PY) -m ensurepip > /dev/null
	$(PIP) -r requirements-setup.txt
	$(PY) -m uv pip compile --no-config -q --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --custom-compile-command "make lock" requirements.txt requirements-setup.txt requirements-demo.txt requirements-dev.txt \
	  -o requirements.lock

# Where Quarto is: on the PATH, or from PyPI's quarto-cli, which fetches a release while it installs.
# The demo fetches none: its report is made before a Quarto would be there.
$(VENV)/.quarto: | $(VENV)/.base
	@command -v quarto > "$@" || if [ "$(PROFILE)" = demo ]; then rm -f "$@"; else \
	 { timeout 120 $(PIP) quarto-cli \
	     > "$(VENV)/quarto-install.log" 2>&1 && echo "$$(cd "$(BIN)" && pwd)/quarto" > "$@"; } || : > "$@"; fi
