# Thin: each target is one command that also works by hand.

CARGO ?= cargo
DATA ?= data

.PHONY: help run test fmt lint clean tools

help: ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

tools:
	@sh deploy/check-tools

run: tools ## Build the shop, and start all of it in one process
	$(CARGO) run -p mall -- --data $(DATA)

test: tools ## All tests
	$(CARGO) test --workspace

fmt: ## Format the code
	$(CARGO) fmt --all

lint: tools ## Format check, clippy, documentation
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps

clean: ## Delete what was built
	$(CARGO) clean
