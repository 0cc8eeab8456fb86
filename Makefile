# Kanal needs only Go to build and to run. The tests need a little more; `make test` sees to it.

GO   ?= go
# C that was translated to Go, with locks of its own: the race detector need not look into it.
NORACE = modernc.org/sqlite/lib modernc.org/libc/...
LINT  = $(GO) tool -modfile=tools/go.mod golangci-lint

.DEFAULT_GOAL := help
.PHONY: help run test faults axe check bench bench-docs generate lint fmt

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Serve the center on http://127.0.0.1:8080, with its data in ./data
	$(GO) run ./cmd/kanal

# The race detector makes the program several times slower: what a browser, a process or its memory shows in real time is
# tested without it. The packages whose tests take longest begin first.
test: ## Run every test on both databases and in a browser, and with the race detector all that needs neither browser nor time
	@bash .ci/needs
	KANAL_TEST_REQUIRE=postgres $(GO) test -race $(NORACE:%=-gcflags=%=-race=false) -short -timeout 30m ./service ./web ./...
	KANAL_TEST_REQUIRE=postgres,chromium $(GO) test -timeout 30m ./web ./cmd/kanal ./views ./twilio/simulator
	KANAL_TEST_REQUIRE=postgres,chromium $(GO) test -run Memory ./service

faults: ## Kill the program twenty times while Twilio is at its worst, on both databases
	@bash .ci/needs
	KANAL_TEST_REQUIRE=postgres,chromium KANAL_TEST_FAULTS=full $(GO) test -v -count=1 -parallel 1 -timeout 60m -run '^TestFaults$$' ./cmd/kanal

axe: ## Look at every page in both themes, languages and sizes, on both databases
	@bash .ci/needs
	KANAL_TEST_REQUIRE=postgres,chromium KANAL_TEST_AXE=all $(GO) test -timeout 60m -run 'TestPagesAreAccessible|TestEveryPageIsVisited' ./web

check: ## Format, vet, linters, generated code, rules of the house, both catalogs
	@bash .ci/check

bench: ## Measure the program on both databases, then its parts (6 minutes)
	$(GO) run ./cmd/loadgen bench
	KANAL_TEST_DURABLE=1 $(GO) test -run '^$$' -bench . -benchtime 200ms ./twilio ./store ./service ./web

bench-docs: ## Measure the program and put its table into docs/performance.md
	$(GO) run ./cmd/loadgen bench --into docs/performance.md

generate: ## Write the Go code of the templ files anew
	$(GO) tool templ generate

lint: ## Run the linters alone
	$(LINT) run

fmt: ## Format the Go files
	gofmt -w .
