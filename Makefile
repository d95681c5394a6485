# The targets are described by `make help`. Variables can be given on the command line: make study CONFIG=config/full.yaml
CONFIG      = config/quick.yaml
PROFILE     = workflow/profiles/default
FLAGS       =
TORCH_INDEX =

# The first Python that the pinned packages have wheels for, that runs, and that can make a virtual environment.
PYTHON := $(shell for python in python3.11 python3.12 python3.13 python3; do \
	"$$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	> /dev/null 2>&1 && command -v "$$python" && break; done)

export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help install study report test check
.DELETE_ON_ERROR:

help:
	@echo 'make study     run the study $(CONFIG), from jets to the paper; go on if it was stopped'
	@echo 'make report    put its figures, tables and the way they were made into report.zip'
	@echo 'make test      run every check and test, a study in miniature among them'
	@echo 'make check     the checks of style and types alone'
	@echo 'make install   the packages of envs/requirements.txt into .venv; the others do it too'
	@echo ''
	@echo 'CONFIG=config/full.yaml      another study'
	@echo 'PROFILE=...                  where it runs (workflow/profiles)'
	@echo 'FLAGS="--cores 1"            anything more for snakemake, such as --dry-run'
	@echo 'PYTHON=/path/to/python3.12   the Python of .venv (3.11 to 3.13)'
	@echo 'TORCH_INDEX=https://download.pytorch.org/whl/cpu   the build of PyTorch without CUDA, several GB smaller'

study: .venv/installed
	@test -f '$(CONFIG)' || { echo 'CONFIG=$(CONFIG): no such file; there are $(wildcard config/*.yaml)' >&2; exit 1; }
	snakemake --profile $(PROFILE) $(FLAGS) --configfile $(CONFIG)

report: .venv/installed
	snakemake --configfile $(CONFIG) --report report.zip

test: check
	pytest

check: .venv/installed
	ruff check
	ruff format --check
	snakefmt --check Snakefile workflow/rules
	snakemake --lint
	mypy

install: .venv/installed

# The stamp is written last: a set-up that was interrupted is repeated.
.venv/installed: envs/requirements.txt pyproject.toml
	@if [ -z '$(PYTHON)' ]; then \
		echo 'No Python 3.11, 3.12 or 3.13 that can make a virtual environment was found. Install one, on Debian or' >&2; \
		echo 'Ubuntu: apt install python3.11 python3.11-venv (or the same of 3.12, 3.13), or give PYTHON=/path/to/python.' >&2; \
		exit 1; fi
	.venv/bin/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	.venv/bin/python -m pip install --no-input $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -r envs/requirements.txt
	.venv/bin/python -m pip install --no-input --no-deps --no-build-isolation --editable .
	@touch $@
