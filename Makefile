# Thin: each target is one command that also works by hand.

CARGO ?= cargo
DATA ?= data

.PHONY: help run test build-tests try-new-route pipeline-cost fmt lint clean tools

help: ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

tools:
	@sh deploy/check-tools

run: tools ## Build the shop, and start all of it in one process
	$(CARGO) run -p mall -- --data $(DATA)

test: tools ## All tests
	$(CARGO) test --workspace

build-tests: tools ## Build all tests, and run none
	$(CARGO) test --workspace --no-run

try-new-route: tools ## Add a route to a copy of the gateway by the two edits of CONTRIBUTING.md, and call it
	bash deploy/try-new-route

pipeline-cost: tools ## What the pipeline costs a request, in instructions (needs valgrind)
	@CARGO="$(CARGO)" sh deploy/pipeline-cost

fmt: tools ## Format the code
	$(CARGO) fmt --all

lint: tools ## Format check, clippy, documentation
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps

clean: tools ## Delete what was built
	$(CARGO) clean
