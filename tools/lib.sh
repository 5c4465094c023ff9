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

# A compiler's outputs are judged by times. A fresh checkout beside a restored build (CI) has the same files with new
# times, so after a build the sources' contents and times are written down, and before the next one every file that is
# still the same gets its time back. That is sound only while the objects are of these sources: what was written down is
# thrown away before a build of others, so that one that fails leaves nothing, and does not count when somebody else has
# built there since (ninja's log has changed).
sources_now() {  # a line per file that a build may read: SHA-256, modification time, name
    local names
    names=$(source_files '*.cpp' '*.h' '*.cc' '*.cmake' '*CMakeLists.txt' CMakePresets.json)
    paste -d ' ' <(cd "$root" && xargs -d '\n' sha256sum -- <<<"$names" | cut -c 1-64) \
        <(cd "$root" && xargs -d '\n' stat -c %.9Y -- <<<"$names") <(printf '%s\n' "$names")
}

ninja_state() {  # FOLDER: changes whenever something is built there
    cksum 2>/dev/null <"$1/.ninja_log" || echo none
}

recall_sources() {  # FOLDER
    local dir=$1 hash time name same=yes seen=0 count=0
    declare -A was=()
    [ -d "$dir" ] || return 0
    sources_now >"$dir/.sources.new"
    [ -e "$dir/.sources" ] || return 0
    if [ "$(head -n 1 "$dir/.sources")" != "$(ninja_state "$dir")" ]; then
        rm -f "$dir/.sources"
        return 0
    fi
    while read -r hash time name; do
        was[$name]="$hash $time" count=$((count + 1))
    done < <(tail -n +2 "$dir/.sources")
    while read -r hash time name; do
        seen=$((seen + 1))
        local then=${was[$name]-}
        if [ "${then%% *}" != "$hash" ]; then
            same=no
            [ "$root/$name" -nt "$dir/.ninja_log" ] || touch "$root/$name"  # another file with an old time
        elif [ "${then##* }" != "$time" ]; then
            # To the whole second: a cache may have cut the objects' times to that.
            then=${then##* }
            touch -d "@${then%.*}" "$root/$name"
        fi
    done <"$dir/.sources.new"
    # With the times that the files have now.
    sources_now >"$dir/.sources.new"
    [ $same$seen = "yes$count" ] || rm -f "$dir/.sources"
}

remember_sources() {  # FOLDER: what recall_sources saw has been built
    [ -e "$1/.sources.new" ] || return 0
    { ninja_state "$1" && cat "$1/.sources.new"; } >"$1/.sources.part"
    mv "$1/.sources.part" "$1/.sources"
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
    [ "$(debian_release)" = 12 ] || set -- "$@" -DSCMI_VP_WERROR=OFF
    local home
    home=$(cached "$dir" CMAKE_HOME_DIRECTORY) || true
    if [ "$home" != "$root" ]; then
        [ -z "$home" ] || say "build/$preset was made in $home, not here, and has its paths: building anew"
        rm -rf "$dir"
    fi
    recall_sources "$dir"
    ! configured "$dir" "$@" || return 0
    command -v cmake >/dev/null || die "cmake is missing. $(package_hint)"
    mkdir -p "$dir"
    if ! (cd "$root" && cmake --preset "$preset" "$@") </dev/null >"$log" 2>&1; then
        complaint "$log"
        die "cannot configure the build (all of it: $log). $(package_hint)"
    fi
    touch "$dir/.configured"
    sources_now >"$dir/.sources.new"
}

package_hint() {
    if [ -n "$(debian_release)" ]; then
        echo "If a package was removed, run ./run again as root, without SCMI_VP_INSTALL=no."
    else
        echo "This is not Debian 12 or 13, so nothing was installed. Needed, by their names in Debian 12: ${build_packages[*]}"
    fi
}

# Reads ninja's output and says something only when the build takes long: after FIRST seconds, then every EVERY, how far
# it is and for how long it has been at it, also while no step ends (a large file takes a minute).
show_progress() {  # WHAT [FIRST EVERY]
    local what=$1 next=${2:-3} every=${3:-20} newline='\n' part line='' step='no step ended yet' status seen=no
    if [ -t 2 ] && [ -z "${CI:-}" ]; then every=1 newline='\033[K\r'; fi
    SECONDS=0
    while :; do
        status=0
        IFS= read -r -t 1 part || status=$?
        line+=$part  # a read that times out has the beginning of a line
        if [ $status = 0 ]; then
            [[ ! $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || step="step ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}"
            line=''
        elif [ $status -le 128 ]; then
            break
        fi
        [ $SECONDS -ge "$next" ] || continue
        [ $seen = yes ] || say "building $what; this takes a few minutes the first time"
        seen=yes next=$((SECONDS + every))
        # shellcheck disable=SC2059  # the newline is part of the format
        printf "%s: %s after %d s$newline" "$me" "$step" $SECONDS >&2
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
    remember_sources "$root/build/$preset"
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
