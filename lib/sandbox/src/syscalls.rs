//! The system calls that no server needs: refused by seccomp, all others are let through.

use std::env::consts::ARCH;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp,
    SeccompCondition, SeccompFilter, SeccompRule, apply_filter, sock_filter,
};

/// Refused whatever their arguments.
const REFUSED: &[c_long] = &[
    // Other programs, and the memory and files of other processes.
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // File systems and namespaces.
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
    // The machine.
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
    // Parts of the kernel with many holes, and io_uring, which goes past this very filter.
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

/// The same, where they exist.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[c_long] =
    &[libc::SYS_fork, libc::SYS_vfork, libc::SYS_iopl, libc::SYS_ioperm];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[c_long] = &[];

/// Puts the filters in place for this thread and all that it starts.
pub(super) fn refuse() -> Result<(), Error> {
    let filters = [refused()?, clone3_unknown()?, other_numbering_unknown()];
    filters.iter().try_for_each(|filter| apply_filter(filter))
}

fn refused() -> Result<BpfProgram, BackendError> {
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

/// Its flags are behind a pointer, where no filter can look. libc then falls back to `clone`.
fn clone3_unknown() -> Result<BpfProgram, BackendError> {
    compile([(libc::SYS_clone3, vec![])].into_iter(), libc::ENOSYS)
}

/// `x86_64` kernels may answer to a second set of numbers, x32, with this bit set. Nothing of ours
/// uses them, and on other machines no number has it.
fn other_numbering_unknown() -> BpfProgram {
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

/// A clone that shares no thread group is a fork.
fn new_process() -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![masked(0, libc::CLONE_THREAD, 0)?])
}

/// All but TCP, UDP and Unix sockets. Landlock's TCP rules do not hold for MPTCP and SCTP.
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

/// An old way to ask for a packet socket, by the internet family.
const SOCK_PACKET: i32 = 10;

/// The rest of a socket's type argument is flags.
const SOCKET_KIND: i32 = 0xf;

/// TCP fast open connects while sending, past Landlock's rule for connecting.
fn connecting_send(flags: u8) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![masked(flags, libc::MSG_FASTOPEN, libc::MSG_FASTOPEN)?])
}

fn differs(argument: u8, value: i32) -> Result<SeccompCondition, BackendError> {
    condition(argument, SeccompCmpOp::Ne, value)
}

fn masked(argument: u8, mask: i32, value: i32) -> Result<SeccompCondition, BackendError> {
    condition(argument, SeccompCmpOp::MaskedEq(bits(mask)), value)
}

/// The kernel reads these arguments as 32 bits, whatever stands above.
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
