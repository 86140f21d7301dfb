set positional-arguments

export PATH := justfile_directory() / ".venv/bin" + ":" + env("PATH")

# Show the recipes
[private]
default:
    @just --list --unsorted

# Make the environment in .venv from the hashed lock, if it is not there yet
setup:
    @python3 dev.py setup

# Start medhub with its demo until Ctrl-C (arguments go to `medhub up`)
up *arguments:
    @exec python3 dev.py up "$@"

# Tell the story against the running platform, starting one if none runs
demo *arguments: setup
    @exec medhub demo "$@"

# Run all tests (arguments go to pytest)
test *arguments: setup
    @exec pytest -n 2 "$@"

# Run every check: format, lint, types, import rules, contract, all tests
check: lint contract test

# Check format, lint, types and who imports whom
lint: setup
    ruff format --check .
    ruff check .
    mypy --num-workers 2 .
    lint-imports

# Check the contract: its format, its rules, and that gen/ is what it generates
contract: setup
    buf format --diff --exit-code protos
    python protos/generate.py --check
    buf lint gen/medhub/contract.binpb --path medhub

# Generate gen/ from protos/
gen: setup
    python protos/generate.py

# Run the benchmarks, side by side, and write benchmarks/RESULTS.md
bench *arguments: setup
    @exec python -m benchmarks "$@"

# Search long and afresh, in campaigns and properties (`just test` tries the same each time, at most 60 s)
campaign *arguments: setup
    @MEDHUB_CAMPAIGN=whole exec pytest -m "campaign or hypothesis" --timeout 0 "$@"

# Format the code and the contract
fmt: setup
    ruff check --fix --select I .
    ruff format .
    buf format --write protos

# Remake both locks from pyproject.toml (needs uv on PATH)
lock:
    uv pip compile --quiet --group dev pyproject.toml --generate-hashes --no-emit-index-url --universal \
        --python-version 3.11 --no-annotate --no-header --output-file requirements.lock
    uv pip compile --quiet --group bench --generate-hashes --no-emit-index-url --universal \
        --python-version 3.11 --no-annotate --no-header --output-file benchmarks/requirements.lock
