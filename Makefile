# Carbongraph. `make help` lists the targets.

GO      ?= go
BIN     := bin/carbongraph
TESTENV := $(GO) run ./internal/testenv
# The race detector watches our code and every library but SQLite's, which is C that was translated: there it finds nothing of ours, and takes nine tenths of the time.
RACE    := -race -gcflags='modernc.org/sqlite/lib=-race=false' -vet=off -ldflags=-s
# The laws of the store: the tests that draw what they try.
LAWS    := $(shell awk '/^func Test/ { t = $$2; sub(/[^A-Za-z].*/, "", t) } /rapid\.Check/ { print t }' store/*_test.go | sort -u | paste -sd '|' -)

.DEFAULT_GOAL := help
.PHONY: help build run test test-go test-engines test-faults test-browser test-clients lint verify verify-go verify-web generate web bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

build: ## build bin/carbongraph
	$(GO) build -o $(BIN) .

run: build ## build, then serve demo data on the embedded database
	./$(BIN) demo

test: test-go test-browser test-clients ## every test, on real servers that are started for it

# The real ledgers, and a million rows, are too large for the race detector, and 20,000 documents for both engines, or every statement under 64 clients, take it too long: they are
# read once more without it. So is whatever has a bound of time or memory that the race detector would break, and the laws of the store, which it tries less often.
test-go:
	$(TESTENV) $(GO) test $(RACE) -timeout 20m ./...
	$(GO) test -count=1 -run '^(TestRealLedgers|TestRealLayouts|TestAMillionEmptyRows)' ./internal/batch ./internal/ingest
	$(TESTENV) $(GO) test -count=1 -timeout 12m -run '^($(LAWS)|TestEnginesAgree|TestStatements|TestIdleSubscriptionsAreSmall|TestDroppedConnectionsLeaveNothing|TestEstimatesAreWhatLinesWouldBe)$$' ./internal/app ./store ./resolvers
	$(GO) test -count=1 -run '^TestHostileBodies$$' ./graph

# A million documents made at random, for both engines on both databases, each asked once. ENGINE_SEED begins elsewhere.
test-engines: ## compare both engines by 1,000,000 documents; takes an hour
	$(TESTENV) env ENGINE_DOCUMENTS=$${ENGINE_DOCUMENTS:-500000} ENGINE_ASKINGS=$${ENGINE_ASKINGS:-1} $(GO) test -count=1 -timeout 24h -v -run TestEnginesAgree ./internal/app

# Files of 100,000 lines whose server or database is killed at several moments, and faults at random: FAULT_SEED begins elsewhere.
test-faults: ## kill servers and databases in the middle of large imports; takes ten minutes
	$(TESTENV) env FAULT_ROWS=$${FAULT_ROWS:-100000} FAULT_RUNS=$${FAULT_RUNS:-500} $(GO) test -count=1 -timeout 1h -v \
	  -run '^(TestAnImportOutlivesItsServer|TestAnImportOfAKilledServerGoesOnElsewhere|TestAnImportOutlivesItsDatabase|TestAnswersHoldWhateverBreaks)$$' ./internal/app ./internal/batch

# The browser tests want Node and Chromium. Where there is no Node, one line says so and the rest counts.
test-browser: build
	@if command -v npm >/dev/null 2>&1; then web/tests/run.sh $(CURDIR)/$(BIN); \
	else echo "browser tests left out: they need Node 20.19 or later with npm on PATH"; fi

# So do those by real clients.
test-clients: build
	@if command -v npm >/dev/null 2>&1; then clients/run.sh $(CURDIR)/$(BIN); \
	else echo "tests by clients left out: they need Node 20.19 or later with npm on PATH"; fi

lint: ## gofmt, vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

generate: ## write generated code anew
	$(GO) generate ./...

verify: verify-go verify-web ## generated code and web bundle fresh, modules tidy, allowed imports

verify-go: generate
	@git diff --exit-code --stat -- graph/generated graph/model graph/exec resolvers || { echo "generated code was stale: commit what make generate wrote"; exit 1; }
	$(GO) mod tidy -diff
	$(GO) mod verify
	$(GO) test -count=1 -run 'TestArrowsPointDown|TestThePictureHasNoCircle' ./internal/app/

verify-web:
	@if command -v npm >/dev/null 2>&1; then $(MAKE) --no-print-directory web; \
	  if [ -n "$$(git status --porcelain web/dist)" ]; then git status --porcelain web/dist; echo "web/dist was stale: commit what make web wrote"; exit 1; fi; \
	else echo "web bundle not checked: that needs Node 20.19 or later with npm on PATH"; fi

web: ## build the console into web/dist
	cd web && npm ci --no-audit --no-fund && npm run build

bench: build ## measure: the figures of docs/performance.md, printed as a table
	POSTGRES_SHARED_BUFFERS=$${POSTGRES_SHARED_BUFFERS:-1GB} $(TESTENV) $(GO) run ./loadtest/bench

clean: ## remove what was built
	rm -rf bin web/node_modules clients/node_modules
