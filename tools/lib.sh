# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What ./run, ./test and the scripts beside this one share: messages, the list of sources, the build.
# Everything here talks on stderr: stdout belongs to the program.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
me=${0##*/}
export LC_ALL=C.UTF-8
# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"

say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() {
    say "$*"
    exit 1
}

# Tracked and new files whose names match, relative to the root, one a line. Also in an unpacked archive.
source_files() {  # GLOB...
    local glob find_names=()
    if [ -e "$root/.git" ] && git -C "$root" ls-files -co --exclude-standard -- "$@" 2>/dev/null |
        while IFS= read -r name; do [ ! -e "$root/$name" ] || printf '%s\n' "$name"; done | sort; then
        return
    fi
    for glob in "$@"; do find_names+=(-o -path "./$glob"); done
    (cd "$root" && find . \( -path ./build -o -path ./out -o -path ./.git \) -prune -o \
        -type f \( "${find_names[@]:1}" \) -print | sed 's|^\./||' | sort)
}

cached() {  # FOLDER NAME: a value of CMake's cache
    sed -n "s|^$2:[A-Z]*=||p" "$1/CMakeCache.txt" 2>/dev/null
}

configured() {  # FOLDER -DNAME=VALUE...: is it configured, here and with these values?
    local dir=$1 option
    shift
    [ -e "$dir/.configured" ] && [ ! "$root/CMakePresets.json" -nt "$dir/.configured" ] || return 1
    for option in "$@"; do
        option=${option#-D}
        [ "$(cached "$dir" "${option%%=*}")" = "${option#*=}" ] || return 1
    done
}

# What CMake, else the compiler, else whoever wrote it complains about.
complaint() {  # LOG
    { sed -n '/^CMake Error/,/^$/p' "$1" | grep . || sed -n '/^FAILED:/,$p' "$1" | grep . || tail -n 30 "$1"; } |
        head -n 60 >&2 || true
}

# CMake configures itself again when its own files change; this is for the first time and for changed options.
configure() {  # PRESET -DNAME=VALUE...
    local preset=$1 dir=$root/build/$1 log=$root/build/$1-configure.log
    shift
    # Warnings are errors with Debian 12's compilers only: others warn about other things.
    is_debian_12 || set -- "$@" -DSCMI_VP_WERROR=OFF
    [ "$(cached "$dir" CMAKE_HOME_DIRECTORY)" = "$root" ] || rm -rf "$dir"  # the checkout was moved
    ! configured "$dir" "$@" || return 0
    command -v cmake >/dev/null || die "cmake is missing. $(package_hint)"
    mkdir -p "$dir"
    if ! (cd "$root" && cmake --preset "$preset" "$@") </dev/null >"$log" 2>&1; then
        complaint "$log"
        die "cannot configure the build (all of it: $log). $(package_hint)"
    fi
    touch "$dir/.configured"
}

package_hint() {
    if is_debian_12; then
        echo "If a package was removed, run ./run again as root, without SCMI_VP_INSTALL=no."
    else
        echo "This is not Debian 12, so nothing was installed. Needed, by their names there: ${build_packages[*]}"
    fi
}

# Reads ninja's output and says something only when the build takes long.
show_progress() {  # WHAT
    local what=$1 line='' status=0 next=3 every=20 newline='\n' seen=no
    if [ -t 2 ] && [ -z "${CI:-}" ]; then every=1 newline='\r'; fi
    SECONDS=0
    while IFS= read -r -t 1 line || { status=$?; [ $status -gt 128 ]; }; do
        [ $SECONDS -ge $next ] || continue
        [ $seen = yes ] || say "building $what; this takes a few minutes the first time"
        seen=yes next=$((SECONDS + every))
        [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
        # shellcheck disable=SC2059  # the newline is part of the format
        printf "%s: step %d of %d$newline" "$me" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" >&2
    done
    [ $seen = no ] || [ "$newline" = '\n' ] || echo >&2
}

build() {  # PRESET TARGET...: quiet; on failure the compiler's first complaint
    local preset=$1 log=$root/build/$1.log
    shift
    if ! NINJA_STATUS='[%f/%t] ' cmake --build "$root/build/$preset" --parallel "$(nproc)" --target "$@" \
        </dev/null 2>&1 | tee "$log" | show_progress "$* ($preset)"; then
        complaint "$log"
        die "the build failed (all of it: $log)"
    fi
}

# gcc 12 and later; another compiler builds the same program, which takes longer.
can_profile() {
    local version
    [[ $("${CXX:-c++}" --version 2>/dev/null) = *'Free Software Foundation'* ]] || return 1
    version=$("${CXX:-c++}" -dumpversion)
    [ "${version%%.*}" -ge 12 ]
}

# A profile is taken again for each commit that changes what it is about: code that is being edited is
# compiled as if it had none.
profile_key() {
    local counted=(base scmi virtio traces tlm models bench/training bench/workloads.h cmake)
    "${CXX:-c++}" --version | head -n 1
    git -C "$root" rev-parse "${counted[@]/#/HEAD:}" 2>/dev/null ||
        (cd "$root" && find "${counted[@]}" -type f -print0 | sort -z | xargs -0 cat | cksum)
}

# Optimised by a profile of everyday simulations (cmake/ScmiVpProfile.cmake): 10 to 30 % less time.
build_profiled() {  # TARGET...
    local profile=$root/build/profile key workload
    key=$(profile_key)
    if [ "$(cat "$profile/key" 2>/dev/null)" != "$key" ]; then
        say "a profile of everyday simulations is taken first: one build for it, one by it"
        configure training
        build training training
        configure profiled
        cmake --build "$root/build/profiled" --target clean >/dev/null
        rm -rf "$profile"
        for workload in $("$root/build/training/training" --list); do
            "$root/build/training/training" "$workload" || die "no profile can be taken"
        done
        printf '%s\n' "$key" >"$profile/key"
    fi
    configure profiled
    build profiled "$@"
}

# Two commands at once (a study's jobs, an editor) must not build in the same folder.
lock_build() {
    mkdir -p "$root/build"
    exec 9>"$root/build/.lock"
    ! command -v flock >/dev/null || flock -n 9 || { say "waiting for another build here" && flock 9; }
}
unlock_build() { exec 9>&-; }
