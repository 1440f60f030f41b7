# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# kernels.sh: what fetch-kernel and build-kernel share: the cache, and packages from the Debian mirror that this
# machine's apt uses, through an apt configuration of our own, so that nothing of the machine's is changed.

# shellcheck disable=SC2154 # here: the directory of the caller, which is this one
self=${0##*/}
cache=${EBPF_EVENTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ebpf-events}/kernels
work=    # a directory for what is being made

die()
{
    printf '%s: %s\n' "$self" "$1" >&2
    exit 125
}

# Print the names of the kernels that build-kernel makes.
built_kernels()
{
    ls "$here/configs"
}

# Print the line of --list about the kernel $1, which is $2.
list_kernel()
{
    local version='(not in the cache)'

    if [[ -f $cache/$1/version ]]; then
        version=$(<"$cache/$1/version")
    fi
    printf '%-12s %-30s %s\n' "$1" "$version" "$2"
}

# Make the kernel $1 the caller's: only one process makes it. Sets work, which is removed when the caller ends.
cache_begin()
{
    mkdir -p "$cache" || die "cannot make $cache: set EBPF_EVENTS_CACHE to a directory to be written"
    for program in apt-get apt-cache dpkg-deb; do
        if [[ -z $(command -v "$program") ]]; then
            die "$program is missing: Debian's packages are needed (see CONTRIBUTING.md)"
        fi
    done
    exec 9>"$cache/.lock-$1"
    flock 9
    work=$(mktemp -d "$cache/.make-$1.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# Put $work/result into the cache as the kernel $1.
cache_end()
{
    chmod 755 "$work/result"
    rm -rf "${cache:?}/$1"
    mv -T "$work/result" "$cache/$1"
}

# The URI of the machine's Debian mirror, or (with "security") of its security
# archive. The source is known by the suite it is for, and by its origin unless
# the machine has no package lists.
mirror()
{
    local which uri

    for which in 'Origin: Debian' --no-release-info; do
        uri=$(apt-get indextargets --format "\$(RELEASE) \$(COMPONENT) \$(REPO_URI)" \
                      'Created-By: Packages' "$which" |
            awk -v want="$1" '
                BEGIN {
                    split("oldoldstable oldstable stable testing unstable sid", list)
                    split("bullseye bookworm trixie forky duke", codenames)
                    for (i in list) debian[list[i]]
                    for (i in codenames) debian[codenames[i]]
                }
                $2 == "main" {
                    suite = $1
                    security = sub(/(-security|\/updates)$/, "", suite)
                    if (suite in debian && security == (want == "security") && !found++)
                        print $3
                }')
        if [[ -n $uri ]]; then
            printf '%s' "$uri"
            return
        fi
    done
}

# apt-get or apt-cache with our configuration.
private()
{
    local program=$1
    shift
    "$program" -q --config-file "$work/apt.conf" "$@"
}

# Configure private for architecture $1 of suite $2, with its security archive if $3 is true, and read the lists.
# Packages go into $work/packages.
apt_begin()
{
    local architecture=$1 suite=$2 with_security=$3 uri options="arch=$1"
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg

    rm -rf "$work/apt" "$work/packages"
    mkdir -p "$work/apt/state/lists/partial" "$work/apt/cache/archives/partial" "$work/packages"
    : >"$work/apt/status"

    if [[ -r $keyring ]]; then
        options+=" signed-by=$keyring"
    fi
    if [[ $suite == bullseye ]]; then
        # No longer refreshed by Debian: its dates may have expired.
        options+=' check-valid-until=no'
    fi
    uri=$(mirror main)
    if [[ -z $uri ]]; then
        echo "no Debian source among this machine's apt sources: add one (see CONTRIBUTING.md)"
        return 1
    fi
    printf 'deb [%s] %s %s main\n' "$options" "$uri" "$suite" >"$work/apt/sources.list"
    if $with_security; then
        uri=$(mirror security)
        if [[ -n $uri ]]; then
            printf 'deb [%s] %s %s-security main\n' "$options" "$uri" "$suite" \
                   >>"$work/apt/sources.list"
        fi
    fi

    cat >"$work/apt.conf" <<CONF
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Architecture "$architecture";
#clear APT::Architectures;
APT::Architectures { "$architecture"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$work/apt/state";
Dir::State::status "$work/apt/status";
Dir::Cache "$work/apt/cache";
CONF

    private apt-get --error-on=any update
}
