# shellcheck shell=bash
# Sourced by the scripts beside it: makes .venv in the repository and installs a lock file into it, once.
#
# Strategy: the environment is ready when it holds a stamp named after the lock file and that file's SHA-256, so a second
# start costs one checksum and no Python. The stamp is written last. While pip works, a marker says so: whoever finds the
# marker but no live installer (Ctrl-C, power cut) starts from an empty environment, because pip takes half-written
# packages for installed ones. A lock directory lets one start install while another waits. Works in bash 3.2 (macOS).
#
# Entry: `bootstrap requirements.lock`; afterwards `run_python …` runs the environment's Python with our modules on its path.

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv
installing=$venv/.patchbay-installing
turn=$venv/.patchbay-lock
# What the user exported for another Python must not reach ours.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_USER

say() { printf 'patchbay: %s\n' "$*" >&2; }

sha256() {
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum <"$1"
    elif command -v shasum >/dev/null 2>&1; then
        shasum -a 256 <"$1"
    else
        cksum <"$1" | tr ' ' -
    fi | cut -d ' ' -f 1
}

stamp_of() { printf '%s/.patchbay-%s-%s' "$venv" "$1" "$(sha256 "$root/$1")"; }

# Which lock files hold everything that this one holds, smallest first.
supersets_of() {
    case $1 in
    requirements.lock) echo requirements.lock requirements-local.lock requirements-dev.lock ;;
    requirements-local.lock) echo requirements-local.lock requirements-dev.lock ;;
    *) echo "$1" ;;
    esac
}

is_ready() {
    local name
    [ -x "$venv/bin/python" ] && [ ! -e "$installing" ] || return 1
    for name in $(supersets_of "$1"); do
        [ -f "$root/$name" ] && [ -e "$(stamp_of "$name")" ] && return 0
    done
    return 1
}

# ---------------------------------------------------------------------------------------------------- finding a Python

# What Patchbay needs of a Python, asked by running it: pyenv's shims exist for versions that are not active, Debian's
# python3 comes without ensurepip, and self-built ones often lack ssl or sqlite3.
probe='import sys
if sys.version_info < (3, 12) or sys.implementation.name != "cpython":
    sys.exit("is %s %d.%d" % (sys.implementation.name, sys.version_info[0], sys.version_info[1]))
import ensurepip, sqlite3, ssl, venv
print("patchbay", sys.version_info[0], sys.version_info[1])'
refused=""

python_works() {
    local answer
    case $1 in "$venv"/*) return 1 ;; esac # an activated .venv is what we are about to make
    if answer=$("$1" -I -c "$probe" 2>&1 </dev/null); then
        case $answer in "patchbay 3 "*) return 0 ;; esac
    fi
    refused="$refused
  $1: $(printf '%s\n' "$answer" | sed '/^$/d' | tail -n 1)"
    return 1
}

on_path() {
    local dir
    local IFS=:
    for dir in $PATH; do
        if [ -x "$dir/$1" ] && [ ! -d "$dir/$1" ]; then printf '%s\n' "$dir/$1"; fi
    done
}

python_candidates() {
    local name minor
    for name in python3.14 python3.13 python3.12 python3; do on_path "$name"; done
    for minor in 19 18 17 16 15 14 13 12; do # newest first
        ls -1 "${HOME:-/nonexistent}"/.pyenv/versions/*/bin/python3."$minor" 2>/dev/null || true
    done
}

uv_python() {
    command -v uv >/dev/null 2>&1 || return 1
    uv python find --system '>=3.12' 2>/dev/null && return 0
    say "uv brings Python 3.12 (about 30 MB) …"
    uv python install --quiet 3.12 >&2 && uv python find --system 3.12 2>/dev/null
}

find_python() {
    local candidate
    while IFS= read -r candidate; do
        if [ -n "$candidate" ] && python_works "$candidate"; then
            found=$candidate
            return 0
        fi
    done <<EOL
$(python_candidates)
EOL
    candidate=$(uv_python) && python_works "$candidate" && found=$candidate
}

no_python() {
    say "no usable Python 3.12 or newer was found. Install one of these, then start again:"
    cat >&2 <<'EOL'
  Debian, Ubuntu:  sudo apt install python3 python3-venv     (Debian 13, Ubuntu 24.04 or newer)
  macOS:           brew install python@3.13
  pyenv:           pyenv install 3.13
  uv, anywhere:    see https://docs.astral.sh/uv/ – with uv on PATH, Patchbay fetches a Python by itself
EOL
    if [ -n "$refused" ]; then printf 'Tried and refused:%s\n' "$refused" >&2; fi
    exit 2
}

# ------------------------------------------------------------------------------------------------------ one at a time

# The owner is alive if its process is; on another machine (a shared folder) age decides. An owner file that is missing
# belongs to a start that is between two lines of take_turn, or died there.
turn_is_stale() {
    local host pid
    if { read -r host pid <"$turn/owner"; } 2>/dev/null && [ -n "$pid" ]; then
        if [ "$host" = "$(uname -n)" ]; then
            ! kill -0 "$pid" 2>/dev/null
        else
            [ -n "$(find "$turn" -prune -mmin +30 2>/dev/null)" ]
        fi
    else
        [ -n "$(find "$turn" -prune -mmin +1 2>/dev/null)" ]
    fi
}

take_turn() {
    local told=""
    mkdir -p "$venv" || { say "cannot write in $root"; exit 2; }
    until mkdir "$turn" 2>/dev/null; do
        [ -w "$venv" ] || { say "cannot write in $venv"; exit 2; }
        if turn_is_stale; then
            # Renaming lets only one of several waiters clear it.
            if mv "$turn" "$turn.stale.$$" 2>/dev/null; then rm -rf "$turn.stale.$$"; fi
            continue
        fi
        if [ -z "$told" ]; then
            say "another start is installing; waiting for it (if there is none, remove $turn)"
            told=yes
        fi
        sleep 1
    done
    trap end_turn EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    printf '%s %s\n' "$(uname -n)" "$$" >"$turn/owner"
}

end_turn() {
    rm -rf "$turn"
    trap - EXIT INT TERM HUP
}

# --------------------------------------------------------------------------------------------------------- installing

empty_venv() { find "$venv" -mindepth 1 -maxdepth 1 ! -name "${turn##*/}" -exec rm -rf {} +; }

venv_works() {
    [ ! -e "$installing" ] && [ -x "$venv/bin/python" ] &&
        [ "$("$venv/bin/python" -I -c 'import sys, pip; print(sys.version_info >= (3, 12))' 2>/dev/null </dev/null)" = True ]
}

make_venv() {
    local found="" log
    find_python || no_python
    empty_venv
    : >"$installing"
    if ! log=$("$found" -I -m venv "$venv" 2>&1 </dev/null); then
        printf '%s\n' "$log" >&2
        say "$found could not make $venv"
        exit 2
    fi
}

install_lock() {
    local lock=$1 log=$venv/.patchbay-install.log begun=$SECONDS
    : >"$installing"
    rm -f "$venv"/.patchbay-requirements*
    say "installing $(grep -c '==' "$root/$lock") packages of $lock into .venv (once; about a minute) …"
    if ! "$venv/bin/python" -I -m pip install --disable-pip-version-check --no-input --no-deps --require-hashes \
        --requirement "$root/$lock" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        say "installing $lock failed (pip's own words are above). Mend that and start again: it begins anew."
        exit 2
    fi
    : >"$(stamp_of "$lock")"
    rm -f "$installing" "$log"
    say "installed in $((SECONDS - begun)) s"
}

# bootstrap LOCK: afterwards .venv holds what LOCK (a file name in the repository) asks for. Exits 2 with the reason if not.
bootstrap() {
    is_ready "$1" && return
    [ -f "$root/$1" ] || { say "$root/$1 is missing: this checkout is not whole"; exit 2; }
    take_turn
    if ! is_ready "$1"; then
        venv_works || make_venv
        install_lock "$1"
    fi
    end_turn
}

# -P keeps the folder we are called from off the module path: a `providers` folder there is not ours.
run_python() { PYTHONPATH=$root exec "$venv/bin/python" -P "$@"; }
