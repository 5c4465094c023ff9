# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Which Debian packages the project needs and for what, by their names in each release: the one place for it.
# Installs what is missing. Sourced by tools/lib.sh.
# shellcheck disable=SC2034,SC2154  # the lists are used there, root comes from there

# The releases with tested names: Debian 12 and 13. Empty elsewhere, as in a container of another distribution, where
# names and versions are others.
debian_release() {
    command -v dpkg-query >/dev/null && grep -qx 'ID=debian' /etc/os-release 2>/dev/null || return 0
    sed -nE 's/^VERSION_ID="(12|13)"$/\1/p' /etc/os-release
}

# Boost 1.81 or later. Debian 12's default is 1.74 and has the later one beside it.
case $(debian_release) in
13) boost_packages=(libboost-dev libboost-program-options-dev) ;;
*) boost_packages=(libboost1.81-dev libboost-program-options1.81-dev) ;;
esac

# ./run: the compiler, the build tools (make: gcc links in parallel with it) and the libraries of CMakeLists.txt.
build_packages=(
    g++ cmake make ninja-build pkg-config
    libsystemc-dev "${boost_packages[@]}" librandom123-dev
    libtomlplusplus-dev libfdt-dev nlohmann-json3-dev
)
# ./test, on top of these. clang: the second compiler of tools/check-determinism; gtkwave: vcd2fst, which
# reads our waveforms back; device-tree-compiler: dtc, which does that with device trees.
test_packages=(
    libgtest-dev libgmock-dev git
    clang clang-format clang-tidy shellcheck
    device-tree-compiler gtkwave
)
# Benchmarks by instruction counts: nothing here runs them, `tools/install bench` installs this.
bench_packages=(valgrind)

# tools/build-linux: the kernel's source (Debian 12 only) and what its own build needs.
linux_packages=(linux-source-6.1 make gcc libc6-dev flex bison bc libelf-dev libssl-dev xz-utils)

missing_packages() {
    local installed package
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    for package in "$@"; do
        grep -qFx "$package installed" <<<"$installed" || printf '%s\n' "$package"
    done
}

apt_failed() {  # WHAT LOG
    tail -n 15 "$2" >&2
    die "$1 failed. Is there a network, and does /etc/apt name a mirror of Debian $(debian_release)? All of it: $2"
}

# Leaves apt alone when nothing is missing: after the first time everything works offline.
# Elsewhere than on Debian 12 and 13 the configuration step finds out what is missing.
need_packages() {  # PACKAGE...
    local missing log=$root/build/apt.log
    [ "${SCMI_VP_INSTALL:-yes}" != no ] && [ -n "$(debian_release)" ] || return 0
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || die "these Debian packages are missing and only root can install them. Run

    sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}

and then this again (or set SCMI_VP_INSTALL=no if you have all this from elsewhere)."
    say "installing, this once: ${missing[*]}"
    mkdir -p "$root/build"
    apt-get update -q -o APT::Update::Error-Mode=any </dev/null >"$log" 2>&1 ||
        apt_failed "apt-get update" "$log"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "${missing[@]}" </dev/null >>"$log" 2>&1 ||
        apt_failed "apt-get install" "$log"
    hash -r
}
