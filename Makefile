# Two commands do everything on a machine that has only Swift: `make demo` and `make test`.
# `make help` lists the rest. Every target sets up what it needs and works from any folder
# (make -C, make -f) and with spaces in the path.

# The folder of this file. $(dir …) would split a path at its spaces, so the shell takes it apart.
quoted := '$(subst ','\'',$(MAKEFILE_LIST))'
enter := f=$(quoted); cd -- "$$(dirname -- "$${f\# }")" &&

# Tests need -enable-testing, which changes every object file: they get a build folder of their own, so
# that demo and tests do not rebuild each other.
checked := --explicit-target-dependency-import-check error
test_flags := -c release --scratch-path .build/testing -Xswiftc -enable-testing $(checked)

SHEET ?= out/demo.png
# Handed on by the environment, so that a prompt may hold any character.
export PROMPT
FIXTURES ?= ../shared/reference/fixtures

# Threads that wait spin shortly, so that the tests get on beside other work (Docs/decisions.md).
export GOMP_SPINCOUNT ?= 2000

.PHONY: demo test build examples docs bench bench-peers format lint clean help
.DEFAULT_GOAL := help

demo: ## build, then draw a sheet of twelve pictures from words, and PROMPT="..." if given
	@$(enter) Scripts/setup.sh build
	@$(enter) swift build -c release --product ito $(checked)
	@$(enter) mkdir -p "$$(dirname -- "$(SHEET)")" && \
	  .build/release/ito generate --sheet "$(SHEET)"
	@$(enter) [ -z "$$PROMPT" ] || .build/release/ito generate --output out/prompt.png -- "$$PROMPT"

test: ## run the tests, and the parity check where golden folders are at hand (FIXTURES=folder)
	@$(enter) Scripts/setup.sh test
	@$(enter) swift test --no-parallel $(test_flags)
	@$(enter) Scripts/parity.sh .build/testing/release/ito "$(FIXTURES)"
	@$(enter) Scripts/parity-forms.sh .build/testing/release/ito "$(FIXTURES)"

build: ## build everything, optimised
	@$(enter) Scripts/setup.sh build
	@$(enter) swift build -c release $(checked)

examples: ## build the programs in Examples/ and run each on the embedded model
	@$(enter) Scripts/setup.sh build
	@$(enter) ITO_EXAMPLES=1 swift build -c release $(checked)
	@$(enter) Scripts/examples.sh .build/release

docs: build ## render the documentation of every module into out/docs
	@$(enter) Scripts/docs.sh

bench: ## share of the machine's peak reached by products and convolutions, beside oneDNN itself
	@$(enter) Scripts/setup.sh build
	@$(enter) cd Benchmarks && swift build -c release --product ito-benchmarks && \
	  .build/release/ito-benchmarks ops

# PYTHON is used instead of a new environment; ARGS go to compare.py, such as ARGS="--precisions f32 --rounds 5".
bench-peers: ## train and sample the same networks here and in PyTorch, in turn (makes a virtual environment)
	@$(enter) Scripts/setup.sh build
	@$(enter) test -n "$(PYTHON)" || Benchmarks/peers/setup.sh
	@$(enter) cd Benchmarks && swift build -c release --product ito-benchmarks && \
	  "$${PYTHON:-peers/.venv/bin/python}" peers/compare.py $(ARGS)

format: ## rewrite the Swift sources in the checked-in style
	@$(enter) Scripts/format.sh write

lint: ## check style, layers and forbidden constructs
	@$(enter) Scripts/format.sh check
	@$(enter) Scripts/check-sources.sh
	@$(enter) swift Scripts/check-layers.swift

clean: ## delete everything built
	@$(enter) rm -rf .build Benchmarks/.build out

help: ## this list
	@$(enter) awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
