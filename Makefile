# Everything for a newcomer: `make leaderboard` runs the main job, `make test` the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= 2
# Numba's cache does not notice an edited helper in another file, so tests start from an empty one.
export NUMBA_CACHE_DIR := $(CURDIR)/.cache/numba
export OMP_NUM_THREADS := 1

.PHONY: install leaderboard board test verify reproduce benchmark docs lint clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[cluster,docs,experiments,minari,onnx,opt,train,render,test]'
	touch $@

leaderboard: install
	$(BIN)/python -m experiments.leaderboard

# The published leaderboard: benchmarks/leaderboard, and its results trace by trace within the package.
board: install
	$(BIN)/python -m experiments.leaderboard --config-name board
	$(BIN)/python -m experiments.publish

test: install
	rm -rf .cache/numba
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m 'not verify' tests

# The long proofs; their report is written to results/verify.
verify: install
	$(BIN)/python -m pytest -n $(JOBS) -m verify --junit-xml=results/verify/pytest.xml tests
	$(BIN)/python -m experiments.reproduce study=eran
	$(BIN)/python -m experiments.reproduce study=open_up
	$(BIN)/python -m experiments.reproduce study=wpi

# Writes benchmarks/results; leave the machine alone meanwhile.
benchmark: export NUMBA_CACHE_DIR := $(CURDIR)/.cache/numba-benchmark
benchmark: install
	$(BIN)/python -m pip install --quiet --editable '.[benchmark]'
	rm -rf .cache/numba-benchmark
	$(BIN)/python -m benchmarks.throughput
	$(BIN)/python -m benchmarks.matching
	$(BIN)/python -m benchmarks.scaling

# Writes results/docs; open index.html there, no network is needed.
docs: install
	rm -rf results/docs
	$(BIN)/python -m sphinx -W --keep-going -n -E -q -d .cache/docs -c experiments/docs experiments/docs/pages results/docs

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) .cache results outputs multirun
