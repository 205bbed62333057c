//! The seccomp filters. They refuse system calls that no server needs and allow all others.

use std::env::consts::ARCH;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp,
    SeccompCondition, SeccompFilter, SeccompRule, apply_filter, sock_filter,
};

/// System calls that are refused whatever their arguments are.
const REFUSED: &[c_long] = &[
    // Start other programs, or reach the memory and files of other processes.
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Change file systems and namespaces.
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_unshare,
    libc::SYS_setns,
    // Change the machine.
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    // Reach parts of the kernel with a history of holes. io_uring also bypasses seccomp.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
];

/// Further system calls of this architecture that are refused whatever their arguments are.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[c_long] =
    &[libc::SYS_fork, libc::SYS_vfork, libc::SYS_iopl, libc::SYS_ioperm];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[c_long] = &[];

/// Applies the filters to this thread and all threads that it starts.
pub(super) fn apply_filters() -> Result<(), Error> {
    let filters = [refuse_calls()?, hide_clone3()?, hide_x32_calls()];
    filters.iter().try_for_each(|filter| apply_filter(filter))
}

fn refuse_calls() -> Result<BpfProgram, BackendError> {
    let always = REFUSED.iter().chain(REFUSED_HERE).map(|call| (*call, vec![]));
    let sometimes = [
        (libc::SYS_clone, vec![new_process()?]),
        (libc::SYS_socket, unusual_sockets()?),
        (libc::SYS_sendto, vec![connecting_send(3)?]),
        (libc::SYS_sendmsg, vec![connecting_send(2)?]),
        (libc::SYS_sendmmsg, vec![connecting_send(3)?]),
    ];
    compile(always.chain(sometimes), libc::EPERM)
}

/// Makes `clone3` look unknown, so that libc falls back to `clone`. A filter can't check `clone3`,
/// because its flags are behind a pointer.
fn hide_clone3() -> Result<BpfProgram, BackendError> {
    compile([(libc::SYS_clone3, vec![])].into_iter(), libc::ENOSYS)
}

/// Makes the x32 system calls look unknown, since the other filters don't know their numbers.
/// `x86_64` kernels may accept them as a second set of numbers with one more bit. No number on
/// other architectures has this bit.
fn hide_x32_calls() -> BpfProgram {
    const X32: u32 = 0x4000_0000;
    const UNKNOWN: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned();
    // BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JSET | BPF_K, and BPF_RET | BPF_K.
    const LOAD: u16 = 0x20;
    const JUMP_IF_SET: u16 = 0x45;
    const ANSWER: u16 = 0x06;
    vec![
        sock_filter { code: LOAD, jt: 0, jf: 0, k: 0 },
        sock_filter { code: JUMP_IF_SET, jt: 0, jf: 1, k: X32 },
        sock_filter { code: ANSWER, jt: 0, jf: 0, k: UNKNOWN },
        sock_filter { code: ANSWER, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW },
    ]
}

/// Matches a `clone` that starts a process instead of a thread, which is a fork.
fn new_process() -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![masked(0, libc::CLONE_THREAD, 0)?])
}

/// Matches every socket but TCP, UDP and Unix sockets. Landlock's TCP rules don't apply to MPTCP
/// and SCTP.
fn unusual_sockets() -> Result<Vec<SeccompRule>, BackendError> {
    let not_unix = || differs(0, libc::AF_UNIX);
    let family = vec![not_unix()?, differs(0, libc::AF_INET)?, differs(0, libc::AF_INET6)?];
    let protocol = vec![
        not_unix()?,
        differs(2, libc::IPPROTO_IP)?,
        differs(2, libc::IPPROTO_TCP)?,
        differs(2, libc::IPPROTO_UDP)?,
    ];
    let mut rules = vec![SeccompRule::new(family)?, SeccompRule::new(protocol)?];
    for kind in [libc::SOCK_RAW, libc::SOCK_SEQPACKET, libc::SOCK_DCCP, SOCK_PACKET] {
        rules.push(SeccompRule::new(vec![not_unix()?, masked(1, SOCKET_KIND, kind)?])?);
    }
    Ok(rules)
}

/// The obsolete type of a packet socket in the internet family.
const SOCK_PACKET: i32 = 10;

/// The bits of a socket's type argument that hold the type. The other bits are flags.
const SOCKET_KIND: i32 = 0xf;

/// Matches a send with TCP Fast Open, which connects while sending and so bypasses Landlock's rule
/// for connecting.
fn connecting_send(flags: u8) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![masked(flags, libc::MSG_FASTOPEN, libc::MSG_FASTOPEN)?])
}

fn differs(argument: u8, value: i32) -> Result<SeccompCondition, BackendError> {
    condition(argument, SeccompCmpOp::Ne, value)
}

fn masked(argument: u8, mask: i32, value: i32) -> Result<SeccompCondition, BackendError> {
    condition(argument, SeccompCmpOp::MaskedEq(bits(mask)), value)
}

/// A condition on the lower 32 bits of an argument, because the kernel ignores the upper ones.
fn condition(
    argument: u8,
    operator: SeccompCmpOp,
    value: i32,
) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, bits(value))
}

fn bits(value: i32) -> u64 {
    u64::from(value.cast_unsigned())
}

fn compile(
    rules: impl Iterator<Item = (c_long, Vec<SeccompRule>)>,
    errno: i32,
) -> Result<BpfProgram, BackendError> {
    let answer = SeccompAction::Errno(errno.cast_unsigned());
    SeccompFilter::new(rules.collect(), SeccompAction::Allow, answer, ARCH.try_into()?)?.try_into()
}
