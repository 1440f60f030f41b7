/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file EbpfEvents.h
 * @brief Reports what processes do, with BPF.
 *
 * Open a source, give it a handler, poll it:
 *
 * @code
 *   struct ebpf_source_opts opts = {.sz = sizeof(opts), .handler = on_event, .user = &state};
 *   struct ebpf_source *source;
 *
 *   ebpf_event_set__add(&opts.events, EBPF_EVENT_PROCESS_EXEC);
 *   int err = ebpf_source__open(&opts, &source);
 *
 *   if (err)
 *       return err;
 *   do {
 *       err = ebpf_source__poll(source, -1); // calls on_event for each event
 *   } while (err >= 0 || err == -EINTR);
 *   ebpf_source__close(source);
 *   return err;
 * @endcode
 *
 * Conventions. A function that can fail returns 0, or a count that is not negative, and on failure a negative errno,
 * which errno holds as well. Outputs come last, are named `ret_...` and are written on success only. Functions that end
 * or free something take NULL. The library never prints: it has a log callback. It starts no threads and installs no
 * signal handlers. Several sources may be open in one process; one source must not be used by two threads at a time.
 *
 * Versions. A program runs with a later library of the same major version (before 1.0, of the same minor version) than
 * it was built with. Later ones may have more types of events, reasons and tags, and longer structs. So a struct that
 * the caller provides and that may become longer begins with `sz`: set it to sizeof. Do not copy a struct that the
 * library returns by pointer: it may be longer than this header declares. Skip events of a type that you do not know.
 *
 * The documents named here (events.md, MIGRATING.md, HOOKS.md) are installed in share/doc/ebpf-events.
 *
 * The first source registers handlers for sections "ebpf.*" with libbpf, which keeps them for the process, without a
 * lock: a program that uses the same libbpf must not open objects in another thread while the first source is opened.
 */
#ifndef EBPF_EVENTS_H
#define EBPF_EVENTS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EBPF_COMM_LEN 16 /**< size of the name of a thread, in bytes */

/* Largest value of a variable field; a longer one is cut and flagged. */
#define EBPF_PATH_MAX 4096           /**< bytes of a path */
#define EBPF_PATH_COMPONENTS_MAX 192 /**< components of a path */
#define EBPF_ARGS_MAX 32768          /**< bytes of arguments */
#define EBPF_ENV_MAX 65536           /**< bytes of an environment */
#define EBPF_TTY_MAX 8192            /**< bytes of a write to a terminal */

/** Types of events. */
enum ebpf_event_type {
    EBPF_EVENT_PROCESS_FORK = 1, /**< a process was created (threads are not reported) */
    EBPF_EVENT_PROCESS_EXEC = 2, /**< a process executed a program */
    EBPF_EVENT_PROCESS_EXIT = 3, /**< a process ended: its last thread is gone, its files are closed */
    EBPF_EVENT_PROCESS_SETSID = 4, /**< a process started a session */
    EBPF_EVENT_PROCESS_SETUID = 5, /**< a user id of a process changed (setuid, setreuid, setresuid, setfsuid, exec) */
    EBPF_EVENT_PROCESS_SETGID = 6, /**< a group id of a process changed (setgid, setregid, setresgid, setfsgid, exec) */
    EBPF_EVENT_PROCESS_TTY_WRITE = 7, /**< a process wrote to a terminal (input is not reported) */
    EBPF_EVENT_PROCESS_MEMFD_CREATE = 8, /**< a process created an anonymous file with memfd_create */
    EBPF_EVENT_PROCESS_SHMGET = 9, /**< a process created or looked up a System V shared memory segment */
    /** a process attached to another one, or was refused (a parent that attaches to its child is not reported) */
    EBPF_EVENT_PROCESS_PTRACE = 10,
    EBPF_EVENT_PROCESS_LOAD_MODULE = 11, /**< a kernel module was loaded; its code is about to run */
    EBPF_EVENT_FILE_CREATE = 12, /**< a file, directory, link, device, pipe or socket was created */
    EBPF_EVENT_FILE_DELETE = 13, /**< a file, directory, link, device, pipe or socket was deleted */
    EBPF_EVENT_FILE_RENAME = 14, /**< a file or directory was renamed, moved or exchanged */
    EBPF_EVENT_FILE_MODIFY = 15, /**< the content, mode, owner, times, extended attributes or flags of a file changed */
    EBPF_EVENT_FILE_MEMFD_OPEN = 16, /**< an existing memfd was opened again, through a path */
    EBPF_EVENT_FILE_SHMEM_OPEN = 17, /**< an existing file under /dev/shm was opened */
    EBPF_EVENT_FILE_LINK = 18, /**< a hard link to a file was created */
    /** a process began to connect by TCP; addresses and ports are final */
    EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED = 19,
    EBPF_EVENT_NETWORK_CONNECTION_ACCEPTED = 20, /**< a process accepted a TCP connection */
    /** the last descriptor of a TCP connection was closed, or its socket disconnected */
    EBPF_EVENT_NETWORK_CONNECTION_CLOSED = 21,
    EBPF_EVENT_NETWORK_CONNECTION_FAILED = 22, /**< an attempt to connect failed */
    EBPF_EVENT_NETWORK_LISTEN = 23, /**< a process began to listen for TCP connections */
    /** the first UDP datagram between two ends of a socket in each direction; the totals when the socket is closed */
    EBPF_EVENT_NETWORK_DATAGRAM_FLOW = 24,
    EBPF_EVENT_PROCESS_CHROOT = 25, /**< a process changed its root directory with chroot */
};

/** Why an event can be lost. */
enum ebpf_reason {
    /** the reader was too slow or stopped: the ring was full, or its free part was kept for other users */
    EBPF_REASON_RING_FULL = 0,
    EBPF_REASON_NO_SCRATCH = 1, /**< every scratch slot was in use by programs that had been preempted */
    EBPF_REASON_UNREADABLE = 2, /**< what the event needs could not be read */
    EBPF_REASON_RECURSION = 3, /**< the kernel skipped the program because it was already running on that CPU */
    EBPF_REASON_STATE = 4, /**< a bounded table of the probes had no room for what the event needs */
    /** the program that embeds the library refused the event: its queue or its output was full */
    EBPF_REASON_HANDLER = 5,
    /** the process, or its user, made more events in a second than its budget allows (`--budget`) */
    EBPF_REASON_BUDGET = 6,
};

/** Ring buffers. */
enum ebpf_ring {
    EBPF_RING_MAIN = 0, /**< process, security and network events: rare and important */
    EBPF_RING_BULK = 1, /**< file and terminal events, of which one process can make thousands a second */
};

/**
 * Variable fields, by their key in the JSON. The kind of a field says what its bytes are:
 * - str: bytes as the kernel has them, without a NUL at the end
 * - path: components, leaf first, each ended by a NUL; ebpf_field__path turns them into a path
 * - args: strings, each ended by a NUL; the last one lacks it if it was cut. The JSON has them twice: joined by spaces,
 *   and as an array, "args"
 * - env: strings, each ended by a NUL, as for args; an array in the JSON
 * - tty: bytes as they were written; tty_out_truncated counts those that were cut
 */
enum ebpf_tag {
    EBPF_TAG_FILENAME = 1, /**< "filename": a value of kind path */
    EBPF_TAG_NAME = 2, /**< "filename": a value of kind str */
    EBPF_TAG_CWD = 3, /**< "cwd": a value of kind path */
    EBPF_TAG_CGROUP_PATH = 4, /**< "pids_ss_cgroup_path": a value of kind path */
    EBPF_TAG_ARGV = 5, /**< "argv": a value of kind args */
    EBPF_TAG_ENV = 6, /**< "env": a value of kind env */
    EBPF_TAG_ROOT_PATH = 7, /**< "root_path": a value of kind path */
    EBPF_TAG_SCRIPT = 8, /**< "script": a value of kind path */
    EBPF_TAG_TTY_OUT = 9, /**< "tty_out": a value of kind tty */
    EBPF_TAG_MOD_VERSION = 10, /**< "mod_version": a value of kind str */
    EBPF_TAG_MOD_SRCVERSION = 11, /**< "mod_srcversion": a value of kind str */
    EBPF_TAG_PATH = 12, /**< "path": a value of kind path */
    EBPF_TAG_OLD_PATH = 13, /**< "old_path": a value of kind path */
    EBPF_TAG_NEW_PATH = 14, /**< "new_path": a value of kind path */
    EBPF_TAG_SYMLINK_TARGET = 15, /**< "symlink_target_path": a value of kind str */
    EBPF_TAG_XATTR_NAME = 16, /**< "xattr_name": a value of kind str */
};

/** Flags in the header of an event, of its type. */
enum ebpf_event_flag {
    EBPF_EXEC_F_SETUID = 1u << 0, /**< the executable has the set-user-ID bit */
    EBPF_EXEC_F_SETGID = 1u << 1, /**< the executable has the set-group-ID bit */
    EBPF_EXEC_F_MEMFD = 1u << 2, /**< the executable is a memfd */
    /** the script has the set-user-ID bit, and its credentials apply (binfmt_misc with the flag C) */
    EBPF_EXEC_F_SCRIPT_SETUID = 1u << 3,
    EBPF_EXEC_F_SCRIPT_SETGID = 1u << 4, /**< as script_is_setuid, for the set-group-ID bit */
    EBPF_EXEC_F_SCRIPT_AS_GIVEN = 1u << 5, /**< script is as the caller gave it, not resolved by the kernel */
    EBPF_EXIT_F_CORE = 1u << 0, /**< a core dump was written */
    /** seen only after it had ended: its namespaces, except pid and user, and a session leader's terminal are 0 */
    EBPF_EXIT_F_PARTIAL = 1u << 1,
    EBPF_SETUID_F_BY_EXEC = 1u << 0, /**< by an exec, such as that of a set-user-ID program; its PROCESS_EXEC follows */
    /** by an exec, such as that of a set-group-ID program; its PROCESS_EXEC follows */
    EBPF_SETGID_F_BY_EXEC = 1u << 0,
    EBPF_MEMFD_F_CLOEXEC = 1u << 0, /**< MFD_CLOEXEC was given */
    EBPF_MEMFD_F_ALLOW_SEAL = 1u << 1, /**< MFD_ALLOW_SEALING was given */
    EBPF_MEMFD_F_HUGETLB = 1u << 2, /**< MFD_HUGETLB was given */
    EBPF_MEMFD_F_NOEXEC_SEAL = 1u << 3, /**< MFD_NOEXEC_SEAL was given */
    EBPF_MEMFD_F_EXEC = 1u << 4, /**< MFD_EXEC was given */
    EBPF_PTRACE_F_DENIED = 1u << 0, /**< the kernel refused it */
    EBPF_RENAME_F_NOREPLACE = 1u << 0, /**< RENAME_NOREPLACE was given */
    EBPF_RENAME_F_EXCHANGE = 1u << 1, /**< the two files have exchanged their paths */
    EBPF_RENAME_F_WHITEOUT = 1u << 2, /**< a whiteout was left at the old path */
    EBPF_RENAME_F_REPLACED = 1u << 3, /**< a file at the new path was replaced: that name of it is gone */
    /** it was mapped shared and writable: stores, which are not reported, may follow */
    EBPF_MODIFY_F_MAPPING = 1u << 0,
    EBPF_MODIFY_F_BYTES = 1u << 1, /**< the number of bytes is known */
    EBPF_MODIFY_F_COUNT = 1u << 2, /**< several changes were merged */
    EBPF_ATTEMPT_F_MPTCP = 1u << 0, /**< it uses MPTCP */
    /** the table of sockets is full: later events will not name the process that opened it */
    EBPF_ATTEMPT_F_UNTRACKED = 1u << 1,
    EBPF_ACCEPT_F_MPTCP = 1u << 0, /**< it uses MPTCP */
    /** the table of sockets is full: later events will not name the process that accepted it */
    EBPF_ACCEPT_F_UNTRACKED = 1u << 1,
    EBPF_CLOSED_F_MPTCP = 1u << 0, /**< it uses MPTCP */
    EBPF_CLOSED_F_OWNER = 1u << 1, /**< the owner is known */
    EBPF_CLOSED_F_REASON = 1u << 2, /**< the reason is known */
    EBPF_FAILED_F_MPTCP = 1u << 0, /**< it uses MPTCP */
    EBPF_FAILED_F_UNTRACKED = 1u << 1, /**< there was no memory to track the attempt: the process may be unknown (0) */
    EBPF_LISTEN_F_MPTCP = 1u << 0, /**< it uses MPTCP */
    EBPF_FLOW_F_OWNER = 1u << 0, /**< these are the totals */
    EBPF_FLOW_F_UNTRACKED = 1u << 1, /**< there was no memory to count it: no totals, and it may be reported again */
    /** the peer is what the process had in its memory at the end of a call: another thread may have changed it */
    EBPF_FLOW_F_PEER_FROM_CALLER = 1u << 2,
};

/** Values of a member: kind of a file. */
enum ebpf_file_type {
    EBPF_FILE_TYPE_FILE = 1, /**< regular file */
    EBPF_FILE_TYPE_DIR = 2, /**< directory */
    EBPF_FILE_TYPE_SYMLINK = 3, /**< symbolic link */
    EBPF_FILE_TYPE_CHARACTER_DEVICE = 4, /**< character device */
    EBPF_FILE_TYPE_BLOCK_DEVICE = 5, /**< block device */
    EBPF_FILE_TYPE_NAMED_PIPE = 6, /**< named pipe */
    EBPF_FILE_TYPE_SOCKET = 7, /**< unix socket */
};

/** Values of a member: the part of a file that was changed. */
enum ebpf_change_type {
    EBPF_CHANGE_CONTENT = 1, /**< its content */
    EBPF_CHANGE_PERMISSIONS = 2, /**< its mode */
    EBPF_CHANGE_OWNER = 3, /**< its owner or group */
    EBPF_CHANGE_XATTRS = 4, /**< an extended attribute or access control list */
    EBPF_CHANGE_TIMES = 5, /**< its times, by an explicit call */
    EBPF_CHANGE_FLAGS = 6, /**< its flags, as by chattr, or its project */
};

/** Values of a member: transport protocol; the numbers are those of IP. */
enum ebpf_transport {
    EBPF_TRANSPORT_TCP = 6, /**< TCP, also as part of MPTCP */
    EBPF_TRANSPORT_UDP = 17, /**< UDP */
};

/** Values of a member: address family; the numbers are the kernel's. */
enum ebpf_address_family {
    EBPF_FAMILY_INET = 2, /**< IPv4, also through an IPv6 socket */
    EBPF_FAMILY_INET6 = 10, /**< IPv6 */
};

/** Values of a member: why a connection ended. */
enum ebpf_close_reason {
    EBPF_CLOSE_HERE = 1, /**< this end was closed first */
    EBPF_CLOSE_PEER = 2, /**< the peer closed its end first */
    EBPF_CLOSE_RESET = 3, /**< the peer reset it */
    EBPF_CLOSE_TIMED_OUT = 4, /**< the peer stopped answering */
    EBPF_CLOSE_ABORTED = 5, /**< it was ended by an administrator, or by an error of the network */
};

/** Values of a member: what is reported of a flow of datagrams. */
enum ebpf_flow_state {
    EBPF_FLOW_NEW = 1, /**< its first datagram in this direction */
    EBPF_FLOW_CLOSED = 2, /**< the socket was closed: the totals */
    /** the flow had to make room for others of its socket: the totals; a later datagram begins a new flow */
    EBPF_FLOW_AGED = 3,
};

/** Values of a member: direction of a datagram. */
enum ebpf_direction {
    EBPF_DIRECTION_SENT = 1, /**< from this host */
    EBPF_DIRECTION_RECEIVED = 2, /**< to this host */
};

/** Values of a member: why an operation failed; the numbers are the kernel's. */
enum ebpf_errno_name {
    EBPF_ERRNO_EPERM = 1, /**< not permitted */
    EBPF_ERRNO_EINTR = 4, /**< interrupted by a signal */
    EBPF_ERRNO_EIO = 5, /**< input or output error */
    EBPF_ERRNO_EAGAIN = 11, /**< a resource is temporarily unavailable */
    EBPF_ERRNO_ENOMEM = 12, /**< no memory */
    EBPF_ERRNO_EACCES = 13, /**< forbidden, by the firewall or because it is a broadcast address */
    EBPF_ERRNO_ENODEV = 19, /**< no such device */
    EBPF_ERRNO_EINVAL = 22, /**< invalid, such as an address without a scope */
    EBPF_ERRNO_EPIPE = 32, /**< the other end is closed */
    EBPF_ERRNO_EPROTO = 71, /**< protocol error */
    EBPF_ERRNO_EMSGSIZE = 90, /**< too long */
    EBPF_ERRNO_ENOPROTOOPT = 92, /**< the host does not offer the protocol */
    EBPF_ERRNO_EOPNOTSUPP = 95, /**< not supported */
    EBPF_ERRNO_EADDRINUSE = 98, /**< the address is in use */
    EBPF_ERRNO_EADDRNOTAVAIL = 99, /**< not an address of this host, or no free port */
    EBPF_ERRNO_ENETDOWN = 100, /**< the network is down */
    EBPF_ERRNO_ENETUNREACH = 101, /**< no route to the network */
    EBPF_ERRNO_ENETRESET = 102, /**< dropped by the network */
    EBPF_ERRNO_ECONNABORTED = 103, /**< ended here before it was up */
    EBPF_ERRNO_ECONNRESET = 104, /**< reset by the peer */
    EBPF_ERRNO_ENOBUFS = 105, /**< no buffers */
    EBPF_ERRNO_ENOTCONN = 107, /**< not connected */
    EBPF_ERRNO_ETIMEDOUT = 110, /**< no answer */
    EBPF_ERRNO_ECONNREFUSED = 111, /**< no process listens there */
    EBPF_ERRNO_EHOSTDOWN = 112, /**< the host is down */
    EBPF_ERRNO_EHOSTUNREACH = 113, /**< no route to the host */
    EBPF_ERRNO_ENOKEY = 126, /**< a key that the policy demands is missing */
};

/**
 * The beginning of every event. `stream` and `stream_seq` number the records of one scratch slot in one ring without a
 * gap: a visible gap is a record for which the ring had no room.
 */
struct ebpf_event_header {
    uint64_t ts_boot_ns;      /**< nanoseconds since boot, suspend included */
    uint64_t stream_seq;      /**< 1, 2, 3, … in its stream */
    uint32_t stream;          /**< scratch slot */
    uint32_t size;            /**< bytes of the whole record, including this header */
    uint16_t type;            /**< enum ebpf_event_type */
    uint16_t flags;           /**< enum ebpf_event_flag of this type */
    uint32_t reserved;        /**< keeps what follows aligned; zero */
    char comm[EBPF_COMM_LEN]; /**< name of the acting thread; NUL-terminated unless all 16 are used */
};

/** Flags of a variable field. */
enum ebpf_varlen_flag {
    EBPF_VARLEN_TRUNCATED = 1u << 0,   /**< the value was cut */
    EBPF_VARLEN_UNREACHABLE = 1u << 1, /**< path: its topmost directory is not the root of the process */
    EBPF_VARLEN_NAME_ONLY = 1u << 2,   /**< path: a name that is in no directory (memfd, pipe, socket) */
    EBPF_VARLEN_DELETED = 1u << 3,     /**< path: it names something that has been deleted */
    EBPF_VARLEN_UNSTABLE = 1u << 4,    /**< path: renamed repeatedly while it was read; may never have existed */
    EBPF_VARLEN_AMBIGUOUS = 1u << 5,   /**< path: by one of several mounts, perhaps not the one used */
    EBPF_VARLEN_FROM_CALLER = 1u << 6, /**< path: as the caller gave it; another one if links lead elsewhere */
    EBPF_VARLEN_REQUESTED = 1u << 7,   /**< path: of a request that has been made; whether it succeeds is not known */
};

/** Precedes each variable field. A path is stored as its components, leaf first, each terminated by a NUL. */
struct ebpf_varlen {
    uint16_t tag;      /**< enum ebpf_tag */
    uint16_t flags;    /**< enum ebpf_varlen_flag */
    uint32_t len;      /**< bytes that follow, without padding */
    uint32_t orig_len; /**< bytes of the complete value; 0 if not known */
    uint32_t reserved; /**< keeps what follows aligned; zero */
};

/** An address: IPv6, or IPv4 as ::ffff:a.b.c.d. */
struct ebpf_ip {
    uint32_t words[4]; /**< its 16 bytes, in network byte order */
};
/** A task; ids are those of the initial pid namespace. */
struct ebpf_pid_info {
    uint32_t tid; /**< thread id */
    uint32_t tgid; /**< process id */
    uint32_t ppid; /**< process id of the parent of the group leader */
    uint32_t pgid; /**< process group id */
    uint32_t sid; /**< session id */
    uint32_t reserved; /**< keeps the next member aligned; zero */
    uint64_t start_time_ns; /**< start of the group leader, monotonic nanoseconds */
};

/** Credentials; ids are those of the initial user namespace. */
struct ebpf_cred_info {
    uint32_t ruid; /**< real user id */
    uint32_t rgid; /**< real group id */
    uint32_t euid; /**< effective user id */
    uint32_t egid; /**< effective group id */
    uint32_t suid; /**< saved user id */
    uint32_t sgid; /**< saved group id */
    uint64_t cap_permitted; /**< permitted capabilities, a 64-bit mask */
    uint64_t cap_effective; /**< effective capabilities, a 64-bit mask */
};

/** A terminal; all zero if there is none. */
struct ebpf_tty_dev {
    uint32_t major; /**< major device number */
    uint32_t minor; /**< minor device number */
    uint32_t winsize_rows; /**< height of the window in rows */
    uint32_t winsize_cols; /**< width of the window in columns */
};

/** Inode numbers of the namespaces of a task. */
struct ebpf_ns_info {
    uint32_t uts; /**< host name */
    uint32_t ipc; /**< System V IPC and POSIX message queues */
    uint32_t mnt; /**< mounts */
    uint32_t net; /**< network */
    uint32_t cgroup; /**< cgroup root */
    uint32_t time; /**< clock offsets */
    uint32_t pid; /**< process ids */
    uint32_t user; /**< users, to which the capabilities apply; 4026531837 is the host's */
};

/** A file. */
struct ebpf_file_info {
    uint32_t type; /**< kind of the file; enum ebpf_file_type */
    uint32_t mode; /**< type and permissions; its decimal digits are the octal mode, as in 100644 */
    uint64_t inode; /**< inode number */
    uint64_t size; /**< bytes */
    uint32_t uid; /**< owner */
    uint32_t gid; /**< group */
    int64_t atime; /**< last access, nanoseconds since the epoch */
    int64_t mtime; /**< last change of the content, nanoseconds since the epoch */
    int64_t ctime; /**< last change of the inode, nanoseconds since the epoch */
    uint32_t dev_major; /**< major device number of the file system */
    uint32_t dev_minor; /**< minor device number of the file system */
    uint32_t nlink; /**< hard links */
    uint32_t reserved; /**< keeps what follows aligned; zero */
};

/** The two ends of a connection or flow; the source is always the end on this host. */
struct ebpf_net_info {
    uint32_t transport; /**< protocol; enum ebpf_transport */
    uint32_t family; /**< address family; enum ebpf_address_family */
    struct ebpf_ip source; /**< address of this end */
    uint32_t source_port; /**< port of this end */
    struct ebpf_ip destination; /**< address of the peer */
    uint32_t destination_port; /**< port of the peer */
    uint32_t network_namespace; /**< inode number of the socket's network namespace */
    uint32_t reserved; /**< keeps what follows aligned; zero */
};

/** The two ends of a connection, as in net_info, and the bytes that it carried. */
struct ebpf_net_traffic {
    uint32_t transport; /**< protocol; enum ebpf_transport */
    uint32_t family; /**< address family; enum ebpf_address_family */
    struct ebpf_ip source; /**< address of this end */
    uint32_t source_port; /**< port of this end */
    struct ebpf_ip destination; /**< address of the peer */
    uint32_t destination_port; /**< port of the peer */
    uint32_t network_namespace; /**< inode number of the socket's network namespace */
    uint32_t reserved; /**< keeps the next member aligned; zero */
    uint64_t bytes_sent; /**< payload sent, including data that waits to be sent, without retransmissions */
    uint64_t bytes_received; /**< payload received */
};

/**
 * EBPF_EVENT_PROCESS_FORK: a process was created (threads are not reported).
 * - EBPF_TAG_CWD: working directory of the new process
 * - EBPF_TAG_CGROUP_PATH: cgroup of the new process
 * - EBPF_TAG_ROOT_PATH (optional): root directory of the process, if it is not the host's
 */
struct ebpf_process_fork_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info parent_pids; /**< the task that called fork, vfork, clone or clone3 */
    struct ebpf_pid_info child_pids; /**< the new process; with CLONE_PARENT its ppid is not that of its creator */
    struct ebpf_cred_info creds; /**< credentials of the new process */
    struct ebpf_tty_dev ctty; /**< controlling terminal of the new process */
    struct ebpf_ns_info ns; /**< namespaces of the new process */
};

/**
 * EBPF_EVENT_PROCESS_EXEC: a process executed a program.
 * - EBPF_TAG_FILENAME: executable that runs, resolved by the kernel; memfd:NAME for a memfd; the interpreter of a
 *   script
 * - EBPF_TAG_CWD: working directory
 * - EBPF_TAG_CGROUP_PATH: cgroup
 * - EBPF_TAG_ARGV: arguments of the new image
 * - EBPF_TAG_SCRIPT (optional): the script, resolved by the kernel, if the executable is its interpreter
 * - EBPF_TAG_ROOT_PATH (optional): root directory of the process, if it is not the host's
 * - EBPF_TAG_ENV (optional): environment of the new image; only if asked for
 */
struct ebpf_process_exec_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_cred_info creds; /**< credentials of the new image */
    struct ebpf_tty_dev ctty; /**< controlling terminal */
    struct ebpf_ns_info ns; /**< namespaces */
    uint32_t inode_nlink; /**< links to the executable; 0 for memfd and deleted files */
    uint32_t argc; /**< number of arguments of the new image */
};

/**
 * EBPF_EVENT_PROCESS_EXIT: a process ended: its last thread is gone, its files are closed.
 * - EBPF_TAG_CGROUP_PATH: cgroup
 */
struct ebpf_process_exit_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process; tid is that of its first thread, whichever ended last */
    struct ebpf_cred_info creds; /**< credentials */
    struct ebpf_tty_dev ctty; /**< controlling terminal */
    uint32_t exit_code; /**< status given to exit, 0 to 255; 0 if a signal ended the process */
    uint32_t exit_signal; /**< signal that ended the process, or 0 */
    struct ebpf_ns_info ns; /**< namespaces */
};

/**
 * EBPF_EVENT_PROCESS_SETSID: a process started a session.
 */
struct ebpf_process_setsid_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process, already in its new session */
    struct ebpf_cred_info creds; /**< credentials */
    struct ebpf_tty_dev ctty; /**< controlling terminal: a new session has none yet */
    struct ebpf_ns_info ns; /**< namespaces */
};

/**
 * EBPF_EVENT_PROCESS_SETUID: a user id of a process changed (setuid, setreuid, setresuid, setfsuid, exec).
 */
struct ebpf_process_setuid_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_cred_info creds; /**< credentials before the change */
    struct ebpf_tty_dev ctty; /**< controlling terminal */
    struct ebpf_ns_info ns; /**< namespaces */
    uint32_t new_ruid; /**< real user id afterwards */
    uint32_t new_euid; /**< effective user id afterwards */
    uint32_t new_suid; /**< saved user id afterwards */
    uint32_t new_fsuid; /**< file system user id afterwards */
};

/**
 * EBPF_EVENT_PROCESS_SETGID: a group id of a process changed (setgid, setregid, setresgid, setfsgid, exec).
 */
struct ebpf_process_setgid_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_cred_info creds; /**< credentials before the change */
    struct ebpf_tty_dev ctty; /**< controlling terminal */
    struct ebpf_ns_info ns; /**< namespaces */
    uint32_t new_rgid; /**< real group id afterwards */
    uint32_t new_egid; /**< effective group id afterwards */
    uint32_t new_sgid; /**< saved group id afterwards */
    uint32_t new_fsgid; /**< file system group id afterwards */
};

/**
 * EBPF_EVENT_PROCESS_TTY_WRITE: a process wrote to a terminal (input is not reported).
 * - EBPF_TAG_TTY_OUT: bytes written
 */
struct ebpf_process_tty_write_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    uint32_t tty_out_truncated; /**< bytes that were written but are not in tty_out */
    uint32_t reserved; /**< keeps the next member aligned; zero */
    struct ebpf_tty_dev tty; /**< the terminal written to */
    struct ebpf_tty_dev ctty; /**< controlling terminal of the process */
};

/**
 * EBPF_EVENT_PROCESS_MEMFD_CREATE: a process created an anonymous file with memfd_create.
 * - EBPF_TAG_NAME: name given, without the kernel's prefix memfd:
 */
struct ebpf_process_memfd_create_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_cred_info creds; /**< credentials */
    uint32_t flags; /**< flags of the call */
    uint32_t reserved; /**< keeps what follows aligned; zero */
};

/**
 * EBPF_EVENT_PROCESS_SHMGET: a process created or looked up a System V shared memory segment.
 */
struct ebpf_process_shmget_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_cred_info creds; /**< credentials */
    uint32_t key; /**< key of the segment, unsigned; 0 is IPC_PRIVATE */
    int32_t shmflg; /**< flags and mode of the call */
    uint64_t size; /**< requested size in bytes */
};

/**
 * EBPF_EVENT_PROCESS_PTRACE: a process attached to another one, or was refused (a parent that attaches to its child is
 * not reported).
 */
struct ebpf_process_ptrace_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the tracer */
    struct ebpf_cred_info creds; /**< credentials of the tracer */
    uint32_t child_pid; /**< thread that is traced from now on, unless the attach was refused */
    uint32_t request; /**< PTRACE_ATTACH (16) or PTRACE_SEIZE (16902) */
    /** reason: EPERM (1), or EACCES (13) from a security module; if EBPF_PTRACE_F_DENIED is set */
    uint32_t error_number;
    uint32_t reserved; /**< keeps what follows aligned; zero */
};

/**
 * EBPF_EVENT_PROCESS_LOAD_MODULE: a kernel module was loaded; its code is about to run.
 * - EBPF_TAG_NAME: name of the module
 * - EBPF_TAG_MOD_VERSION: version that the module states
 * - EBPF_TAG_MOD_SRCVERSION: checksum of the module's source
 */
struct ebpf_process_load_module_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_cred_info creds; /**< credentials */
    uint64_t taints; /**< mask of taints: 1 proprietary, 1024 staging, 4096 out of tree, 8192 not signed */
};

/**
 * EBPF_EVENT_FILE_CREATE: a file, directory, link, device, pipe or socket was created.
 * - EBPF_TAG_PATH: its path
 * - EBPF_TAG_SYMLINK_TARGET: its target, if it is a symbolic link
 * - EBPF_TAG_CGROUP_PATH: cgroup of the process
 * - EBPF_TAG_ROOT_PATH (optional): root directory of the process, if it is not the host's
 */
struct ebpf_file_create_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_cred_info creds; /**< credentials */
    uint32_t mount_namespace; /**< inode number of the mount namespace of the process */
    uint32_t reserved; /**< keeps the next member aligned; zero */
    struct ebpf_file_info file_info; /**< the new file */
};

/**
 * EBPF_EVENT_FILE_DELETE: a file, directory, link, device, pipe or socket was deleted.
 * - EBPF_TAG_PATH: the path that was deleted
 * - EBPF_TAG_SYMLINK_TARGET: its target, if it was a symbolic link
 * - EBPF_TAG_CGROUP_PATH: cgroup of the process
 * - EBPF_TAG_ROOT_PATH (optional): root directory of the process, if it is not the host's
 */
struct ebpf_file_delete_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_cred_info creds; /**< credentials */
    uint32_t mount_namespace; /**< inode number of the mount namespace of the process */
    uint32_t reserved; /**< keeps the next member aligned; zero */
    struct ebpf_file_info file_info; /**< the file, before it was deleted */
};

/**
 * EBPF_EVENT_FILE_RENAME: a file or directory was renamed, moved or exchanged.
 * - EBPF_TAG_OLD_PATH: its path before
 * - EBPF_TAG_NEW_PATH: its path afterwards
 * - EBPF_TAG_SYMLINK_TARGET: its target, if it is a symbolic link
 * - EBPF_TAG_CGROUP_PATH: cgroup of the process
 * - EBPF_TAG_ROOT_PATH (optional): root directory of the process, if it is not the host's
 */
struct ebpf_file_rename_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_cred_info creds; /**< credentials */
    uint32_t mount_namespace; /**< inode number of the mount namespace of the process */
    uint32_t reserved; /**< keeps the next member aligned; zero */
    struct ebpf_file_info file_info; /**< the file, afterwards */
    uint64_t replaced_inode; /**< inode number of the file that was replaced; if EBPF_RENAME_F_REPLACED is set */
    /** links that the replaced file still has; 0: it is gone; if EBPF_RENAME_F_REPLACED is set */
    uint32_t replaced_nlink;
    uint32_t reserved_replaced; /**< keeps the next member aligned; zero */
    uint64_t exchanged_inode; /**< inode number of the file now at the old path; if EBPF_RENAME_F_EXCHANGE is set */
};

/**
 * EBPF_EVENT_FILE_MODIFY: the content, mode, owner, times, extended attributes or flags of a file changed.
 * - EBPF_TAG_PATH: its path
 * - EBPF_TAG_SYMLINK_TARGET: its target, if it is a symbolic link
 * - EBPF_TAG_CGROUP_PATH: cgroup of the process
 * - EBPF_TAG_XATTR_NAME (optional): name of the extended attribute
 * - EBPF_TAG_ROOT_PATH (optional): root directory of the process, if it is not the host's
 */
struct ebpf_file_modify_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_cred_info creds; /**< credentials */
    uint32_t mount_namespace; /**< inode number of the mount namespace of the process */
    uint32_t change_type; /**< what was changed; CONTENT for regular files only; enum ebpf_change_type */
    struct ebpf_file_info file_info; /**< the file, afterwards */
    uint64_t bytes; /**< bytes written; if EBPF_MODIFY_F_BYTES is set */
    uint64_t count; /**< number of merged changes (--coalesce); if EBPF_MODIFY_F_COUNT is set */
};

/**
 * EBPF_EVENT_FILE_MEMFD_OPEN: an existing memfd was opened again, through a path.
 * - EBPF_TAG_PATH: memfd:NAME
 * - EBPF_TAG_SYMLINK_TARGET: empty: it is no symbolic link
 * - EBPF_TAG_CGROUP_PATH: cgroup of the process
 * - EBPF_TAG_ROOT_PATH (optional): root directory of the process, if it is not the host's
 */
struct ebpf_file_memfd_open_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_cred_info creds; /**< credentials */
    uint32_t mount_namespace; /**< inode number of the mount namespace of the process */
    uint32_t reserved; /**< keeps the next member aligned; zero */
    struct ebpf_file_info file_info; /**< the memfd */
};

/**
 * EBPF_EVENT_FILE_SHMEM_OPEN: an existing file under /dev/shm was opened.
 * - EBPF_TAG_PATH: its path
 * - EBPF_TAG_SYMLINK_TARGET: empty: it is no symbolic link
 * - EBPF_TAG_CGROUP_PATH: cgroup of the process
 * - EBPF_TAG_ROOT_PATH (optional): root directory of the process, if it is not the host's
 */
struct ebpf_file_shmem_open_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_cred_info creds; /**< credentials */
    uint32_t mount_namespace; /**< inode number of the mount namespace of the process */
    uint32_t reserved; /**< keeps the next member aligned; zero */
    struct ebpf_file_info file_info; /**< the file */
};

/**
 * EBPF_EVENT_FILE_LINK: a hard link to a file was created.
 * - EBPF_TAG_OLD_PATH: the existing name
 * - EBPF_TAG_NEW_PATH: the new name
 * - EBPF_TAG_SYMLINK_TARGET: its target, if it is a symbolic link
 * - EBPF_TAG_CGROUP_PATH: cgroup of the process
 * - EBPF_TAG_ROOT_PATH (optional): root directory of the process, if it is not the host's
 */
struct ebpf_file_link_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_cred_info creds; /**< credentials */
    uint32_t mount_namespace; /**< inode number of the mount namespace of the process */
    uint32_t reserved; /**< keeps the next member aligned; zero */
    struct ebpf_file_info file_info; /**< the file, afterwards */
};

/**
 * EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED: a process began to connect by TCP; addresses and ports are final.
 */
struct ebpf_network_connection_attempted_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_net_info net; /**< the connection */
};

/**
 * EBPF_EVENT_NETWORK_CONNECTION_ACCEPTED: a process accepted a TCP connection.
 */
struct ebpf_network_connection_accepted_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_net_info net; /**< the connection */
};

/**
 * EBPF_EVENT_NETWORK_CONNECTION_CLOSED: the last descriptor of a TCP connection was closed, or its socket disconnected.
 */
struct ebpf_network_connection_closed_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process that closed it, or for which the kernel closed it */
    struct ebpf_net_traffic net; /**< the connection */
    /** the process that opened or accepted it; absent if that was before the source was opened; if
     * EBPF_CLOSED_F_OWNER is set */
    struct ebpf_pid_info owner_pids;
    uint64_t duration_ns; /**< nanoseconds since it was attempted or accepted; if EBPF_CLOSED_F_OWNER is set */
    uint32_t close_reason; /**< why it ended; enum ebpf_close_reason; if EBPF_CLOSED_F_REASON is set */
    uint32_t reserved; /**< zero */
};

/**
 * EBPF_EVENT_NETWORK_CONNECTION_FAILED: an attempt to connect failed.
 */
struct ebpf_network_connection_failed_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process that attempted it */
    struct ebpf_net_info net; /**< the connection that was attempted */
    uint32_t error; /**< reason; enum ebpf_errno_name */
    uint32_t error_number; /**< number of the reason */
};

/**
 * EBPF_EVENT_NETWORK_LISTEN: a process began to listen for TCP connections.
 */
struct ebpf_network_listen_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_net_info net; /**< where it listens; the destination is empty */
    uint32_t backlog; /**< number of connections that may wait to be accepted */
    uint32_t reserved; /**< zero */
};

/**
 * EBPF_EVENT_NETWORK_DATAGRAM_FLOW: the first UDP datagram between two ends of a socket in each direction; the totals
 * when the socket is closed.
 */
struct ebpf_network_datagram_flow_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process that sent or received the first datagram, or that closed the socket */
    struct ebpf_net_info net; /**< the flow */
    uint32_t direction; /**< direction of its datagrams; enum ebpf_direction */
    uint32_t flow_state; /**< first datagram or totals; enum ebpf_flow_state */
    uint64_t datagrams; /**< datagrams so far */
    uint64_t bytes; /**< payload so far */
    struct ebpf_pid_info owner_pids; /**< the process of the first datagram; if EBPF_FLOW_F_OWNER is set */
    uint64_t duration_ns; /**< nanoseconds since the first datagram; if EBPF_FLOW_F_OWNER is set */
};

/**
 * EBPF_EVENT_PROCESS_CHROOT: a process changed its root directory with chroot.
 * - EBPF_TAG_PATH: the new root directory, as the process saw it before
 * - EBPF_TAG_ROOT_PATH (optional): root directory of the process before, if it is not the host's
 */
struct ebpf_process_chroot_event {
    struct ebpf_event_header hdr; /**< what every event begins with */
    struct ebpf_pid_info pids; /**< the process */
    struct ebpf_cred_info creds; /**< credentials */
    struct ebpf_tty_dev ctty; /**< controlling terminal */
    struct ebpf_ns_info ns; /**< namespaces */
};

#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** Version of this header; that of the library is what ebpf_events__version returns. */
#define EBPF_EVENTS_VERSION "0.1.0"

/** Return the version of the library that the program runs with ("0.1.0"); a static string. */
const char *ebpf_events__version(void);

/** A set of event types, which are below 64. Zero is the empty set. */
struct ebpf_event_set {
    uint64_t bits; /**< bit n: type n is in the set */
};

/** Add a type to a set; a number that is no type is not added. */
void ebpf_event_set__add(struct ebpf_event_set *set, enum ebpf_event_type type);

/** Return whether a set has a type; false for a number that is no type. */
bool ebpf_event_set__has(struct ebpf_event_set set, enum ebpf_event_type type);

/** Return every type that this library knows, which may be more than this header does. */
struct ebpf_event_set ebpf_event_set__all(void);

/** Return the type after `type` of those that this library knows: the first one after 0, and 0 after the last one. */
enum ebpf_event_type ebpf_event_type__next(enum ebpf_event_type type);

/** Return the name of a type, `event_type` in the JSON ("PROCESS_EXEC"); NULL for a number that is no type. */
const char *ebpf_event_type__name(enum ebpf_event_type type);

/** Return the command-line name of a type ("process-exec"); NULL for a number that is no type. */
const char *ebpf_event_type__option(enum ebpf_event_type type);

/** Return what a type reports, in half a sentence; NULL for a number that is no type. */
const char *ebpf_event_type__doc(enum ebpf_event_type type);

/** Return the key of a reason for loss in the JSON ("ring_full"). Reasons are 0, 1, and so on, until this is NULL. */
const char *ebpf_reason__key(enum ebpf_reason reason);

/**
 * An event. Everything in it belongs to the library. It is valid until the handler returns, or, if it is from
 * ebpf_source__next, until the next call of any function for its source.
 */
struct ebpf_event {
    /** Starts the fixed part: cast it to the struct ebpf_<event>_event of hdr->type. */
    const struct ebpf_event_header *hdr;
    size_t size;      /**< bytes of the whole record */
    uint64_t seq;     /**< 1, 2, 3, ... in this source; a lost event has a number too */
    uint64_t time_ns; /**< wall clock, nanoseconds since 1970-01-01T00:00:00Z */
};

/** A variable field of an event. */
struct ebpf_field {
    enum ebpf_tag tag; /**< which field it is */
    uint16_t flags;    /**< enum ebpf_varlen_flag */
    const void *data;  /**< its value; enum ebpf_tag describes the kinds */
    uint32_t len;      /**< bytes of the value */
    uint32_t orig_len; /**< bytes of the whole value if it was cut; 0 if not known */
};

/**
 * Find a variable field.
 * @param tag the field's tag
 * @param ret_field the field; its data points into the event
 * @return 0, or -ENOENT if the event does not have it
 */
int ebpf_event__field(const struct ebpf_event *event, enum ebpf_tag tag, struct ebpf_field *ret_field);

/**
 * Turn a field of kind path into a path: from the root, components separated by '/', ended by a NUL. A path that was
 * cut does not begin with '/': it lacks its first components. A name that is in no directory ("memfd:x") stands as it
 * is.
 * @param buf output buffer
 * @param size bytes of buf; field->len + 2 always suffices
 * @return length without the NUL, or -ENOSPC
 */
int ebpf_field__path(const struct ebpf_field *field, char *buf, size_t size);

/**
 * Write an event as one line of JSON, without a newline, ended by a NUL. Strings that are not UTF-8 are encoded as
 * events.md says, reversibly.
 * @param buf output buffer
 * @param size bytes of buf
 * @return length without the NUL, or -ENOSPC if it does not fit: try again with a larger buffer
 */
int ebpf_event__json(const struct ebpf_event *event, char *buf, size_t size);

/**
 * Write an event as a consumer of Elastic's EventsTrace reads it; MIGRATING.md lists what differs. A failed attempt to
 * connect is written as a connection that was closed.
 */
int ebpf_event__json_elastic(const struct ebpf_event *event, char *buf, size_t size);

/**
 * Return the types that Elastic's EventsTrace has too. Failed attempts to connect are not among them: if you want
 * closed connections, add them, because ebpf_event__json_elastic writes them as such.
 */
struct ebpf_event_set ebpf_event_set__elastic(void);

/** Return whether Elastic's EventsTrace would report an event; an answer to ebpf_source_opts.is_wanted. */
bool ebpf_event__is_elastic(const struct ebpf_event_header *hdr);

/** Return the JSON Schema (draft 2020-12) of what ebpf_event__json and the like write; a static string. */
const char *ebpf_schema__json(void);

/**
 * Counts of a source at one moment, from ebpf_source__stats; ebpf_stats__type and ebpf_stats__lost have those by type.
 */
struct ebpf_stats {
    uint64_t records; /**< records read from the rings */
    uint64_t corrupt; /**< of these, how many are no records of the schema: a fault of the probes; 0 */
};

/**
 * Counts of one type of event since the source was opened. Once the source is stopped and everything is consumed,
 * seen = delivered + filtered + lost; before, an event that is still in a ring is seen and nothing else.
 */
struct ebpf_type_stats {
    size_t sz;          /**< size of this struct as the caller knows it */
    uint64_t seen;      /**< times that the operation happened while the probe was attached */
    uint64_t delivered; /**< given to the handler, and accepted by it */
    uint64_t filtered;  /**< not wanted: by a process that has a source, or left out by the selection */
    uint64_t lost;      /**< for whatever reason */
};

/**
 * Get the counts of a type.
 * @param ret_type set its sz
 * @return 0, or -EINVAL for a number that is no type
 */
int ebpf_stats__type(const struct ebpf_stats *stats, enum ebpf_event_type type, struct ebpf_type_stats *ret_type);

/** Return how many events of a type were lost for a reason; 0 for a number that is no type or no reason. */
uint64_t ebpf_stats__lost(const struct ebpf_stats *stats, enum ebpf_event_type type, enum ebpf_reason reason);

/** Write counts as one line of JSON, event_type STATS; as ebpf_event__json. NULL: all counts are 0. */
int ebpf_stats__json(const struct ebpf_stats *stats, char *buf, size_t size);

/** A batch of losses, reported once; ebpf_loss__next has its counts. It is valid until the handler returns. */
struct ebpf_loss {
    uint64_t first_seq, last_seq; /**< numbers that the lost events would have had; both are inclusive */
    uint64_t time_ns;             /**< when it was noticed */
    uint64_t ts_boot_ns;          /**< when it was noticed, in nanoseconds since boot */
};

/** How many events of a type a batch has lost for a reason. */
struct ebpf_loss_count {
    enum ebpf_event_type type; /**< type of the lost events */
    enum ebpf_reason reason;   /**< why they were lost */
    uint64_t events;           /**< how many */
};

/**
 * Go through the counts of a batch.
 * @param count zero it before the first call; it becomes the next count, which is never 0
 * @return false if there is none left
 */
bool ebpf_loss__next(const struct ebpf_loss *loss, struct ebpf_loss_count *count);

/** Write a batch of losses as one line of JSON, event_type EVENTS_LOST; as ebpf_event__json. */
int ebpf_loss__json(const struct ebpf_loss *loss, char *buf, size_t size);

/** The process that has lost most events for exceeding its budget (ebpf_source_opts.budget). */
struct ebpf_over_budget {
    struct ebpf_pid_info pids; /**< the process; the thread is one that made an event too many */
    uint32_t uid;              /**< its real user id */
    char comm[EBPF_COMM_LEN];  /**< name of the thread; ended by a NUL unless all 16 bytes are used */
    uint64_t lost;             /**< events that it has lost for this reason since the last such record */
    uint64_t time_ns;          /**< when it was noticed */
    uint64_t ts_boot_ns;       /**< when it was noticed, in nanoseconds since boot */
};

/** Write such a process as one line of JSON, event_type EVENTS_OVER_BUDGET; as ebpf_event__json. */
int ebpf_over_budget__json(const struct ebpf_over_budget *over, char *buf, size_t size);

/** What a message is about. */
enum ebpf_log_level {
    EBPF_LOG_ERROR,   /**< a call fails; cause and remedy */
    EBPF_LOG_WARNING, /**< something is missing or will not be seen */
    EBPF_LOG_INFO,    /**< what the library has found out */
    EBPF_LOG_DEBUG,   /**< libbpf's own log, line by line */
};

/** One message, without a newline. */
typedef void (*ebpf_log_fn)(void *user, enum ebpf_log_level level, const char *format, va_list args);

/** One message as text, for languages that have no va_list. It is valid until the function returns. */
typedef void (*ebpf_log_line_fn)(void *user, enum ebpf_log_level level, const char *line);

/**
 * One event. For the same source, ebpf_source__poll and __consume fail with -EBUSY until the handler has returned. If
 * it closes the source, neither it nor another function of the options is called again.
 * @return 0 if it was taken; anything else counts it as lost for the reason EBPF_REASON_HANDLER
 */
typedef int (*ebpf_event_fn)(void *user, const struct ebpf_event *event);

/**
 * One batch of losses.
 * @return 0 if it was taken; after anything else it is reported again later, with what was lost by then
 */
typedef int (*ebpf_loss_fn)(void *user, const struct ebpf_loss *loss);

/**
 * A process has exceeded its budget. Once a second at most, the one that lost most is reported.
 * @return 0 if it was taken; after anything else it is reported again later
 */
typedef int (*ebpf_over_budget_fn)(void *user, const struct ebpf_over_budget *over);

/** Return whether to deliver an event; called before it gets a number. Others are counted as filtered. */
typedef bool (*ebpf_wanted_fn)(void *user, const struct ebpf_event_header *hdr);

/** Longest time for which successive writes can be merged. */
#define EBPF_COALESCE_MS_MAX 60000

/** What a condition of a selection is about. */
enum ebpf_select_kind {
    EBPF_SELECT_PID,       /**< id: the process that has it when the condition is made, and no later one; 16 at most */
    EBPF_SELECT_TREE,      /**< id: such a process and its descendants, those that start later too */
    EBPF_SELECT_UID,       /**< id: real user id of the thread that acts (initial user namespace); 16 at most */
    EBPF_SELECT_COMM,      /**< text: name of the thread that acts, at most 15 bytes; 8 at most */
    EBPF_SELECT_CGROUP,    /**< text: a cgroup (v2) and those below it, by its path from the root, even if it is created
                                later, or removed and created again; 8 at most. Not in a cgroup namespace */
    EBPF_SELECT_CONTAINER, /**< processes in another pid or mount namespace than the first process */
    EBPF_SELECT_PATH,      /**< text: for file events, a path and what is below it, links resolved as the library sees
                                them now, which is logged; if its last component is a link, both the link and its target
                                match, and count as two paths; 8 at most, of 255 bytes at most */
    EBPF_SELECT_ADDRESS, /**< text: for network events, an address of one of the two ends, of IPv4 or IPv6, or a network
                                ("192.0.2.0/24"); 16 at most */
    EBPF_SELECT_PORT,    /**< id: for network events, a port of one of the two ends; 16 at most */
};

/**
 * A condition of a selection. An event passes if it matches one include of every kind that has any, and no exclude.
 * Addresses and ports are tested by the library before the handler, everything else in the kernel before anything of
 * the event is computed, except for its path if there are conditions on paths. An event that does not pass is counted
 * as filtered.
 *
 * Process ids are those of the initial pid namespace. The kernel uses an id again when its process has ended: a
 * condition is about the process that has the id when the source is opened or ebpf_source__select is called. After that
 * process has ended, or if there was none (which is logged as a warning), no process matches. The end of a process is
 * decided by the process itself, whichever process waits for it.
 */
struct ebpf_condition {
    enum ebpf_select_kind kind; /**< what it is about */
    bool exclude;               /**< leave out what matches, instead of including it */
    uint32_t id;                /**< value of a kind that has an id, else 0 */
    const char *text;           /**< value of a kind that has a text, else NULL; read by the call only */
};

/** Most that ebpf_source_opts.helpers may have. */
#define EBPF_HELPERS_MAX 4

/** How programs are attached. */
enum ebpf_attach {
    EBPF_ATTACH_BEST,       /**< in the best way that the kernel offers, hook by hook */
    EBPF_ATTACH_LSM,        /**< LSM programs where there are, the others as by EBPF_ATTACH_TRAMPOLINE */
    EBPF_ATTACH_TRAMPOLINE, /**< to functions by fentry and fexit, and to tracepoints of their own */
    EBPF_ATTACH_KPROBE,     /**< to functions by kprobes, and to tracepoints as by EBPF_ATTACH_TRACEPOINT */
    EBPF_ATTACH_TRACEPOINT, /**< to tracepoints, among them that of the ends of all system calls */
};

/**
 * Options of a source. Zero a member for its default. With a smaller sz, that of an older header, further members have
 * their defaults; with a larger one, members that this library does not know must be zero.
 */
struct ebpf_source_opts {
    /** Size of this struct as the caller knows it: sizeof. */
    size_t sz;

    /** The events to report; nothing else is loaded into the kernel. */
    struct ebpf_event_set events;

    /** Called for each event. NULL: events are read by ebpf_source__next. */
    ebpf_event_fn handler;

    /** Called for each batch of losses, in its place in the stream, within a second. */
    ebpf_loss_fn loss_handler;

    /** Called for each message; no messages by default. */
    ebpf_log_fn log;

    /** First argument of the functions of this struct. */
    void *user;

    /** Record the environments of executed programs. */
    bool env;

    /** Wake the reader for each record instead of once for a batch of records. */
    bool low_latency;

    /** Pass on libbpf's log about this source, at EBPF_LOG_DEBUG; some messages refer to it. */
    bool libbpf_log;

    /** Size of each ring: a power of two, at least a page; default 4 MiB. */
    uint32_t ring_bytes;

    /** Comma-separated programs that are treated as if the kernel refused them, by their names in HOOKS.md. */
    const char *disable_hooks;

    /** Merge successive writes of one process to one file for this many ms, at most 60000. 0: do not merge. */
    uint32_t coalesce_ms;

    /**
     * Bit n: later selections may have conditions of kind n. Kinds of the first selection, addresses and ports need no
     * bit.
     */
    uint32_t select_kinds;

    /** How many conditions are in `conditions`. */
    size_t condition_count;

    /** The selection; all events without one. Read by open only. */
    const struct ebpf_condition *conditions;

    /** Called now and then while open works, which can take seconds: true cancels it. */
    bool (*is_cancelled)(void *user);

    /** Filters events before they have a number; none by default. */
    ebpf_wanted_fn is_wanted;

    /**
     * Events that a process may make in a second, of those that any user can make at will and that wait in the same
     * ring as execs (events.md lists them). The processes of a user other than root may make 16 times as many
     * together. More are lost, for the reason EBPF_REASON_BUDGET. 0: any number.
     */
    uint32_t budget;

    /** Called with the process that exceeds its budget most. */
    ebpf_over_budget_fn over_budget_handler;

    /** Called for each message as text, besides or instead of `log`; no messages by default. */
    ebpf_log_line_fn log_line;

    /**
     * Ids of up to EBPF_HELPERS_MAX children of the calling thread that work for the caller, such as one that writes
     * its output: what they do is left out, like what the caller itself does. Read by open only.
     */
    const uint32_t *helpers;

    /** How many ids are in `helpers`. */
    size_t helper_count;

    /** For tests: the only way to attach; what cannot be had in it makes its event unavailable, or less. */
    enum ebpf_attach attach;

    /** No event may be left: instead of failing with -ENXIO, open a source that only reports on what is missing. */
    bool allow_no_hook;
};

/** A source of events. */
struct ebpf_source;

/** Why a source could not be opened. */
enum ebpf_source_error {
    EBPF_SOURCE_OK,           /**< no error */
    EBPF_SOURCE_INVALID,      /**< options that make no sense */
    EBPF_SOURCE_NO_PRIVILEGE, /**< root, or CAP_BPF and CAP_PERFMON, are missing, or BPF is denied (lockdown) */
    EBPF_SOURCE_UNSUPPORTED,  /**< the kernel lacks BTF or the BPF ring buffer */
    EBPF_SOURCE_NO_HOOK,      /**< no event that was asked for has a hook here */
    EBPF_SOURCE_FAILED,       /**< anything else; the log says what */
};

/**
 * Load and attach the probes of the events asked for. An event whose hooks this kernel does not have is left out with a
 * warning (see ebpf_source__unavailable); it is an error only if none is left of those that were asked for, unless
 * allow_no_hook is set.
 *
 * Then some probes are tried, by operations on files of a tmpfs that is mounted in no directory, by memfd_create and by
 * shmget. A seccomp filter of the process may refuse calls for it, fsopen first, with an error, which costs only the
 * trials; a filter that kills for fsopen, fsconfig, fsmount, mkdirat, linkat, splice and the like kills the process.
 * @param ret_source to be closed with ebpf_source__close
 * @return 0; -EINVAL if an option makes no sense; -EPERM if privilege is missing or BPF is denied; -EOPNOTSUPP if the
 *         kernel lacks what all probes need; -ENXIO if it has hooks for none of the events; -ECANCELED if is_cancelled
 *         returned true; or another errno, such as -ENOMEM. One message has the cause and the remedy. With -ENXIO there
 *         is one for each event or kind of probe; with -ECANCELED, and if an argument is NULL or sz is no size of this
 *         struct, there is none.
 */
int ebpf_source__open(const struct ebpf_source_opts *opts, struct ebpf_source **ret_source);

/** Classify an error that ebpf_source__open has returned. */
enum ebpf_source_error ebpf_source__classify(int err);

/**
 * Return a file descriptor that is readable when there may be events, for the caller's own poll or epoll. It belongs to
 * the source.
 */
int ebpf_source__fd(const struct ebpf_source *source);

/**
 * Wait for events and give them to the handler.
 * @param timeout_ms longest wait; 0: none, -1: no limit. A wait is never longer than what batching allows (200 ms), so
 *        that a record cannot sit unseen.
 * @return how many records were read (0 is no error); -EINTR if a signal arrived; -EBUSY in the handler, or while
 *         another thread reads the source; -ECANCELED if a function of the options has closed the source, which is gone
 *         then; -EPERM in a child of the process that opened the source: it does not have the memory of the records
 */
int ebpf_source__poll(struct ebpf_source *source, int timeout_ms);

/** Poll without waiting; as ebpf_source__poll. Call it at least once a second when polling the fd by other means. */
int ebpf_source__consume(struct ebpf_source *source);

/**
 * Wait for the next event of a source that was opened without a handler, and return it. A loss is reported to the loss
 * handler when it is noticed, which may be before events with lower numbers are returned. With a poll or epoll of your
 * own, take events until there is none: ebpf_source__poll and __consume read nothing while events wait to be taken.
 * @param timeout_ms longest wait; 0: none, -1: no limit. As that of ebpf_source__poll, it ends after 200 ms at the
 *        latest, so that a caller can look at what its signal handlers have set: call again.
 * @param ret_event the event; valid until the next call of any function for this source
 * @return 1 with an event; 0 if none has come yet, and at once if the source is stopped and everything was returned;
 *         -EINTR if a signal arrived; -EINVAL if the source has a handler; else as ebpf_source__poll
 */
int ebpf_source__next(struct ebpf_source *source, int timeout_ms, const struct ebpf_event **ret_event);

/**
 * Stop the probes: they do nothing from now on, and the counts are final. What they have put into the rings stays to
 * be consumed, until ebpf_source__consume returns 0. In a child of the process that opened the source, this function
 * does nothing.
 */
void ebpf_source__stop(struct ebpf_source *source);

/**
 * Replace the selection while the source runs. For a moment between the two, none is in force and every event passes.
 * @param conditions may be NULL if count is 0, which selects everything
 * @return 0; -EINVAL if a condition makes no sense; -EOPNOTSUPP for a kind that select_kinds does not have, or one that
 *         cannot be decided in this namespace; -EPERM in a child of the process that opened the source. After a failure
 *         the selection is as it was before; one message has the cause, except for -EPERM.
 */
int ebpf_source__select(struct ebpf_source *source, const struct ebpf_condition *conditions, size_t count);

/**
 * Take the counts so far.
 * @param ret_stats valid until the next call of this function for the source, and until it is closed
 * @return 0, or -EPERM in a child of the process that opened the source
 */
int ebpf_source__stats(struct ebpf_source *source, const struct ebpf_stats **ret_stats);

/**
 * Count events as lost that the handler had taken, for the reason EBPF_REASON_HANDLER: a queue or an output behind it
 * has dropped them. They keep their numbers, and the loss handler is not called for them.
 * @return 0; -EINVAL for a number that is no type, or if fewer events of it were delivered; -EPERM in a child of the
 *         process that opened the source
 */
int ebpf_source__drop(struct ebpf_source *source, enum ebpf_event_type type, uint64_t events);

/** Return the events that the source reports: those asked for without those that are unavailable. */
struct ebpf_event_set ebpf_source__events(const struct ebpf_source *source);

/**
 * Return why an event that was asked for is unavailable here; NULL if it is available, was not asked for, or is no
 * type. Valid until the source is closed.
 */
const char *ebpf_source__unavailable(const struct ebpf_source *source, enum ebpf_event_type type);

/**
 * Return what an available event lacks here, such as "not seen: writev". Ask with n from 0 on, until it is NULL.
 * @param ret_program the program for want of which it lacks that (see ebpf_source__hook); may be NULL
 * @return valid, as *ret_program, until the source is closed
 */
const char *ebpf_source__lacks(const struct ebpf_source *source, enum ebpf_event_type type, size_t n,
                               const char **ret_program);

/** How a program of the probes is used. */
enum ebpf_hook_use {
    EBPF_HOOK_ATTACHED, /**< it runs where it is attached */
    EBPF_HOOK_CALLED,   /**< another program calls it */
    EBPF_HOOK_REPLACED, /**< the better program `by` runs in its place */
    EBPF_HOOK_UNUSED,   /**< no event that was asked for needs it here */
    EBPF_HOOK_REFUSED,  /**< this kernel does not have its target or refuses it; see `why` */
};

/** A program of the probes, as HOOKS.md lists them. */
struct ebpf_hook {
    size_t sz;              /**< size of this struct as the caller knows it */
    const char *program;    /**< its name: how it attaches and to what, as in "fexit__vfs_write" */
    enum ebpf_hook_use use; /**< how it is used */
    const char *by;         /**< the program in its place, or that calls it; else NULL */
    const char *why;        /**< why it cannot be used; else NULL */
};

/**
 * Find out how the n-th program is used. Ask with n from 0 on, until there are no more.
 * @param ret_hook set its sz; the strings are valid until the source is closed
 * @return 0; -ENOENT if there are no more; -EINVAL if sz makes no sense
 */
int ebpf_source__hook(const struct ebpf_source *source, size_t n, struct ebpf_hook *ret_hook);

/** Something that this machine has or lacks, and that matters to a source. */
struct ebpf_host_fact {
    size_t sz;          /**< size of this struct as the caller knows it */
    const char *name;   /**< such as "lockdown" */
    const char *value;  /**< such as "none"; valid until the thread calls this function again */
    const char *remedy; /**< what can be done if it is in the way; else NULL */
};

/**
 * Find out the n-th fact about this machine, as far as the caller may see it. Ask with n from 0 on, until there are no
 * more. No source is needed, and no privilege.
 * @param ret_fact set its sz
 * @return 0; -ENOENT if there are no more; -EINVAL if sz makes no sense
 */
int ebpf_host__fact(size_t n, struct ebpf_host_fact *ret_fact);

/** What the kernel offers. */
struct ebpf_features {
    size_t sz;      /**< size of this struct as the caller knows it */
    bool bpf_tramp; /**< fentry and fexit programs can be attached */
    bool ipv6;      /**< the kernel has IPv6 and it is not disabled */
};

/**
 * Find out what this kernel offers.
 * @param ret_features set its sz
 * @return 0, or -EINVAL if that makes no sense
 */
int ebpf_source__features(const struct ebpf_source *source, struct ebpf_features *ret_features);

/**
 * Detach, unload, free. What was not consumed is dropped. Detaching may take 0.1 s a hook (6.1, 6.12), about 5 s in
 * all, for which the last process that has the source's descriptors is blocked. In the handler it is put off until the
 * handler has returned; the call that reads then returns -ECANCELED. A child of the process that opened the source may
 * close it too, which ends nothing.
 */
void ebpf_source__close(struct ebpf_source *source);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
