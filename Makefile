# The commands that people and CI run. `make` alone lists them.
#
# CLUSTER says which cluster they act on: kind (our own, made where it is missing), k3s (this
# machine's) or current (your kubectl context). Only kind is ever chosen for you.
CLUSTER ?= kind
export CLUSTER

CACHE ?= $(or $(VA_CACHE_DIR),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/virtual-assistant)
UV_VERSION := $(shell sed -n 's/^uv==\([0-9.]*\).*/\1/p' uv-requirements.txt)
UV := $(or $(shell command -v uv),$(CACHE)/tools/uv-$(UV_VERSION)/bin/uv)
RUN := $(UV) run --locked --quiet
CLUSTER_RUN := $(RUN) va-cluster

# An image's tag tells its content, so that a change of one part restarts only what it is in.
VERSION := 0.1.0
content = $(shell find $(1) -type f -not -path '*/__pycache__/*' | LC_ALL=C sort | xargs cat | sha256sum | cut -c1-8)
ASSISTANT_TAG := $(VERSION)-$(call content,assistant Dockerfile.assistant pyproject.toml uv.lock uv-requirements.txt)
export OPERATOR_IMAGE := virtual-assistant/operator:$(VERSION)-$(call content,operator Dockerfile.operator pyproject.toml uv.lock uv-requirements.txt)
export ASSISTANT_IMAGE := virtual-assistant/assistant:$(ASSISTANT_TAG)
export MODEL_IMAGE := virtual-assistant/model:$(ASSISTANT_TAG)

.DEFAULT_GOAL := help
.PHONY: help demo test test-faults test-alerts bench-operator bench-answers bench-assistant down cluster images install uninstall kubeconfig lint format tools

help: ## list these commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: install ## from nothing to a first answer: cluster, images, operator, sample, question
	@RUN="$(RUN)" deploy/demo

test: cluster images lint ## run all checks but test-faults and test-alerts
	@$(RUN) --group browser pytest tests/unit tests/clients tests/browser tests/contract tests/integration tests/e2e $(PYTEST_ARGS)

test-faults: cluster images ## do the operator every harm that is foreseen, and see what comes of it
	@$(RUN) pytest tests/faults $(PYTEST_ARGS)

test-alerts: tools ## run the alert rules in Prometheus' own evaluator, which is built once
	@$(RUN) pytest tests/alerts $(PYTEST_ARGS)

bench-operator: tools ## measure the operator in a cluster of its own, against a bare client
	@$(RUN) python -m benchmarks.operator $(BENCH_ARGS)
	@$(UV) run --locked --quiet --group bench python -m benchmarks.operator.plots

bench-answers: tools ## measure how true the answers are, and how quick, beside the original's way
	@$(RUN) python -m benchmarks.answers $(BENCH_ARGS)

bench-assistant: tools ## measure the assistant, beside LiteLLM's proxy and the plain way
	@UV=$(UV) $(RUN) python -m benchmarks.assistant $(BENCH_ARGS)

down: tools ## remove the cluster that `make` made, with all that runs in it
	@$(CLUSTER_RUN) down --all

install: cluster images ## put the operator and its API into the cluster; WATCH=ns1,ns2 confines it to these
	@RUN="$(RUN)" deploy/install

uninstall: tools ## take the operator and its API out of the cluster, and with it all assistants
	@$(CLUSTER_RUN) kubectl -- delete rolebindings --all-namespaces -l app.kubernetes.io/component=watched-namespace
	@$(CLUSTER_RUN) kubectl -- delete --ignore-not-found -k deploy/kustomize

images: cluster ## build the three images and bring them into the cluster
	@$(CLUSTER_RUN) build $(OPERATOR_IMAGE) --file Dockerfile.operator
	@$(CLUSTER_RUN) build $(ASSISTANT_IMAGE) --file Dockerfile.assistant --target assistant
	@$(CLUSTER_RUN) build $(MODEL_IMAGE) --file Dockerfile.assistant --target model
	@$(CLUSTER_RUN) load $(OPERATOR_IMAGE) $(ASSISTANT_IMAGE) $(MODEL_IMAGE)

cluster: tools
ifeq ($(CLUSTER),kind)
	@$(CLUSTER_RUN) up
endif

kubeconfig: tools ## print the path of the cluster's kubeconfig
	@$(CLUSTER_RUN) kubeconfig

lint: tools ## check style, types and the rules of the house
	@$(RUN) ruff check
	@$(RUN) ruff format --check
	@$(RUN) mypy
	@$(RUN) lint-imports --no-logo

format: tools ## put the code into its one style
	@$(RUN) ruff check --fix
	@$(RUN) ruff format

tools: $(UV) ## make va and va-assistant, in .venv/bin; no cluster is made
	@$(UV) sync --locked --quiet

$(CACHE)/tools/uv-$(UV_VERSION)/bin/uv:
	python3 -m venv $(CACHE)/tools/uv-$(UV_VERSION)
	$(CACHE)/tools/uv-$(UV_VERSION)/bin/pip install --quiet --only-binary :all: \
		--require-hashes --requirement uv-requirements.txt
