# SPDX-License-Identifier: BSD-2-Clause
# One kind of file event alone: all events of that kind are there, none of another, and few programs are loaded.
# takes: 40
# kernels: 5.10
# also: 6.1 newest
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

options="create delete rename link modify memfd-open shmem-open"

programs() {
    /opt/bin/bpf-objects | cut -d ' ' -f 2
}

type_of() {
    echo "FILE_$(echo "$1" | tr 'a-z-' 'A-Z_')"
}

# Do something of each kind, always in one order.
do_all() {
    rm -rf /dev/shm/case*
    for case in create delete rename write open attributes; do
        "/opt/bin/case-file-$case" tmpfs >>facts || return 1
    done
    /bin/true do-all-is-done
}

# traced NAME OPTION...: write the events of do_all to NAME.out, and the number of loaded programs to NAME.programs.
traced() {
    file=$1
    shift
    nothing_left || return 1
    trace "$file.out" "$file.err" -u --process-exec "$@" || { cat "$file.err"; return 1; }
    programs >"$file.programs"
    do_all || { trace_stop; return 1; }
    wait_for grep -qF do-all-is-done "$file.out" || { echo "the last event has not come"; return 1; }
    trace_stop
}

# more_than_none NAME: print the number of programs that the file events needed.
more_than_none() {
    echo $(($(cat "$1.programs") - $(cat none.programs)))
}

# of_type TYPE FILE: print the number of events of a type.
of_type() {
    grep -F '"comm":"case-file' "$2" | grep -cF "\"event_type\":\"$1\""
}

baseline() {
    for option in $options; do
        set -- "$@" "--file-$option"
    done
    traced all "$@" || return 1
    echo "# programs for all: $(more_than_none all)" >&3
    for option in $options; do
        [ "$(of_type "$(type_of "$option")" all.out)" -gt 0 ] || { echo "no $option with all selected"; return 1; }
    done
}

# alone OPTION LIMIT LIMIT_PREEMPTED: as many events of that kind as with all selected, nothing else, and at most LIMIT
# more programs than process-exec needs, or LIMIT_PREEMPTED where the kernel preempts probes and they have spares.
alone() {
    traced alone "--file-$1" || return 1
    type=$(type_of "$1")
    loaded=$(more_than_none alone)
    echo "# programs for $1: $loaded" >&3
    same=$(of_type "$type" all.out)
    got=$(of_type "$type" alone.out)
    [ "$got" = "$same" ] || { echo "$got of $type, $same with all selected"; return 1; }
    others=$(grep -F '"event_type":"FILE_' alone.out | grep -vcF "\"event_type\":\"$type\"")
    [ "$others" = 0 ] || { echo "$others of other types"; return 1; }
    limit=$2
    grep -q "(full)\|(lazy)" /sys/kernel/debug/sched/preempt 2>/dev/null && limit=$3
    [ "$loaded" -le "$limit" ] || { echo "$loaded programs, limit $limit"; return 1; }
}

none() {
    traced none || return 1
    [ "$(grep -c '"event_type":"FILE_' none.out)" = 0 ]
}

# Programs for symbolic links alone. A kprobe that can replace the first one is for other creations too, and stays.
symlink_programs=fexit__vfs_symlink,fentry__security_path_symlink,lsm__path_symlink,kprobe__security_path_symlink

# A creation of another kind does not need the programs of one kind.
without_symlinks() {
    traced less --file-create --disable-hook $symlink_programs || return 1
    grep "(not seen: symbolic links)$" less.err || { cat less.err; return 1; }
    grep -F '"type":"SYMLINK"' all.out >links.out # of io_uring's threads too, which have another name
    links=$(of_type FILE_CREATE links.out)
    of_all=$(of_type FILE_CREATE all.out)
    of_less=$(of_type FILE_CREATE less.out)
    echo "$of_all creations, of which $links of links; $of_less without these"
    [ "$links" -gt 0 ] && [ "$of_less" = $((of_all - links)) ]
}

exec 3>&1
check "no file event selected: none is reported" none
check "all file events selected: all are reported" baseline
check "without the programs for symbolic links only these are missing" without_symlinks
check "--file-create alone" alone create 12 24
check "--file-delete alone" alone delete 5 10
check "--file-rename alone" alone rename 3 7
check "--file-link alone" alone link 2 4
check "--file-modify alone" alone modify 30 46
check "--file-memfd-open alone" alone memfd-open 1 3
check "--file-shmem-open alone" alone shmem-open 1 3
