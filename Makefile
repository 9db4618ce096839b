# Everything that a person or a machine does with this project, each one word.
# Set-up comes by itself; nothing here needs root, Docker, or a server that is already running.

PORT ?= 8000
BIN := .venv/bin
SETUP := sh scripts/setup.sh
# More than a small machine has cores: a test that waits for a camera or a process needs none.
WORKERS ?= 3
TESTS := $(BIN)/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder --max-worker-restart 2

export PYTHON
# Tests start many processes: each would compile the code anew where keeping it is switched off.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run up setup setup-dev test quick story pictures chaos-room chaos-live chaos-orders chaos-pipeline bench-room bench-live bench-orders bench-highlights bench-captions bench-pipeline bench-pages lint format types imports migrations translations messages check lock audit third-party ci clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## the demo, on http://localhost:8000 (PORT=)
	@PORT=$(PORT) exec $(BIN)/livecommerce demo

up: setup ## a real instance, on http://localhost:8000 (PORT=)
	@PORT=$(PORT) exec $(BIN)/livecommerce up

setup:
	@$(SETUP) run

setup-dev:
	@$(SETUP) dev

test: setup-dev ## every test: real database, ffmpeg and browser (minutes)
	$(TESTS) $(ARGS)

quick: setup-dev ## the tests that need no browser, ffmpeg or process of their own (seconds)
	$(TESTS) -m "not browser and not ffmpeg and not process" $(ARGS)

story: setup-dev ## the main job in a real browser, in English and in Chinese; screenshots in build/shots/
	SHOTS=1 $(BIN)/pytest tests/story -v $(ARGS)

pictures: setup-dev ## the pictures of the docs, made anew from the running product (3 minutes)
	$(BIN)/python scripts/pictures.py $(ARGS)

chaos-room: setup-dev ## 2,000 viewers while server, Redis and network fail (12 minutes); build/chaos/room.json
	$(BIN)/python -m tests.chaos.room $(ARGS)

chaos-live: setup-dev ## a show whose line, encoder and server fail, and its replay's pictures (2 minutes)
	$(BIN)/python -m tests.chaos.live $(ARGS)

chaos-orders: setup-dev ## 10,000 attempts on 100 boxes, on both databases, while processes are killed (20 minutes)
	$(BIN)/python -m tests.chaos.orders $(ARGS)

chaos-pipeline: setup-dev ## lessons are cut while workers, ffmpeg, storage and database fail (10 minutes)
	$(BIN)/python -m tests.chaos.pipeline $(ARGS)

bench-room: ## the room against its peers, each on one core (20 minutes; ARGS=--quick)
	@$(SETUP) bench
	$(BIN)/python -m bench.room $(ARGS)

bench-live: setup-dev ## how late the live picture is, and what it costs (6 minutes; ARGS=--quick)
	$(BIN)/python -m bench.live $(ARGS)

bench-orders: ## acknowledged orders a second against bare SQL and pretix (20 minutes; ARGS=--quick)
	@$(SETUP) bench-orders
	$(BIN)/python -m bench.orders $(ARGS)

bench-highlights: setup-dev ## how well the minutes that sold are found, on 200 generated shows (3 minutes)
	$(BIN)/python -m bench.highlights $(ARGS)

bench-pages: setup-dev ## the pages on a slow phone, by Lighthouse and by axe (25 minutes; ARGS=--quick)
	$(BIN)/python -m bench.pages $(ARGS)

bench-captions: setup-dev ## how many words come out wrong when generated speech is written down (2 minutes)
	$(BIN)/python -m bench.captions $(ARGS)

bench-pipeline: ## what renditions cost and are worth beside other recipes (2 hours; ARGS=--half-hour or --quick)
	@$(SETUP) bench
	$(BIN)/python -m bench.pipeline $(ARGS)

lint: setup-dev ## style, and whether the code is formatted
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup-dev ## rewrite the code in the one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup-dev ## strict types
	$(BIN)/mypy livecommerce courses streams orders media_pipeline sellers core scripts bench

imports: setup-dev ## imports point down only
	$(BIN)/lint-imports

migrations: setup-dev ## the models and their migrations agree
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && \
	LIVECOMMERCE_DATA="$$data" $(BIN)/python manage.py makemigrations --check --dry-run

translations: setup-dev ## every text in the code has a translation
	$(BIN)/python scripts/translations.py check

check: lint types imports migrations translations ## all of the above that are not tests

messages: setup-dev ## collect new texts for translation
	$(BIN)/python scripts/translations.py update

# The lock names versions and hashes, never where they came from.
LOCK := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url
lock: setup-dev ## lock the newest versions that pyproject.toml allows
	$(BIN)/$(LOCK) --upgrade pyproject.toml --group build -o requirements/run.txt > /dev/null
	$(BIN)/$(LOCK) --upgrade -c requirements/run.txt pyproject.toml --group build --group dev -o requirements/dev.txt > /dev/null
	$(BIN)/$(LOCK) --upgrade -c requirements/dev.txt --group captions -o requirements/captions.txt > /dev/null
	$(BIN)/$(LOCK) --upgrade -c requirements/captions.txt --group speech -o requirements/speech.txt > /dev/null
	$(BIN)/$(LOCK) --upgrade -c requirements/dev.txt --group bench -o requirements/bench.txt > /dev/null
	$(BIN)/$(LOCK) --upgrade --group pretix -o requirements/pretix.txt > /dev/null
	$(BIN)/$(LOCK) --upgrade --group node -o requirements/node.txt > /dev/null

third-party: setup-dev ## rewrite docs/third-party.md from what is installed
	$(BIN)/python scripts/third_party.py

audit: setup-dev ## known faults in what we stand on (needs a network)
	$(BIN)/pip-audit --require-hashes --disable-pip -r requirements/run.txt

ci: ## what CI does
	bash .ci/run

clean: ## take away what set-up and tests made; your data in var/ stays
	rm -rf .venv node_modules build dist *.egg-info livecommerce/static/vendor
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
