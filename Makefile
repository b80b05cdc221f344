# What can be done with this tree. `make` alone lists it.
#
# Needed beforehand: Go, git and make. What a target needs besides it installs, or it says what to install: tools/provide.sh.

SHELL         := /bin/bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL: # Go keeps all cores busy by itself, and what is tested first should fail first

# The tests' own time server and broker come before installed ones.
export PATH := $(CURDIR)/.local/debian/bin:$(PATH)

# What a person may set: make up ARGS=192.0.2.1, make test TESTFLAGS=-v, make fuzz FUZZTIME=5m, make bench BENCHFLAGS=-count=10.
ARGS       ?=
TESTFLAGS  ?=
FUZZTIME   ?= 30s
BENCHFLAGS ?=

VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo unreleased)
COMMIT  = $(shell git rev-parse HEAD 2>/dev/null || echo unknown)

# The pinned tools. Without cgo they need no C compiler, and sqlc doesn't have to compile PostgreSQL's parser.
TOOL = CGO_ENABLED=0 go tool -modfile=$(CURDIR)/tools/go.mod

# The race detector stays on wherever correctness is tested, and needs cgo.
TEST = CGO_ENABLED=1 go test -race

# The folders whose test files hold a line, as Go packages.
holding = $(addprefix ./,$(sort $(dir $(shell grep -rlE '$(1)' --include='*_test.go' --exclude-dir='.?*' --exclude-dir=testdata . | sed 's,^\./,,'))))

# The packages with tests of a build tag; having none is a mistake.
tagged = $(or $(call holding,^//go:build .*\b$(1)\b),$(error no test has the build tag $(1)))

.PHONY: help
help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##### Run

.PHONY: up
up: build ## build Truechimer and run it: all of it on this machine, watching a lab, or the servers in ARGS
	@tools/provide.sh database
	@exec bin/truechimer up $(ARGS)

.PHONY: build
build: ## make bin/truechimer: one static program
	@tools/provide.sh
	CGO_ENABLED=0 go build -trimpath -buildvcs=false \
	  -ldflags '-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)' -o bin/truechimer ./cmd/truechimer

##### Test

.PHONY: test
test: provide test-unit test-integration ## all tests but those of load; what CI runs

.PHONY: provide
provide: # all at once, so that who can't install anything is told everything
	@tools/provide.sh database compiler peers

.PHONY: test-unit
test-unit: ## tests without a database, and the import rules
	@tools/provide.sh compiler
	$(TEST) -timeout 5m $(TESTFLAGS) ./...

.PHONY: test-integration
test-integration: ## tests with a real database, NTP server and broker, each started by the test itself
	@tools/provide.sh database compiler peers
	$(TEST) -tags integration -count=1 -timeout 10m $(TESTFLAGS) $(call tagged,integration)

.PHONY: test-load
test-load: ## tests of load: figures, so without the race detector
	@tools/provide.sh database peers
	go test -tags load -count=1 -v -timeout 30m $(TESTFLAGS) $(call tagged,load)

.PHONY: test-all
test-all: test test-load ## all tests

.PHONY: test-ci-local
test-ci-local: ## what CI runs, on a clean clone of what is committed
	@git diff --quiet HEAD || echo "not tested: what isn't committed" >&2
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	git clone --quiet --no-hardlinks . "$$dir/clone"; \
	env -u MAKEFLAGS -u MAKELEVEL CI=true GOFLAGS="$$(go env GOFLAGS) -count=1" bash "$$dir/clone/.ci/run" </dev/null

##### A database to look inside

.PHONY: test-db-start test-db-stop test-db-restart test-db-reset
test-db-start: ## start a private database with our tables on 127.0.0.1:3308, kept in .local/testdb
test-db-stop: ## stop it
test-db-restart: ## stop it and start it again
test-db-reset: ## start it anew, empty
test-db-start test-db-stop test-db-restart test-db-reset:
	@tools/provide.sh database
	@go build -buildvcs=false -o bin/testdb ./cmd/testdb
	@bin/testdb $(@:test-db-%=%)

##### Check

.PHONY: check
check: lint test-unit ## lint, then test-unit: before each commit

.PHONY: lint
lint: check-format check-generated ## all that is found without running: format, vet, staticcheck, generated code, import rules
	go vet ./...
	go vet -tags integration,load ./...
	$(TOOL) staticcheck -tags integration,load ./...
	cd messages && $(TOOL) buf lint
	go test .

.PHONY: check-format
check-format:
	@unformatted=$$(gofmt -l .); \
	[[ -z $$unformatted ]] || { echo "run gofmt -w on:" $$unformatted >&2; exit 1; }

.PHONY: check-generated
check-generated:
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	mkdir "$$dir/have" "$$dir/want"; \
	cp messages/*.pb.go "$$dir/have"; \
	(cd messages && $(TOOL) buf generate --output "$$dir/want"); \
	diff -r "$$dir/have" "$$dir/want" && $(TOOL) sqlc diff || { echo "generated code is not what make generate makes" >&2; exit 1; }

##### Make

.PHONY: generate
generate: ## make the generated code: messages from *.proto, queries from schema.sql and *.sql
	cd messages && $(TOOL) buf generate
	$(TOOL) sqlc generate

.PHONY: tools
tools: ## build the pinned tools beforehand; the other targets do it where they need one
	@for tool in $$(go list -modfile=tools/go.mod -f '{{.ImportPath}}' tool); do $(TOOL) -n "$${tool##*/}"; done

##### Explore

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (30s)
	@failed=0; \
	while IFS=: read -r file _ target; do \
	  echo "$$(dirname "$$file") $${target#func }"; \
	  go test -run '^$$' -fuzz "^$${target#func }$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" || failed=1; \
	done < <(grep -rnoE '^func Fuzz\w+' --include='*_test.go' --exclude-dir='.?*' .); \
	exit $$failed

.PHONY: bench
bench: ## run the benchmarks, those with a real database too
	@tools/provide.sh database peers
	go test -tags integration -run '^$$' -bench . -benchmem $(BENCHFLAGS) $(call holding,^func Benchmark)

.PHONY: bench-selection
bench-selection: ## run the benchmarks of selection: one plan, and select --all on a pool of 2,000 servers
	@tools/provide.sh database
	@go test -run '^$$' -bench '^(BenchmarkPlan|BenchmarkSelect)$$' -benchmem $(BENCHFLAGS) ./pool/selection ./cmd/benchmarks | tee /dev/stderr | awk ' \
	  { for (i = 3; i < NF; i += 2) value[$$(i + 1)] = $$i } \
	  /^BenchmarkPlan/   { plans = 1e9 / value["ns/op"]; allocations = value["allocs/op"] } \
	  /^BenchmarkSelect/ { times = value["times"] } \
	  END { if (!plans || !times) exit 1; \
	        printf "selection: %.0f plans/s, %d allocations a plan, %.1f times one query per server\n", plans, allocations, times }'
