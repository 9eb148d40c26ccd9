# SPDX-License-Identifier: Apache-2.0
# The front door. CMake builds, scripts/ does the rest.
BUILD ?= build
BUILD_TYPE ?= RelWithDebInfo
JOBS ?= $(shell nproc)
PREFIX ?= /usr
CMAKE = cmake -S . -G Ninja
export JOBS

.PHONY: all deps build demo test test-unit test-bpf test-netns test-vm check format asan fuzz bench bench-vm install deb image-deps image-vm image-rpi image-bundle test-image clean

all: build

deps:
	@scripts/install-deps

build: deps
	@[ -f $(BUILD)/build.ninja ] || $(CMAKE) -B $(BUILD) -DCMAKE_BUILD_TYPE=$(BUILD_TYPE) -DCMAKE_INSTALL_PREFIX=$(PREFIX)
	@ninja -C $(BUILD) -j $(JOBS)

# The main job, for real, in network namespaces. KEEP=1 leaves it running.
demo: build
	@KEEP=$(KEEP) tests/demo/demo.sh $(BUILD)/bin

# Everything: unit, bpf, netns; then the netns suite on Debian's kernels in QEMU, and the package's life under systemd.
test: build
	@scripts/run-tests $(BUILD) unit bpf netns vm

test-unit test-bpf test-netns test-vm: test-%: build
	@scripts/run-tests $(BUILD) $*

# STEPS="format layers" runs only those.
check: build
	@scripts/check $(BUILD) $(STEPS)

format: deps
	@git ls-files '*.cc' '*.h' '*.c' | xargs clang-format-19 -i

# AddressSanitizer and UndefinedBehaviorSanitizer over the unit and netns tiers.
asan: deps
	@$(CMAKE) -B $(BUILD)-asan -DCMAKE_BUILD_TYPE=Debug -DGW_SANITIZE=ON >/dev/null
	@ninja -C $(BUILD)-asan -j $(JOBS)
	@scripts/run-tests $(BUILD)-asan unit netns

# FUZZ_SECONDS of every fuzz target.
fuzz: deps
	@scripts/run-fuzz $(BUILD)-fuzz $(or $(FUZZ_SECONDS),60)

# ONLY=name runs one benchmark; the figures go to build/bench.json as well.
bench: build
	@tests/bench/run $(BUILD) $(ONLY)

# The same on a Debian kernel in QEMU: kernel WireGuard, flowtables. ARGS="1000 10000" goes to the benchmark.
bench-vm: build
	@tests/bench/vm $(BUILD) $(or $(ONLY),peers) $(ARGS)

install: build
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD)

# The Debian package: $(BUILD)/packages/gatewayd_VERSION_amd64.deb; ARCH=arm64 cross-builds $(BUILD)-arm64/packages/…_arm64.deb.
ifeq ($(ARCH),arm64)
deb:
	@image/scripts/build-arm64 $(BUILD)-arm64
else
deb: build
	@cd $(BUILD) && cpack -G DEB
endif

# Disk images and their update bundles, in $(BUILD)/images: docs/updates.md, docs/install-*.md.
image-deps:
	@scripts/install-deps build test run image

image-vm: image-deps deb
	@image/make/image vm $(BUILD) "$$(ls -t $(BUILD)/packages/gatewayd_*_amd64.deb | head -n 1)"

image-rpi: image-deps
	@$(MAKE) deb ARCH=arm64
	@image/make/image rpi $(BUILD) "$$(ls -t $(BUILD)-arm64/packages/gatewayd_*_arm64.deb | head -n 1)"

# PLATFORM=rpi for the other. GW_BUNDLE_CERT, GW_BUNDLE_KEY, GW_BUNDLE_KEYRING name a product's keys.
image-bundle:
	@image/make/bundle $(or $(PLATFORM),vm) $(BUILD)

# Boots the images that are built, in QEMU; half an hour. ONLY="client update" runs those parts (tests/vm/image/parts).
test-image: image-deps
	@tests/vm/image/run $(BUILD) $(ONLY)

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-fuzz $(BUILD)-arm64
