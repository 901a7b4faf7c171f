# ET-BGM: `make help` lists the targets.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
export PYTHON

BIN := .venv/bin
UNITS := ./protos ./services/kit ./services/stt ./services/sentiment ./services/riffusion ./services/mixer ./gateway ./client
PROTOS := $(shell find protos -name '*.proto')
SAMPLE := build/demo/input.mp4
VIDEO ?= $(SAMPLE)
# The speech model of the standard installation is kept with other models, outside this folder. The record is
# written last, so a model that has one is complete.
MODELS_DIR := $(or $(ETBGM_MODELS_DIR),$(or $(XDG_DATA_HOME),$(HOME)/.local/share)/etbgm/models)
PULL_MODELS := test -f "$(MODELS_DIR)/whisper-base/etbgm-model.json" || $(BIN)/etbgm models pull whisper-base
# A folder of real media; tests that need it are skipped without it.
export ETBGM_TEST_DATA

.DEFAULT_GOAL := help
.PHONY: help demo test drill test-browser test-embedded test-unit bench bench-ears bench-gateway bench-music bench-page bench-picture bench-riffusion gallery images images-check lint protos clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

demo: .venv/.run $(filter $(SAMPLE),$(VIDEO)) ## add music to a sample video (or VIDEO=path); writes to build/demo
	@deploy/system-packages run
	@$(PULL_MODELS)
	$(BIN)/etbgm run "$(VIDEO)" -o build/demo/output$(or $(filter .mp4 .mov .webm .mkv,$(suffix $(VIDEO))),.mkv)

$(SAMPLE): | .venv/.run
	@deploy/system-packages run
	$(BIN)/python tests/pipeline/demo_video.py $@

# Test files run in parallel, in the order of tests/categories.py, each engine with one thread. The processes
# that tests start find bytecode, so that they do not compile the sources again. A worker that crashes fails its
# test and is not replaced: pytest-xdist's new worker would wait for ever.
JOBS := 2
TESTING := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest --durations=20 --timeout=900
PYTEST = $(TESTING) -n $(JOBS) --dist loadfile --no-loadscope-reorder --max-worker-restart=0

test: .venv/.full ## run all tests but drills; installs torch (JOBS=3)
	@deploy/system-packages test
	@$(PULL_MODELS)
	$(PYTEST) -m 'not drill'

# One worker more than two cores: tests also wait for processes.
test: JOBS := 3

drill: .venv/.dev ## run whole jobs on real videos, and kill, scale and restore installations
	@deploy/system-packages test
	@$(PULL_MODELS)
	$(PYTEST) -m drill

test-browser: .venv/.dev ## run the tests of the web page in Chromium; keeps pictures in build/screens
	@deploy/system-packages browser
	@$(PULL_MODELS)
	$(TESTING) tests/browser

test-unit: .venv/.dev ## run the tests that start no process
	$(TESTING) -m unit

test-embedded: .venv/.dev ## run all tests but drills that do not need torch
	@deploy/system-packages test
	@$(PULL_MODELS)
	$(PYTEST) -m 'not drill' --ignore-glob='*/full'

bench: .venv/.dev ## measure time and memory of a job relative to the video's duration
	@$(PULL_MODELS)
	$(BIN)/python -m tests.pipeline.bench

bench-music: .venv/.dev ## measure the composer: properties of its music, and cost
	@deploy/system-packages run
	OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BIN)/python -m tests.riffusion.bench

gallery: .venv/.dev ## write a page with sound and piano roll of 7 emotions in 8 styles to build/gallery
	@deploy/system-packages run
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.riffusion.bench.gallery build/gallery

bench-picture: .venv/.dev ## measure how cuts are found, and how the music meets them (ETBGM_TEST_DATA for real videos)
	@deploy/system-packages run
	$(BIN)/pip install -q -c constraints.txt scenedetect-headless
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.mixer.picture.bench
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.mixer.picture.bench --large
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.riffusion.bench.hits

bench-ears: .venv/.dev ## measure separation, recognition and classification against known truth (ETBGM_TEST_DATA)
	@$(PULL_MODELS)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.ears

bench-gateway: .venv/.dev ## measure the gateway under load, kills and attacks, over simulated engines (QUICK=--quick)
	@deploy/system-packages test
	$(BIN)/python -m tests.gateway.bench $(QUICK)

bench-page: .venv/.dev ## measure the web page: first paint, layout shift, frames of a two-hour timeline
	@deploy/system-packages browser
	$(BIN)/python -m tests.browser.bench

bench-riffusion: .venv/.full ## compare diffusion with diffusers, and decoding with riffusion's (SHAPE=sd15: CUDA)
	$(BIN)/python -m tests.riffusion.full.bench_diffusion --shape $(or $(SHAPE),coarse) --precision $(or $(PRECISION),auto) $(if $(COMPILE),--compile)
	$(BIN)/python -m tests.riffusion.full.bench_spectrogram --quick

images: ## build the container images (BUILDER=docker, VARIANT=gpu, TAG)
	@deploy/images

images-check: .venv/.dev $(SAMPLE) ## run a job on the built images, hardened as on Kubernetes (RUNNER=podman, VARIANT=gpu)
	$(BIN)/python -m tests.deploy.check_images $(SAMPLE)

lint: .venv/.dev ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

protos: .venv/.run ## regenerate the gRPC stubs
	@touch protos/pyproject.toml
	@$(MAKE) --no-print-directory .venv/.run

clean: ## remove everything that was built, installed or generated
	rm -rf .venv build
	find protos \( -name '*_pb2*' -o -name descriptors.bin \) -delete

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "ET-BGM needs Python 3.11 or newer" >&2; exit 1; }
	@deploy/system-packages run
	$(PYTHON) -m venv .venv

STUBS := .venv/.stubs
$(STUBS): .venv/bin/python $(PROTOS) protos/generate.py protos/pyproject.toml constraints.txt
	$(BIN)/pip install -q -c constraints.txt grpcio-tools mypy-protobuf googleapis-common-protos setuptools
	$(BIN)/python protos/generate.py
	@touch $@

.venv/.run: $(STUBS) constraints.txt $(UNITS:%=%/pyproject.toml)
	$(BIN)/pip install -q -c constraints.txt --no-build-isolation $(patsubst %/sentiment,%/sentiment[cpu],$(patsubst ./client,./client[cli],$(UNITS:%=-e %)))
	@touch $@

.venv/.dev: .venv/.run tests/requirements.txt
	$(BIN)/pip install -q -c constraints.txt -r tests/requirements.txt
	$(BIN)/pip install -q -c constraints.txt --no-deps tinysoundfont  # its dependency needs a compiler
	@touch $@

# The full engines, on the CPU or the GPU: gigabytes.
FULL := services/stt[convert] services/sentiment[train] services/riffusion[training] services/mixer[demucs]
.venv/.full: .venv/.dev $(UNITS:%=%/pyproject.toml)
	$(BIN)/pip install -q -c constraints.txt torch
	$(BIN)/pip install -q -c constraints.txt --no-build-isolation $(FULL:%=-e ./%)
	@touch $@
