# `make help` lists what there is.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO       ?= go
# How long each fuzz target runs.
FUZZTIME ?= 30s
# How often rosterd is killed by the fault runs, in every step and in the middle of
# applies, and how many people the benchmark has.
KILLS    ?= 1000
APPLIES  ?= 200
# How many operations a random walk through a directory has.
WALK     ?= 5000
PEOPLE   ?= 100000
# How many people the policy is measured with at most, beside 10,000 and 100,000.
BENCH_MOST ?= 1000000
# The longest a package's tests may take: what make test as a whole may.
TIMEOUT  ?= 10m
# So many packages are tested at a time: two for each processor, since many tests
# wait for a server, a disk or the next second.
PACKAGES ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## bin/rosterd, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/rosterd ./cmd/rosterd

.PHONY: demo
demo: build ## the story of an organisation in a terminal; needs no server and no configuration
	bin/rosterd demo

.PHONY: test
test: ## everything that must pass, with the race detector and a real slapd; installs what it needs
	@.ci/prepare
	@unformatted=$$("$$($(GO) env GOROOT)/bin/gofmt" -l .); if [ -n "$$unformatted" ]; then echo "not formatted; type: gofmt -w ."; echo "$$unformatted"; exit 1; fi
	CGO_ENABLED=0 $(GO) vet ./...
	CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/rosterd
	CGO_ENABLED=1 $(GO) test -vet=off -race -p $(PACKAGES) -timeout $(TIMEOUT) -json ./... | CGO_ENABLED=0 $(GO) run ./internal/testreport .ci/skips

.PHONY: test-servers
test-servers: ## the tests against Samba AD DC, 389 Directory Server and SCIMMY, and the page of the policy in Chromium, as root; installs what it needs. OpenLDAP is part of make test
	@.ci/prepare servers
	@packages=$$(grep -rl --include='*_test.go' '^//go:build servers$$' . | xargs -n 1 dirname | sort -u); \
	$(GO) vet -tags servers $$packages; \
	$(GO) test -count=1 -vet=off -tags servers -parallel 6 -timeout 20m -run '^Test(Samba|Dirsrv|Slapd|Chromium|Scim)' -json $$packages | $(GO) run ./internal/testreport /dev/null

.PHONY: faults
faults: ## kills rosterd KILLS (1000) times in every step, and APPLIES (200) times in applies of 2,000 changes; walks of WALK (5000) operations on every server, as root; ROSTERD_SEED repeats a run
	ROSTERD_KILLS=$(KILLS) $(GO) test -count=1 -timeout 60m -v -run '^TestKilledInEveryStep$$' ./cmd/rosterd
	ROSTERD_KILLS=$(APPLIES) $(GO) test -count=1 -timeout 60m -v -run '^TestKilledInMidApply$$' ./cmd/rosterd
	@.ci/prepare servers
	ROSTERD_WALK=$(WALK) $(GO) test -count=1 -timeout 120m -v -tags servers -run 'Walk' ./directory/memory ./directory/ldap
	ROSTERD_BLOWS=100000 $(GO) test -count=1 -timeout 60m -v -run '^TestLawCompleteOrNothingWhileFollowing$$' ./directory/ldap

.PHONY: soak
soak: ## the service left alone for two months of a moved clock, through both changes of summer time; started, reloaded, stopped and killed a hundred times
	ROSTERD_SOAK=1 $(GO) test -count=1 -timeout 60m -v -run '^(TestLeftAlone|TestStartedReloadedStoppedAndKilled|TestTheWatchdogOfTheService)$$' ./cmd/rosterd

.PHONY: bench
bench: ## reading and provisioning beside ldapsearch and ldapadd, and what cycles, groups and the policy cost, with PEOPLE (100000) people
	$(GO) test -count=1 -timeout 20m -v -run '^TestWorkDoesNotGrowWithThePeople$$' ./sync -args -many $(PEOPLE)
	$(GO) test -count=1 -timeout 20m -run '^$$' -bench '^BenchmarkGroups$$' -benchtime 1x ./state
	for people in 10000 100000 $(BENCH_MOST); do $(GO) test -count=1 -timeout 60m -run '^$$' -bench '^BenchmarkPolicy$$' -benchtime 1x ./sync -args -many $$people; done
	$(GO) test -count=1 -timeout 60m -run '^$$' -bench People -benchtime 1x ./bench -args -people $(PEOPLE)
	$(GO) test -count=1 -timeout 60m -run '^$$' -bench Provisioning -benchtime 1x ./bench -args -people $(PEOPLE)

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (30s)
	@for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "== $$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

.PHONY: lint
lint: ## go vet, and golangci-lint and shellcheck where they are installed
	$(GO) vet ./...
	@if command -v golangci-lint >/dev/null; then golangci-lint run ./...; else echo "golangci-lint is not installed: $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0"; fi
	@if command -v shellcheck >/dev/null; then shellcheck .ci/run .ci/prepare; else echo "shellcheck is not installed: apt-get install shellcheck"; fi

.PHONY: clean
clean: ## removes what was built
	rm -rf bin dist
